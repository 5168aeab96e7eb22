"""The index of what left says what the requests say, and never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.release.model import PermitFacts
from enclos.release.steps.documents import STUDY
from enclos.release.steps.index import left_earlier
from enclos.stores.release_files import ArchiveFiles, DeskFiles
from unit.release.test_desk import PERMIT, accepted, archive, ask, code_of, export
from unit.release.test_history import OTHER, result, said

PERMITS = (PERMIT, OTHER)


class CountedArchive(ArchiveFiles):
    """Counts how often a request's sets are read in full."""

    n_read = 0

    def read(self, permit: str, request: str) -> bytes | None:
        self.n_read += 1
        return super().read(permit, request)


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


@pytest.fixture
def left(desk: DeskFiles) -> list[str]:
    """Four requests of two permits that left; after the last, nothing is asked."""
    return [let_go(desk, number, PERMITS[number % 2]) for number in range(4)]


def let_go(desk: DeskFiles, number: int, permit: PermitFacts = PERMIT) -> str:
    request = accepted(desk, result=result(300 + 20 * number), run=f"run{number}", permit=permit)
    export(desk, request)
    return request


def counted(desk: DeskFiles) -> CountedArchive:
    return CountedArchive(desk._root / "permits", archive(desk)._secret_of)


def told(desk: DeskFiles) -> list[object]:
    """All that is compared of what left, by request."""
    found = sorted(left_earlier(desk, archive(desk)), key=lambda each: each.request)
    return [
        (each.request, each.left, each.names, list(each.followed()), [each.persons(at).tolist() for at in range(3)])
        for each in found
    ]


def segments(desk: DeskFiles) -> list[Path]:
    return sorted((desk._root / "permits").glob("*/released/index/*.sealed"))


def test_it_says_what_the_requests_say_and_opens_none_of_them(desk: DeskFiles, left: list[str]) -> None:
    for path in segments(desk):
        path.unlink()
    without = told(desk)
    reading = counted(desk)
    assert {each.request for each in left_earlier(desk, reading)} == set(left)
    assert reading.n_read == 0
    assert told(desk) == without
    assert len(without) == len(left)


def test_what_is_not_in_it_is_read_from_the_request(desk: DeskFiles, left: list[str]) -> None:
    left_earlier(desk, archive(desk))
    newest = let_go(desk, 9)
    reading = counted(desk)
    assert {each.request for each in left_earlier(desk, reading)} == {*left, newest}
    assert reading.n_read == 1


def test_a_request_of_the_index_is_compared_to_the_person(desk: DeskFiles, left: list[str]) -> None:
    left_earlier(desk, archive(desk))
    verdict, reasons = said(desk, result=result(297), run="c")
    assert verdict == "refuse"
    assert left[0] in reasons


def test_many_segments_become_one(desk: DeskFiles) -> None:
    for number in range(10):
        let_go(desk, number)
        left_earlier(desk, archive(desk))
    assert 1 <= len(segments(desk)) <= 8
    assert len(told(desk)) == 10


def test_one_that_is_broken_or_another_permit_s_is_written_anew(desk: DeskFiles, left: list[str]) -> None:
    without = told(desk)
    one, other = (next(path for path in segments(desk) if permit.id in path.parts) for permit in PERMITS)
    one.write_bytes(other.read_bytes())
    other.write_bytes(b"nothing")
    assert told(desk) == without
    reading = counted(desk)
    assert len(left_earlier(desk, reading)) == len(left)
    assert reading.n_read == 0


def test_who_is_stopped_between_the_new_segment_and_the_old_ones_changes_nothing(
    desk: DeskFiles, left: list[str]
) -> None:
    without = told(desk)
    before = {path: path.read_bytes() for path in segments(desk)}
    (desk._root / "permits" / PERMIT.id / "released" / "index" / "0.sealed").write_bytes(b"")
    told(desk)
    for path, content in before.items():
        path.write_bytes(content)  # the old ones beside the new one, as if nobody had removed them
    assert told(desk) == without
    assert len(without) == len(left)


def test_sets_that_are_written_anew_are_read_anew_and_must_be_those_that_were_judged(
    desk: DeskFiles, left: list[str]
) -> None:
    without = told(desk)
    kept = archive(desk).read(PERMIT.id, left[0])
    assert kept is not None
    archive(desk).keep(PERMIT.id, left[0], kept)
    reading = counted(desk)
    left_earlier(desk, reading)
    assert reading.n_read == 1
    assert told(desk) == without
    others = archive(desk).read(PERMIT.id, ask(desk, result=result(200), run="z")["request"])
    assert others is not None
    archive(desk).keep(PERMIT.id, left[0], others)
    assert code_of(lambda: told(desk)) is Code.RELEASE_ALTERED


def test_a_document_that_was_exchanged_after_the_vote_stops_everything(desk: DeskFiles, left: list[str]) -> None:
    told(desk)
    desk.write(left[1], STUDY, b"study: another\nanalyses: []\n")
    assert code_of(lambda: ask(desk, result=result(900), run="z")) is Code.RELEASE_ALTERED


def test_sets_that_are_gone_are_missed_although_the_index_has_them(desk: DeskFiles, left: list[str]) -> None:
    told(desk)
    (desk._root / "permits" / PERMIT.id / "released" / f"{left[0]}.sealed").unlink()
    assert code_of(lambda: ask(desk, result=result(900), run="z")) is Code.STORAGE_BROKEN


def test_it_ends_with_the_permit_s_key(desk: DeskFiles, left: list[str]) -> None:
    told(desk)
    gone = archive(desk, frozenset({PERMIT.id}))
    assert {each.left.permit for each in left_earlier(desk, gone)} == {OTHER.id}
    assert gone.segments(PERMIT.id) == {}
    other_key = ArchiveFiles(
        desk._root / "permits", lambda permit: SecretKey(KeyName(KeyRole.PERMIT, permit), b"q" * 32)
    )
    assert set(other_key.segments(PERMIT.id).values()) == {b""}
    with pytest.raises(Refusal):
        left_earlier(desk, other_key)  # its sets are under a key that is not there, and the index helps nobody
    assert len(left) == 4
