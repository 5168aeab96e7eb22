"""What was found beside a request once is what would be found anew, and is found anew when it holds no longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enclos.contracts.result import PersonNumbers, result_from_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.release.model import PermitFacts, Renumber
from enclos.release.steps import find_beside, show_beside
from enclos.release.steps.kept import read_members
from enclos.stores.release_files import ArchiveFiles, DeskFiles
from factories.desk import sets_shown
from factories.results import Asked, crowd, result_of
from unit.release.test_desk import PERMIT, accepted, archive, ask, export, vote

CAROL = "carol@example.org"
RESULT = result_of(crowd(1500, 1), Asked(), attrition=False)
PERMITS = [replace(PERMIT, id=f"FR-2026-{number:04d}", digest=f"{number:064d}") for number in range(4)]


class CountedArchive(ArchiveFiles):
    """Keeps whose sets were read in full."""

    def __init__(self, desk: DeskFiles) -> None:
        super().__init__(desk._root / "permits", archive(desk)._secret_of)
        self.read_of: list[str] = []

    def read(self, permit: str, request: str) -> bytes | None:
        self.read_of.append(request)
        return super().read(permit, request)


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def of_others(seed: int) -> Renumber:
    """Persons of whom some are also another permit's: drawn from 2500 numbers that lie far apart."""
    population = np.unique(np.random.default_rng(0).integers(0, 2**43, 2500))
    own = sorted(RESULT.cells[0].person_numbers.tolist())
    drawn = np.random.default_rng(seed).choice(population, len(own), replace=False)
    number_of = dict(zip(own, drawn.tolist(), strict=True))

    def renumber(numbers: PersonNumbers) -> PersonNumbers:
        return np.array([number_of[int(number)] for number in numbers], dtype=np.int64)

    return renumber


def found_ahead(desk: DeskFiles, of: ArchiveFiles | None = None, ends: Callable[[], bool] = lambda: False) -> int:
    """As whoever serves an enclosure finds it, all of whose permits are in force."""
    return find_beside(desk, of or archive(desk), check=lambda _: None, ends=ends)


def let_go(desk: DeskFiles, seed: int, permit: PermitFacts) -> str:
    request = accepted(desk, result=RESULT, permit=permit, persons=of_others(seed), run=f"run{seed}")
    export(desk, request)
    return request


def looked(desk: DeskFiles, request: str) -> tuple[dict[str, Any], list[str]]:
    """What is shown, and whose sets were read in full for it."""
    counted = CountedArchive(desk)
    return show_beside(request, user=CAROL, cells=RESULT.cells, desk=desk, archive=counted), counted.read_of


def by_plain_python(desk: DeskFiles, request: str, release: str, own: Renumber, theirs: Renumber) -> dict[int, Any]:
    """How each shown set lies to a release, by its number of persons."""

    def shown(of: str, renumber: Renumber) -> list[set[int]]:
        rows = result_from_csv(desk.read(of, "results.csv"))[0].to_pylist()
        return [set(renumber(np.array(sorted(each))).tolist()) for each in sets_shown(RESULT, rows)]

    left = set().union(*shown(release, theirs))
    told = {}
    for each in shown(request, own):
        n_shared, n = len(each & left), len(each)
        how = "few" if n_shared < 11 else "nearly all" if n - n_shared < 11 else "some"
        told[n] = {"how": how, "n_shared": 11 * round(n_shared / 11) if how == "some" else None}
    return told


def test_the_second_look_shows_what_the_first_found_and_reads_nobody(desk: DeskFiles) -> None:
    releases = [let_go(desk, seed, PERMITS[seed]) for seed in (1, 2, 3)]
    request = ask(desk, RESULT, permit=PERMITS[0], persons=of_others(9), run="own")["request"]
    first, read = looked(desk, request)
    assert set(read) == {request, *releases}
    again, read = looked(desk, request)
    assert (again, read) == (first, [])
    columns = [each["request"] for each in again["beside"]["releases"]]
    assert columns == releases[::-1]
    for seed, release in zip((1, 2, 3), releases, strict=True):
        expected = by_plain_python(desk, request, release, of_others(9), of_others(seed))
        at = columns.index(release)
        told = {row["n_persons"]: row["with"][at] for row in again["beside"]["rows"]}
        assert told.keys() & expected.keys()
        assert all(told[n] == expected[n] for n in told.keys() & expected.keys())
    assert {each["how"] for row in again["beside"]["rows"] for each in row["with"]} >= {"some"}


def test_only_what_left_since_is_found_by_the_next_look(desk: DeskFiles) -> None:
    first = let_go(desk, 1, PERMITS[1])
    request = ask(desk, RESULT, permit=PERMITS[0], persons=of_others(9), run="own")["request"]
    looked(desk, request)
    second = let_go(desk, 2, PERMITS[2])
    looked(desk, second)  # by whoever writes it into the index
    after, read = looked(desk, request)
    assert read == [request, second]
    kept = archive(desk)._found(PERMITS[0].id, request)
    kept.unlink()
    anew, read = looked(desk, request)
    assert (anew, set(read)) == (after, {request, first, second})


