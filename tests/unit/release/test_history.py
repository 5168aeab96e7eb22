"""What left before, under whatever permit, is compared with what would leave now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enclos.contracts.result import PersonNumbers
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.release import allowance
from enclos.release.model import PermitFacts
from enclos.release.ports import Archive
from enclos.release.steps import export_release
from enclos.release.steps.history import history_finding
from enclos.release.steps.index import left_earlier
from enclos.release.steps.kept import digest_of, renumbered_sets
from enclos.stores.release_files import DeskFiles
from factories.results import Asked, Person, result_of
from unit.release.test_desk import NOW, PERMIT, SIGNER, TERMS, accepted, archive, ask, code_of, export, valid

ASKED = Asked(sexes=("Both",), overall=False)
OTHER = PermitFacts("FR-2026-0043", 1, "e" * 64, frozenset({"eve@example.org"}), 11, PERMIT.valid_until)


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def result(n_persons: int = 300, n_events: int = 90) -> Any:
    """A year of so many persons, the first so many of them with the event."""
    people = [Person("Male", 1960, (365,), 0 if number < n_events else None) for number in range(n_persons)]
    return result_of(people, ASKED, attrition=False)


def said(desk: DeskFiles, **asked: Any) -> tuple[str, str]:
    answer = ask(desk, **asked)
    return answer["verdict"], " ".join(answer["reasons"])


def test_a_few_persons_less_than_what_left_are_refused_and_the_earlier_release_is_named(desk: DeskFiles) -> None:
    first = accepted(desk, result=result())
    assert said(desk, result=result(n_persons=297), run="b")[0] == "pass"  # nothing has left yet
    export(desk, first)
    verdict, reasons = said(desk, result=result(n_persons=297), run="c")
    assert verdict == "refuse"
    assert "history" in reasons
    assert first in reasons


@pytest.mark.parametrize(("n_persons", "n_events"), [(300, 90), (289, 90), (300, 79), (200, 60)])
def test_the_same_persons_and_enough_fewer_may_leave(desk: DeskFiles, n_persons: int, n_events: int) -> None:
    export(desk, accepted(desk, result=result()))
    assert said(desk, result=result(n_persons, n_events), run="b")[0] == "pass"


def test_the_second_of_two_that_were_asked_for_at_once_does_not_leave(desk: DeskFiles) -> None:
    one = accepted(desk, result=result())
    other = accepted(desk, result=result(n_events=85), run="b")
    export(desk, one)
    assert code_of(lambda: export(desk, other)) is Code.RELEASE_DIFFERENCE


def test_what_the_search_has_no_room_for_is_reviewed_and_does_not_leave_unseen(
    desk: DeskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(desk, accepted(desk, result=result()))
    before = accepted(desk, result=result(200, 60), run="b")
    monkeypatch.setattr(allowance, "MOST_WORK", 0)
    assert code_of(lambda: export(desk, before)) is Code.RELEASE_DIFFERENCE
    verdict, reasons = said(desk, result=result(200, 60), run="c")
    assert verdict == "review"
    assert "history: some sums of released numbers were not looked at: the search of 3" in reasons
    export(desk, accepted(desk, result=result(200, 60), run="c"))  # two people were told, and decided


def test_two_permits_with_numbers_of_their_own_are_compared_by_person(desk: DeskFiles) -> None:
    def others(numbers: PersonNumbers) -> PersonNumbers:
        return numbers + 100_000

    export(desk, accepted(desk, result=result()))
    assert said(desk, result=result(n_persons=297), run="b", permit=OTHER)[0] == "refuse"
    assert said(desk, result=result(n_persons=297), run="c", permit=OTHER, persons=others)[0] == "pass"


def test_what_a_permit_kept_goes_with_its_key(desk: DeskFiles) -> None:
    export(desk, accepted(desk, result=result()))
    asked = ask(desk, result=result(n_persons=297), run="b", permit=OTHER)
    kept = archive(desk).read(OTHER.id, asked["request"])
    assert kept is not None
    for gone, word in ((frozenset(), "refuse"), (frozenset({PERMIT.id}), "pass")):
        left: Archive = archive(desk, gone)
        assert history_finding(kept, 11, left_earlier(desk, left)).verdict.word == word


def test_sets_follow_the_warehouse_s_numbers_and_stay_the_same_sets(desk: DeskFiles) -> None:
    asked = ask(desk, result=result())
    kept = archive(desk).read(PERMIT.id, asked["request"])
    assert kept is not None
    old = np.unique(result().cells[0].person_numbers)
    new = old[::-1] + 2**40
    moved = renumbered_sets(kept, old, new)
    assert moved != kept
    assert renumbered_sets(moved, old, new) == moved
    assert renumbered_sets(moved, new, old) == kept
    assert digest_of(moved) == digest_of(kept)


def test_asking_again_changes_nothing(desk: DeskFiles) -> None:
    first = ask(desk, result=result(n_persons=297))
    export(desk, accepted(desk, result=result(), run="b"))
    assert ask(desk, result=result(n_persons=297)) == first


def test_the_persons_that_were_judged_are_those_that_leave(desk: DeskFiles) -> None:
    one = accepted(desk, result=result())
    other = ask(desk, result=result(n_persons=200), run="b")["request"]
    kept = archive(desk).read(PERMIT.id, other)
    assert kept is not None
    archive(desk).keep(PERMIT.id, one, kept)
    assert code_of(lambda: export(desk, one)) is Code.RELEASE_ALTERED


def test_the_larger_minimum_of_the_two_permits_holds(desk: DeskFiles) -> None:
    lower = PermitFacts("FR-2026-0044", 1, "f" * 64, frozenset({"eve@example.org"}), 3, PERMIT.valid_until)
    export(desk, accepted(desk, result=result()))
    assert said(desk, result=result(n_persons=294), run="b", permit=lower)[0] == "refuse"


def _year(first: int, n_persons: int, n_events: int, outcome: str = "bleed") -> Any:
    """A year of so many persons of a town, from one on, of whom the first so many have the event."""
    people = [Person("Male", 1960, (365 if number >= first else 0,)) for number in range(first + n_persons)]
    for number in range(first, first + n_events):
        people[number] = Person("Male", 1960, (365,), 0)
    return result_of(people, Asked(sexes=("Both",), overall=False, outcome=outcome), attrition=False)


@pytest.mark.parametrize(("n_missing", "verdict"), [(3, "refuse"), (0, "pass"), (12, "pass")])
def test_those_without_an_event_of_two_releases_are_added(desk: DeskFiles, n_missing: int, verdict: str) -> None:
    """Of two disjoint groups those without the event are the new group but for a few: six numbers tell."""
    export(desk, accepted(desk, result=_year(0, 300, 90)))
    export(desk, accepted(desk, result=_year(300, 300, 90), run="b", permit=OTHER))
    without = [*range(90, 300), *range(390 + n_missing, 600)]
    people = [Person("Male", 1960, (365 if number in without else 0,)) for number in range(600)]
    asked = Asked(sexes=("Both",), overall=False)
    assert said(desk, result=result_of(people, asked, attrition=False), run="c")[0] == verdict


def test_an_export_that_was_stopped_counts_as_having_left(desk: DeskFiles) -> None:
    request = accepted(desk, result=result())
    export_release(
        request,
        recipient="alice@example.org",
        desk=desk,
        archive=archive(desk),
        terms=TERMS,
        now=NOW,
        check=valid,
        signer=SIGNER,
        ledger_proof={},
    )  # and then it is killed: nothing marks it
    assert said(desk, result=result(n_persons=297), run="b")[0] == "refuse"
    export(desk, request)


def test_a_history_that_is_missing_is_not_an_empty_one(desk: DeskFiles) -> None:
    request = accepted(desk, result=result())
    export(desk, request)
    (desk._root / "permits" / PERMIT.id / "released" / f"{request}.sealed").unlink()
    assert code_of(lambda: ask(desk, result=result(n_persons=297), run="b")) is Code.STORAGE_BROKEN
