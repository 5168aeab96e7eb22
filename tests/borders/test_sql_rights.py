"""C5 for SQL: the right to ask ends at once, belongs to one person, and every question is in the ledger."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import enclos
from enclos.app import permits
from enclos.app.enclosure import Enclosure
from enclos.app.rotation import rotate_key
from enclos.app.sql import ask
from enclos.ledger.model import Action, Kind, Outcome
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.asking import small_home
from factories.enclosure import ALICE, CAROL, PASSPHRASE, open_home, permit_text

pytestmark = pytest.mark.system("bubblewrap")

SLOW = (
    "SELECT count(*) AS n FROM drug_exposure a, drug_exposure b, drug_exposure c, drug_exposure d, drug_exposure e "
    "WHERE a.days_supply + b.days_supply + c.days_supply + d.days_supply + e.days_supply < 0"
)
COUNT = "SELECT count(*) AS n FROM person"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An enclosure with a small lake, made without deliveries."""
    return small_home(tmp_path_factory.mktemp("sql") / "home")


@pytest.fixture
def home(folder: Path) -> Iterator[Enclosure]:
    with open_home(folder) as enclosure:
        yield enclosure


def granted(home: Enclosure, permit: str, access: str = "rows", **changes: object) -> str:
    period = "{start: 2018-01-01, end: 2023-01-01}"
    text = permit_text(permit, period=period, **changes)  # type: ignore[arg-type]
    permits.sign(home, text.replace("access: aggregates", f"access: {access}"))
    permits.open_one(home, permit)
    return permit


def refused(home: Enclosure, permit: str, user: str, text: str) -> Code:
    with pytest.raises(Refusal) as caught:
        ask(home, permit=permit, user=user, text=text)
    return caught.value.code


def test_a_history_whose_end_was_taken_away_answers_nothing(home: Enclosure) -> None:
    permit = granted(home, "FR-TAIL-0001", access="aggregates")
    for text in (COUNT, f"{COUNT} WHERE gender_concept_id > 0"):
        ask(home, permit=permit, user=ALICE, text=text)
    files = sorted((home.paths.permits / permit / "sql").glob("*.sealed"))
    assert len(files) == 2
    kept = {path: path.read_bytes() for path in files}
    for taken in ([files[1]], [files[0]], files):
        for path in taken:
            path.unlink()
        assert refused(home, permit, ALICE, COUNT) is Code.STORAGE_BROKEN
        for path, content in kept.items():
            path.write_bytes(content)
    assert ask(home, permit=permit, user=ALICE, text=COUNT).table.num_rows == 1


def test_what_counts_have_shown_moves_to_the_next_key(folder: Path) -> None:
    with open_home(folder) as home:
        permit = granted(home, "FR-TAIL-0002", access="aggregates")
        ask(home, permit=permit, user=ALICE, text=COUNT)
        assert rotate_key(home, "permit", permit=permit)["moved"]["n_files"] == 2  # the perimeter and one question
    with open_home(folder) as home:
        assert ask(home, permit=permit, user=ALICE, text=COUNT).table.num_rows == 1


def test_c5_41_a_permit_that_ended_a_second_ago_answers_nothing(home: Enclosure) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    permit = granted(home, "FR-ENDS", starts=now - timedelta(days=1), lasts=timedelta(days=1, seconds=9))
    assert ask(home, permit=permit, user=ALICE, text=COUNT).table.to_pylist() == [{"n": 33}]
    time.sleep(max(0.0, (now + timedelta(seconds=9) - datetime.now(UTC)).total_seconds()))
    assert refused(home, permit, ALICE, COUNT) is Code.PERMIT_EXPIRED


