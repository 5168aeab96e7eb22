"""A session that is held open, from Python: the first question after a change of any kind sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import enclos
from enclos.app import permits
from enclos.app.deliveries import ingest_deliveries, make_delivery
from enclos.app.enclosure import Enclosure
from enclos.app.objections import add_objections, remove_objections
from enclos.app.python import OpenPermit
from enclos.app.rotation import destroy_key, rotate_key
from enclos.ledger.model import Action, Kind, Outcome
from enclos.ledger.steps import Ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.pseudonyms.model import Objector
from factories.built_in import OUTCOMES, built_in, write_tables
from factories.circe import concept_set, definition
from factories.enclosure import ALICE, CAROL, PASSPHRASE, YESTERDAY, open_home, permit_text, run_cli
from factories.working_home import PERIOD, working_home
from oracle.histories import History

BLEED = OUTCOMES["gibleed"]
SQL = f"SELECT count(DISTINCT person_id) AS n FROM condition_occurrence WHERE condition_concept_id = {BLEED}"


def circe() -> str:
    """Persons with a bleed while they are observed."""
    document = definition("ConditionOccurrence", 0)
    document["ConceptSets"] = [concept_set(0, BLEED)]
    return json.dumps(document)


def bleeding(people: list[History]) -> list[int]:
    """Who has one."""
    return [
        each.person_id
        for each in people
        if any(
            start <= record.start_on <= end
            for record in each.records
            if record.concept_id == BLEED
            for start, end in each.periods
        )
    ]


N_BLEEDING = len(bleeding(built_in()))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return working_home(tmp_path_factory.mktemp("session"), {})


def text_of(permit: str, starts: datetime = YESTERDAY, **changes: Any) -> str:
    return permit_text(permit, period=PERIOD, min_count=1, users=(ALICE, CAROL), starts=starts, **changes)


@contextmanager
def session(home: Path, permit: str, **changes: Any) -> Iterator[OpenPermit]:
    """A session that has asked before, so that it keeps what it keeps."""
    with open_home(home) as other:
        permits.sign(other, text_of(permit, **changes))
        permits.open_one(other, permit)
    with enclos.open(home, PASSPHRASE) as house:
        held = house.permit(permit, user=ALICE, unconfined_for_trying_out=True)
        assert asked(held) == (N_BLEEDING, N_BLEEDING)
        yield held


def asked(held: OpenPermit) -> tuple[int, int]:
    """The persons with a bleed by both ways to ask."""
    (cohort,) = held.cohorts({"bleed": circe()})
    return cohort["n_persons"], held.sql(SQL)["n"][0].as_py()


def refused(held: OpenPermit) -> tuple[Code, Code]:
    found = []
    for ask in (lambda: held.cohorts({"bleed": circe()}), lambda: held.sql(SQL)):
        with pytest.raises(Refusal) as caught:
            ask()
        found.append(caught.value.code)
    return found[0], found[1]


def elsewhere(home: Path, change: Callable[[Enclosure], object]) -> None:
    """Change something by another opening of the enclosure."""
    with open_home(home) as other:
        change(other)


def test_an_amendment(home: Path) -> None:
    with session(home, "FR-AMENDED") as held:

        def amended(text: str) -> None:
            elsewhere(home, lambda other: permits.amend(other, text, reason="a test"))

        first = text_of("FR-AMENDED")
        amended(first.replace("start: 1900-01-01", "start: 2017-03-01"))
        assert refused(held) == (Code.VIEW_UNOPENED, Code.VIEW_UNOPENED)
        elsewhere(home, lambda other: permits.open_one(other, "FR-AMENDED"))
        fewer, _ = asked(held)
        assert 0 < fewer < N_BLEEDING
        amended(first)
        elsewhere(home, lambda other: permits.open_one(other, "FR-AMENDED"))
        assert asked(held) == (N_BLEEDING, N_BLEEDING)
        amended(first.replace("tables: all", "tables: {person: all, observation_period: all}"))
        assert refused(held) == (Code.VIEW_NOT_GRANTED, Code.SQL_NOT_ALLOWED)
        amended(first.replace(f"{{id: {ALICE}, role: researcher}}, ", "").replace(f"r: {ALICE}", f"r: {CAROL}"))
        assert refused(held) == (Code.PERMIT_USER_MISSING, Code.PERMIT_USER_MISSING)
        amended(first)
        assert asked(held) == (N_BLEEDING, N_BLEEDING)


def test_a_revocation_and_what_the_ledger_has_of_it(home: Path) -> None:
    with session(home, "FR-REVOKED") as held:
        elsewhere(home, lambda other: permits.revoke(other, "FR-REVOKED", reason="a test"))
        assert refused(held) == (Code.PERMIT_REVOKED, Code.PERMIT_REVOKED)
    with open_home(home) as other:
        entries = [
            entry
            for _, entry in other.ledger.entries()
            if entry.permit == "FR-REVOKED" and entry.action in {Action.COHORT, Action.SQL}
        ]
    assert sum(entry.kind is Kind.INTENT for entry in entries) == 4
    outcomes = [entry.outcome for entry in entries if entry.kind is Kind.OUTCOME]
    assert outcomes == [Outcome.DONE] * 2 + [Outcome.REFUSED] * 2


def test_the_end_of_a_permit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with session(home, "FR-ENDS") as held:
        end = YESTERDAY + timedelta(days=30)
        monkeypatch.setattr(Ledger, "now", lambda _: end)
        assert refused(held) == (Code.PERMIT_EXPIRED, Code.PERMIT_EXPIRED)
        monkeypatch.setattr(Ledger, "now", lambda _: end - timedelta(milliseconds=1))
        assert asked(held) == (N_BLEEDING, N_BLEEDING)


def test_an_objection_and_its_withdrawal(home: Path) -> None:
    who = [Objector("gibleed", str(bleeding(built_in())[0]), None)]
    with session(home, "FR-OBJECTED") as held:
        elsewhere(home, lambda other: add_objections(other, who))
        assert asked(held) == (N_BLEEDING - 1, N_BLEEDING - 1)
        elsewhere(home, lambda other: remove_objections(other, who))
        assert asked(held) == (N_BLEEDING, N_BLEEDING)


@pytest.mark.parametrize("role", ["catalog", "access-body", "permit"])
def test_a_rotated_key(home: Path, role: str) -> None:
    permit = f"FR-{role.upper()}"
    with session(home, permit) as held:
        elsewhere(home, lambda other: rotate_key(other, role, permit=permit if role == "permit" else ""))
        assert asked(held) == (N_BLEEDING, N_BLEEDING)


def test_a_destroyed_key(home: Path) -> None:
    with session(home, "FR-DESTROYED") as held:
        elsewhere(home, lambda other: destroy_key(other, permit="FR-DESTROYED", reason="a test"))
        assert refused(held) == (Code.KEY_MISSING, Code.KEY_MISSING)


def test_a_perimeter_that_was_altered(home: Path) -> None:
    with session(home, "FR-ALTERED") as held:
        path = home / "permits" / "FR-ALTERED" / "perimeter.sealed"
        sealed = path.read_bytes()
        path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
        assert refused(held) == (Code.STORAGE_BROKEN, Code.STORAGE_BROKEN)
        path.write_bytes(sealed)
        assert asked(held) == (N_BLEEDING, N_BLEEDING)


def test_another_build_of_the_same_number(home: Path) -> None:
    """As after a restoration of an earlier one and a build: what was read of the one before is not believed."""
    with session(home, "FR-RESTORED") as held, open_home(home) as other:
        was = other.marks.build()
        assert was is not None
        before = dict(held._kept._editions)
        for manifest, is_as_before in (("0" * 64, False), (was[1], True)):
            with other.ledger.intent(Action.RESTORE, other.operator) as ticket:
                ticket.facts.update({"snapshot": was[0], "manifest": manifest})
            assert asked(held) == (N_BLEEDING, N_BLEEDING)
            now = held._kept._editions
            assert now.keys() == before.keys()
            assert all((now[bucket] == before[bucket]) is is_as_before for bucket in before)
        assert before


def test_a_snapshot_that_another_process_builds_meanwhile(home: Path, tmp_path: Path) -> None:
    """The last one of this file: it changes how many persons there are."""
    people = [replace(each, person_id=each.person_id + 1000) for each in built_in()]
    write_tables(tmp_path / "delivery", people)
    make_delivery(tmp_path / "delivery", kind="omop", source="second")
    with session(home, "FR-BUILT") as held:
        elsewhere(home, lambda other: ingest_deliveries(other, [tmp_path / "delivery"]))
        snapshot = run_cli("build", home)["snapshot"]
        assert asked(held) == (N_BLEEDING, N_BLEEDING), "the permit was opened before"
        with open_home(home) as other:
            last = [entry for _, entry in other.ledger.entries() if entry.action is Action.COHORT][-1]
            assert last.facts["snapshot"] == snapshot
        elsewhere(home, lambda other: permits.open_one(other, "FR-BUILT"))
        assert asked(held) == (2 * N_BLEEDING, 2 * N_BLEEDING)
