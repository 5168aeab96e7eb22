"""What a reviewer is shown beside a request: who shares persons with it, what rules saw, a queue that is blind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enclos.contracts.result import HIDDEN, PersonNumbers, StudyResult, result_from_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.release.steps import looking, queue_of, show_beside, show_numbers
from enclos.stores.release_files import DeskFiles
from factories.desk import sets_shown
from factories.results import Asked, crowd, result_of
from unit.release.test_desk import NOW, PERMIT, RESULT, accepted, archive, ask, code_of, export, valid, vote

CAROL, DAN, ALICE, BOB = (f"{name}@example.org" for name in ("carol", "dan", "alice", "bob"))
LARGE = result_of(crowd(3000, 1), Asked(), attrition=False)
OTHER = replace(PERMIT, id="FR-2026-0099", digest="e" * 64)


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def beside(desk: DeskFiles, request: str, result: StudyResult = LARGE, user: str = CAROL) -> dict[str, Any]:
    return show_beside(request, user=user, cells=result.cells, desk=desk, archive=archive(desk))


def moved(by: int) -> Any:
    """Each person's number is that of the one who comes so many places later; the last ones have new numbers."""
    own = sorted(int(number) for number in LARGE.cells[0].person_numbers)
    numbers = [*own, *range(own[-1] + 1, own[-1] + 1 + by)]
    after = {number: numbers[place + by] for place, number in enumerate(own)}

    def renumber(asked: PersonNumbers) -> PersonNumbers:
        return np.array([after[int(number)] for number in asked], dtype=np.int64)

    return renumber


def shown_sets(desk: DeskFiles, request: str) -> list[frozenset[int]]:
    """By plain Python: the persons behind each number that the request's table shows."""
    rows = result_from_csv(desk.read(request, "results.csv"))[0].to_pylist()
    return sorted(sets_shown(LARGE, rows), key=len)


def test_the_picture_says_which_release_shares_persons_with_which_number(desk: DeskFiles) -> None:
    first = accepted(desk, result=LARGE)
    export(desk, first)
    halfway = moved(1500)
    request = ask(desk, LARGE, permit=OTHER, persons=halfway, run="b")["request"]
    own, left = shown_sets(desk, request), frozenset().union(*shown_sets(desk, first))
    found = beside(desk, request)["beside"]
    assert [column["request"] for column in found["releases"]] == [first]
    assert (found["releases"][0]["permit"], found["n_releases"], found["min_count"]) == (PERMIT.id, 1, 11)
    shared = {len(each): len(set(halfway(np.array(sorted(each)))) & left) for each in own}
    told = {row["n_persons"]: row["with"][0] for row in found["rows"]}
    assert shared.keys() <= told.keys()
    for n, n_shared in shared.items():
        expected = 11 * round(n_shared / 11) if 11 <= n_shared <= n - 11 else None
        assert told[n]["n_shared"] == expected, (n, n_shared, told[n])
    assert {row["how"] for row in told.values()} == {"some"}
    assert all(
        row["labels"] and row["labels"][0][-1] in {"all", "who have it", "who have it not"} for row in found["rows"]
    )