def test_what_was_found_ahead_is_what_a_first_look_shows_and_it_reads_nobody(desk: DeskFiles) -> None:
    releases = [let_go(desk, seed, PERMITS[seed]) for seed in (1, 2)]
    request = ask(desk, RESULT, permit=PERMITS[0], persons=of_others(9), run="own")["request"]
    anew, read = looked(desk, request)
    assert set(read) == {request, *releases}
    archive(desk)._found(PERMITS[0].id, request).unlink()
    assert found_ahead(desk) == 3
    assert looked(desk, request) == (anew, [])
    releases.append(let_go(desk, 3, PERMITS[3]))
    found_ahead(desk)
    after, read = looked(desk, request)
    assert read == []
    assert [each["request"] for each in after["beside"]["releases"]] == releases[::-1]
    again = CountedArchive(desk)
    found_ahead(desk, again)
    assert again.read_of == [], "all of it is known"


def kept_of(desk: DeskFiles, *requests: str) -> list[bool]:
    """Whether something is kept of these requests of the first permit."""
    return [archive(desk)._found(PERMITS[0].id, name).exists() for name in requests]


def asked(desk: DeskFiles, seed: int) -> str:
    """A request under the first permit that waits."""
    return str(ask(desk, RESULT, permit=PERMITS[0], persons=of_others(seed), run=f"own{seed}")["request"])


def test_finding_ahead_ends_between_requests_and_between_releases_when_it_is_told_to(desk: DeskFiles) -> None:
    releases = [let_go(desk, seed, PERMITS[seed]) for seed in (1, 2)]
    first, second = asked(desk, 8), asked(desk, 9)
    assert found_ahead(desk, ends=lambda: kept_of(desk, first) == [True]) == 1
    assert kept_of(desk, first, second) == [True, False]
    counted = CountedArchive(desk)
    assert found_ahead(desk, counted, ends=lambda: releases[1] in counted.read_of) == 1, "the first is known"
    assert (counted.read_of, kept_of(desk, second)) == ([second, releases[1]], [False])
    assert found_ahead(desk) == 4


def test_finding_ahead_leaves_out_what_nobody_is_shown_and_goes_on(desk: DeskFiles) -> None:
    let_go(desk, 1, PERMITS[1])
    altered, broken, whole = (asked(desk, seed) for seed in (7, 8, 9))
    vote(desk, altered, CAROL)
    desk.write(altered, "results.csv", b"not what was voted on")
    archive(desk)._path(PERMITS[0].id, broken).unlink()

    def ended(permit: str) -> None:
        if permit == PERMITS[0].id:
            raise refusal(Code.PERMIT_EXPIRED, "It has ended.")

    assert find_beside(desk, archive(desk), check=ended) == 1
    assert kept_of(desk, altered, broken, whole) == [False, False, False]
    assert found_ahead(desk, archive(desk, frozenset({PERMITS[0].id}))) == 1, "a permit's key is gone: so is its own"
    assert found_ahead(desk) == 2
    assert kept_of(desk, altered, broken, whole) == [False, False, True]


def test_of_many_that_were_decided_the_last_are_found_ahead(desk: DeskFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclos.release.steps.looking._DECIDED", 1)
    for seed in (1, 2, 3):
        let_go(desk, seed, PERMITS[seed])
    waiting = ask(desk, RESULT, permit=PERMITS[0], persons=of_others(9), run="own")["request"]
    assert found_ahead(desk) == 2
    assert archive(desk)._found(PERMITS[0].id, waiting).exists()


def test_sets_that_are_written_anew_and_a_greater_minimum_are_found_anew(desk: DeskFiles) -> None:
    release = let_go(desk, 1, PERMITS[1])
    request = ask(desk, RESULT, permit=PERMITS[0], persons=of_others(9), run="own")["request"]
    before, _ = looked(desk, request)
    for permit, name in ((PERMITS[0].id, request), (PERMITS[1].id, release)):
        content = archive(desk).read(permit, name)
        assert content is not None
        archive(desk).keep(permit, name, content)
        again, read = looked(desk, request)
        assert again == before
        assert {request, release} <= set(read)
        assert looked(desk, request)[1] == []
    let_go(desk, 2, replace(PERMITS[2], min_count=20))
    wider, _ = looked(desk, request)
    assert wider["beside"]["min_count"] == 20
    told = [row["with"][-1] for row in wider["beside"]["rows"]]
    assert all(each["n_shared"] is None or each["n_shared"] % 20 == 0 for each in told)
    assert told != [row["with"][-1] for row in before["beside"]["rows"]]


def test_persons_get_other_numbers_and_what_is_shown_is_as_anew(desk: DeskFiles) -> None:
    """The same sets of other persons: what was kept of the request is not believed."""
    let_go(desk, 1, PERMITS[1])
    request = ask(desk, RESULT, permit=PERMITS[0], persons=of_others(9), run="own")["request"]
    before, _ = looked(desk, request)
    other = ask(desk, RESULT, permit=PERMITS[0], persons=lambda numbers: -1 - numbers, run="other")["request"]
    content = archive(desk).read(PERMITS[0].id, other)
    assert content is not None
    assert read_members(content).numbers.max() < 0
    archive(desk).keep(PERMITS[0].id, request, content)
    after, _ = looked(desk, request)
    assert {each["how"] for row in after["beside"]["rows"] for each in row["with"]} == {"few"}
    assert before != after