def test_c5_41_revocation_stops_a_running_query_within_a_second(home: Enclosure, folder: Path) -> None:
    permit = granted(home, "FR-STOPS")
    revoked_at: list[float] = []

    def revoke() -> None:
        time.sleep(4)
        with open_home(folder) as other:
            permits.revoke(other, permit, reason="a test")
            revoked_at.append(time.monotonic())

    revoking = threading.Thread(target=revoke)
    revoking.start()
    code = refused(home, permit, ALICE, SLOW)
    stopped_at = time.monotonic()
    revoking.join()
    assert code is Code.PERMIT_REVOKED
    assert stopped_at - revoked_at[0] < 1


def test_c5_44_anothers_permit_and_a_removed_user(home: Enclosure) -> None:
    permit = granted(home, "FR-USERS", users=(ALICE, CAROL))
    assert ask(home, permit=permit, user=CAROL, text=COUNT).table.num_rows == 1
    assert refused(home, permit, "mallory@example.org", COUNT) is Code.PERMIT_USER_MISSING
    newest = permits.newest(home, permit).permit
    text = permit_text(
        permit, period="{start: 2018-01-01, end: 2023-01-01}", starts=newest.valid_from, lasts=timedelta(days=30)
    )
    permits.amend(home, text.replace("access: aggregates", "access: rows"), reason="Carol left")
    assert refused(home, permit, CAROL, COUNT) is Code.PERMIT_USER_MISSING
    assert ask(home, permit=permit, user=ALICE, text=COUNT).table.num_rows == 1


def test_c5_50_c8_87_every_question_is_in_the_ledger_before_it_runs_and_denials_with_their_actor(
    home: Enclosure, folder: Path
) -> None:
    permit = granted(home, "FR-LOGS")
    size = home.ledger.size()
    ask(home, permit=permit, user=ALICE, text="SELECT count(*) AS n FROM person WHERE person_source_value = 'KANARI7'")
    refused(home, permit, ALICE, "SELECT * FROM read_text('KANARI7')")
    refused(home, permit, "mallory@example.org", COUNT)
    written = [entry for _, entry in home.ledger.entries(size) if entry.action is Action.SQL]
    assert [entry.kind for entry in written] == [Kind.INTENT, Kind.OUTCOME] * 3
    outcomes = [entry for entry in written if entry.kind is Kind.OUTCOME]
    assert [entry.outcome for entry in outcomes] == [Outcome.DONE, Outcome.REFUSED, Outcome.REFUSED]
    assert [entry.code for entry in outcomes] == [None, Code.SQL_NOT_ALLOWED.id, Code.PERMIT_USER_MISSING.id]
    assert outcomes[0].facts["n_rows"] == 1
    assert len({entry.actor for entry in written}) == 2
    for path in (folder / "ledger").rglob("*"):
        if path.is_file():
            assert b"KANARI7" not in path.read_bytes(), path.name


def test_counts_are_remembered_across_questions(home: Enclosure) -> None:
    permit = granted(home, "FR-COUNTS", access="aggregates")
    asked = ask(home, permit=permit, user=ALICE, text=COUNT)
    assert asked.table.to_pylist() == [{"n": 33}]
    few = "SELECT count(DISTINCT person_id) AS n FROM condition_occurrence WHERE condition_concept_id = 4000001"
    assert ask(home, permit=permit, user=ALICE, text=few).table.to_pylist() == []
    assert refused(home, permit, ALICE, "SELECT * FROM person") is Code.SQL_NOT_ALLOWED
    assert ask(home, permit=permit, user=ALICE, text=COUNT).table.to_pylist() == [{"n": 33}]


def test_the_same_from_python(folder: Path, home: Enclosure) -> None:
    permit = granted(home, "FR-PYTHON")
    home.ledger.close()
    with enclos.open(folder, PASSPHRASE) as house:
        table = house.permit(permit, user=ALICE).sql("SELECT person_id, year_of_birth FROM person ORDER BY ALL LIMIT 2")
        assert (table.num_rows, table.column_names) == (2, ["person_id", "year_of_birth"])
        with pytest.raises(Refusal):
            house.permit(permit, user="mallory@example.org")