def test_what_left_longer_ago_is_in_no_column_and_still_marks_the_same_persons(
    desk: DeskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_RELEASES", 1)
    export(desk, accepted(desk, result=LARGE))
    newest = accepted(desk, result=LARGE, permit=OTHER, persons=moved(10_000), run="b")
    export(desk, newest)
    found = beside(desk, ask(desk, LARGE, permit=OTHER, run="c")["request"])
    assert [column["request"] for column in found["beside"]["releases"]] == [newest]
    assert found["beside"]["n_releases"] == 2
    assert {each["how"] for row in found["beside"]["rows"] for each in row["with"]} == {"few"}
    assert "same" in found["marks"] and "shares" not in found["marks"]


def test_the_same_persons_are_told_as_the_same_and_nobody_as_few(desk: DeskFiles) -> None:
    export(desk, accepted(desk, result=LARGE))
    again = beside(desk, ask(desk, LARGE, permit=OTHER, run="b")["request"])
    assert {each["how"] for row in again["beside"]["rows"] for each in row["with"]} == {"same"}
    assert set(again["marks"]) <= {"same", ""} and "same" in again["marks"]
    apart = beside(desk, ask(desk, LARGE, permit=OTHER, persons=moved(10_000), run="c")["request"])
    assert {(each["how"], each["n_shared"]) for row in apart["beside"]["rows"] for each in row["with"]} == {
        ("few", None)
    }
    assert set(apart["marks"]) <= {"counted", ""} and "counted" in apart["marks"]


@pytest.mark.parametrize(("by", "how"), [(2_995, "few"), (3, "nearly all")])
def test_no_count_under_the_minimum_is_told_of_who_is_shared_or_is_not(desk: DeskFiles, by: int, how: str) -> None:
    export(desk, accepted(desk, result=LARGE))
    request = ask(desk, LARGE, permit=OTHER, persons=moved(by), run="b")["request"]
    told = [each for row in beside(desk, request)["beside"]["rows"] for each in row["with"]]
    assert how in {each["how"] for each in told}
    assert all(each["n_shared"] is None for each in told if each["how"] == how)
    for row in beside(desk, request)["beside"]["rows"]:
        for each in row["with"]:
            is_told = each["how"] == "some" and each["n_shared"] % 11 == 0 and each["n_shared"] >= 11
            assert each["n_shared"] is None or is_told or each["how"] == "same"


def test_each_line_is_marked_by_what_rules_saw_in_it(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    lines = show_numbers(request, user=CAROL, desk=desk, check=valid)["lines"]
    marks = beside(desk, request, RESULT)["marks"]
    assert len(marks) == len(lines)
    assert {
        line.get("estimate_value") == HIDDEN for line, mark in zip(lines, marks, strict=True) if mark == "hidden"
    } == {True}
    assert sum(mark == "hidden" for mark in marks) == sum(line.get("estimate_value") == HIDDEN for line in lines) > 0
    without = show_beside(request, user=CAROL, cells=(), desk=desk, archive=archive(desk))
    assert set(without["marks"]) == {"hidden", ""}, "of a run that is gone only what is hidden is known"
    gone = show_beside(
        request, user=CAROL, cells=RESULT.cells, desk=desk, archive=archive(desk, frozenset({PERMIT.id}))
    )
    assert gone["beside"] is None


def test_a_queue_has_what_waits_oldest_first_and_nothing_of_one_s_own_project(desk: DeskFiles) -> None:
    first, second = (ask(desk, LARGE, run=run)["request"] for run in ("b", "c"))
    own = ask(desk, LARGE, permit=replace(OTHER, users=frozenset({CAROL})), run="d")["request"]
    later = NOW + timedelta(hours=5)
    queue = queue_of(CAROL, desk=desk, now=later)
    assert {row["request"] for row in queue["waiting"]} == {first, second}
    assert own not in str(queue)
    assert (queue["n_own"], queue["voted"]) == (1, [])
    assert {row["waits_seconds"] for row in queue["waiting"]} == {5 * 3600}
    assert queue_of(ALICE, desk=desk, now=later)["waiting"] == []
    assert [row["request"] for row in queue_of(BOB, desk=desk, now=later)["waiting"]] == [own]
    assert code_of(lambda: beside(desk, first, user=ALICE)) is Code.RELEASE_REVIEWER


def test_until_both_voted_nothing_tells_how_the_first_did(desk: DeskFiles) -> None:
    requests = [ask(desk, LARGE, run=run)["request"] for run in ("b", "c")]
    for request, accept in zip(requests, (True, False), strict=True):
        vote(desk, request, DAN, accept=accept, reason="Counts are fine")
    told = []
    for request in requests:
        row = next(each for each in queue_of(CAROL, desk=desk, now=NOW)["waiting"] if each["request"] == request)
        seen = {"row": row, "beside": beside(desk, request)}
        told.append(str(seen).replace(request, "R"))
        assert "Counts are fine" not in str(seen) and DAN not in str(seen)
    assert told[0] == told[1], "a vote for and a vote against look the same"
    assert queue_of(DAN, desk=desk, now=NOW)["waiting"] == []
    assert beside(desk, requests[0], user=DAN)["voted"] and not beside(desk, requests[0])["voted"]
    for request in requests:
        vote(desk, request, CAROL)
    course = [each["what"] for each in beside(desk, requests[1])["course"]]
    assert course == ["asked", "refused", "accepted"]
