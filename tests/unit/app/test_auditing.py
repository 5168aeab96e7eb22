"""The ledger for who audits it: what is found, by pages that read little; one entry proved; all of it verified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from enclos.app import auditing, ledger
from enclos.app.auditing import MARKED, NO_OUTCOME, Sought, explore, show_entry, state_of
from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.permits import sign
from enclos.app.verifying import Verification, Verifications
from enclos.ledger.model import Action, Kind
from enclos.ledger.rules.notes import check_proof, read_proof
from enclos.ledger.rules.tiles import CHECKPOINT
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.ledger_files import LedgerFiles
from factories.enclosure import ALICE, PASSPHRASE, open_home, permit_text

SECONDS = 30


@pytest.fixture(scope="module")
def enclosure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclosure]:
    """A ledger in which things were done, refused, done at once, and one is going on."""
    home = tmp_path_factory.mktemp("audit") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    with open_home(home) as opened:
        for permit in ("FR-1", "FR-2"):
            sign(opened, permit_text(permit))
        long = opened.ledger.intent(Action.STUDY, ALICE, "FR-1")
        for number in range(30):
            try:
                with opened.ledger.intent(Action.SQL, ALICE, f"FR-{1 + number % 2}", {"n": number}):
                    if number % 5 == 0:
                        raise refusal(Code.SQL_NOT_ALLOWED, "No.", "Ask otherwise.")
            except Refusal:
                opened.ledger.record(Action.DENIED, "somebody", None, {"code": Code.SIGN_IN_ROLE.id})
        long.__enter__()
        long.__exit__(None, None, None)
        opened.ledger.intent(Action.BUILD, opened.operator)
        explore(opened, Sought(actor=ALICE))  # the first use of a key within something is an entry
        yield opened


def expected(enclosure: Enclosure, sought: Sought) -> list[int]:
    """By plain Python over all entries: what a page may show, newest first."""
    entries = dict(enclosure.ledger.entries())
    ended = {entry.intent for entry in entries.values() if entry.kind is Kind.OUTCOME}
    digests = enclosure.ledger.digests(sought.actor) if sought.actor else ()
    found = []
    for index, entry in entries.items():
        is_open = entry.kind is Kind.INTENT and index not in ended
        if entry.kind is Kind.INTENT and not is_open:
            continue
        outcome = NO_OUTCOME if is_open else entry.outcome.value if entry.outcome else ""
        if (
            sought.action in {"", entry.action.value}
            and (not sought.actor or entry.actor in digests)
            and sought.permit in {"", entry.permit}
            and sought.outcome in {"", outcome}
        ):
            found.append(index)
    return found[::-1]


@pytest.mark.parametrize(
    "sought",
    [
        Sought(),
        Sought(action="sql"),
        Sought(actor=ALICE),
        Sought(actor="nobody@example.org"),
        Sought(permit="FR-2", outcome="REFUSED"),
        Sought(outcome=NO_OUTCOME),
        Sought(action="study", outcome="DONE"),
    ],
)
@pytest.mark.parametrize(("rows", "most", "window"), [(50, 4096, 512), (7, 4096, 5), (50, 16, 4), (3, 9, 2)])
def test_all_that_fits_is_found_once_however_small_the_pages(
    enclosure: Enclosure, sought: Sought, rows: int, most: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ROWS", rows), ("MOST_READ", most), ("_WINDOW", window)):
        monkeypatch.setattr(auditing, name, value)
    before, found, unclear, n_pages = None, [], set(), 0
    while True:
        page = explore(enclosure, sought, before)
        assert len(page["acts"]) <= rows and page["n_read"] <= most
        found += [act["index"] for act in page["acts"]]
        unclear |= {act["index"] for act in page["acts"] if act["outcome"] == "later"}
        n_pages += 1
        if page["older"] is None:
            break
        assert before is None or page["older"] < before
        before = page["older"]
    if most == 4096:
        assert not unclear
    assert [index for index in found if index not in unclear] == [
        index for index in expected(enclosure, sought) if index not in unclear
    ]
    assert n_pages > 1 or sought != Sought() or (rows, most) == (50, 4096)


def test_days_are_kept_to_and_what_has_no_outcome_is_marked(enclosure: Enclosure) -> None:
    today = enclosure.ledger.now().date()
    assert explore(enclosure, Sought(since=today, until=today))["acts"] == explore(enclosure, Sought())["acts"]
    for sought in (Sought(since=today + timedelta(days=1)), Sought(until=date(2001, 1, 1))):
        page = explore(enclosure, sought)
        assert (page["acts"], page["older"]) == ([], None)
    (going_on,) = explore(enclosure, Sought(outcome=MARKED))["acts"]
    assert (going_on["action"], going_on["outcome"], going_on["is_marked"]) == ("build", NO_OUTCOME, True)
    assert going_on in explore(enclosure, Sought())["acts"]
    named = next(act for act in explore(enclosure, Sought(action="sql"))["acts"])
    assert (named["by"], named["is_marked"]) == (ALICE, False), "who a permit lists is known to who audits"


def shown_of(enclosure: Enclosure, index: int) -> dict[str, Any]:
    shown = show_entry(enclosure, index)
    assert shown is not None
    return shown


def test_an_entry_comes_with_a_proof_that_holds_without_the_ledger(enclosure: Enclosure) -> None:
    intent = next(
        i for i, entry in enclosure.ledger.entries() if entry.kind is Kind.INTENT and entry.action is Action.SQL
    )
    shown = shown_of(enclosure, intent)
    assert (shown["act"]["outcome"], shown["kind"]) == ("ended", "intent")
    assert shown_of(enclosure, shown["ended"])["intent"] == intent
    ledger = enclosure.ledger
    proof = read_proof(shown["proof"].encode())
    assert check_proof(proof, shown["entry"].encode(), ledger.origin, ledger.public_key).size == shown["size"]
    with pytest.raises(Refusal):
        check_proof(proof, shown["entry"].replace("FR-", "XX-").encode(), ledger.origin, ledger.public_key)
    assert show_entry(enclosure, -1) is show_entry(enclosure, 10**9) is None


def test_reading_writes_nothing(enclosure: Enclosure) -> None:
    before = enclosure.ledger.size()
    explore(enclosure, Sought(actor=ALICE))
    show_entry(enclosure, 0)
    assert state_of(enclosure)["size"] == before
    assert Verifications().begin(enclosure).ended.wait(SECONDS)
    assert enclosure.ledger.size() == before


def test_the_whole_ledger_is_verified_as_the_command_does_it_and_faults_are_told(
    enclosure: Enclosure, tmp_path: Path
) -> None:
    assert Verification(enclosure.ledger.now(), n_bundles=4, n_read=1).share == 0.25
    begun = Verifications().begin(enclosure)
    assert begun.ended.wait(SECONDS)
    assert begun.n_read >= begun.n_bundles >= 1
    told = begun.as_json()
    by_command = ledger.verify(enclosure.paths.root)
    assert told["is_sound"] and told["share"] == 1
    assert {name: told[name] for name in ("size", "root", "n_open", "n_entries")} == {
        name: by_command[name] for name in ("size", "root", "n_open", "n_entries")
    }
    note = witnessed(enclosure, tmp_path)
    begun = Verifications().begin(enclosure, note=note, witness=(tmp_path / "witness.vkey").read_text())
    assert begun.ended.wait(SECONDS)
    assert begun.as_json()["is_sound"] and begun.as_json()["witnessed_size"] == enclosure.ledger.size()
    tile = next(iter(enclosure.paths.ledger.glob("tile/0/000.p/*")))
    content = tile.read_bytes()
    tile.write_bytes(bytes(32) + content[32:])
    try:
        begun = Verifications().begin(enclosure)
        assert begun.ended.wait(SECONDS)
        told = begun.as_json()
        assert not told["is_sound"] and told["faults"][0]["code"] == Code.LEDGER_DAMAGED.id
    finally:
        tile.write_bytes(content)


def witnessed(enclosure: Enclosure, state: Path) -> str:
    enclosure.ledger.checkpoint()
    return Path(ledger.witness(str(enclosure.paths.root), state)["cosigned"]).read_text()


def test_a_verification_ends_in_time_claims_nothing_then_and_there_is_one_at_a_time(enclosure: Enclosure) -> None:
    short = Verifications(seconds=-1)
    begun = short.begin(enclosure)
    assert begun.ended.wait(SECONDS)
    assert begun.refused is not None and not begun.as_json()["is_sound"] and begun.as_json()["faults"] == []
    again = short.begin(enclosure)
    assert again is not begun and short.last is again
    for wrong in ({"key": "no key"}, {"note": "x", "witness": "y"}, {"key": f"other.example+{'0' * 8}+AA=="}):
        with pytest.raises(Refusal) as caught:
            Verifications().begin(enclosure, **wrong)
        assert caught.value.code is Code.LEDGER_UNSIGNED
    assert LedgerFiles(enclosure.paths.ledger).read(CHECKPOINT)
