"""What is kept of a look at a request is of no person, sealed, and ends with each permit's key."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.release.steps import find_beside, show_beside
from enclos.release.steps.kept import read_members
from enclos.release.steps.sharing import FEW, NEARLY_ALL
from enclos.stores.release_files import ArchiveFiles, DeskFiles
from unit.release.test_desk import archive, ask
from unit.release.test_sharing import PERMITS, RESULT, found_ahead, let_go, looked, of_others

OWN, THEIRS = PERMITS[0].id, PERMITS[1].id


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


@pytest.fixture
def request_id(desk: DeskFiles) -> str:
    """A request beside one release that shares persons with it, looked at once."""
    let_go(desk, 1, PERMITS[1])
    name = str(ask(desk, RESULT, permit=PERMITS[0], persons=of_others(9), run="own")["request"])
    looked(desk, name)
    return name


def test_no_person_nor_place_is_in_it_nor_a_number_that_pages_do_not_tell(desk: DeskFiles, request_id: str) -> None:
    content = archive(desk).beside(OWN, request_id)
    table = pa.ipc.open_stream(content).read_all()
    assert table.schema.names[:3] == ["digest", "name", "n_persons"]
    assert [field.type for field in table.schema][3:] == [pa.int64()]
    told = set(table[3].to_pylist())
    assert all(n in {FEW, NEARLY_ALL} or (n >= 11 and n % 11 == 0) for n in told)
    assert any(n > 0 for n in told)
    sets = archive(desk).read(OWN, request_id)
    assert sets is not None
    members = read_members(sets)
    plain = b"".join(table.column(at).combine_chunks().buffers()[-1].to_pybytes() for at in range(4))
    assert not any(each in plain for each in members.places if len(each) > 16)
    assert not set(table["n_persons"].to_pylist() + table[3].to_pylist()) & set(members.numbers.tolist())


def test_it_lies_sealed_and_another_key_opens_nothing(desk: DeskFiles, request_id: str) -> None:
    path = archive(desk)._found(OWN, request_id)
    assert path.is_file()
    assert archive(desk).beside(OWN, request_id) not in path.read_bytes()
    assert request_id.encode() not in path.read_bytes()
    other = ArchiveFiles(desk._root / "permits", lambda permit: SecretKey(KeyName(KeyRole.PERMIT, permit), b"q" * 32))
    assert other.beside(OWN, request_id) == b""
    for gone in (archive(desk, frozenset({OWN})), archive(desk, frozenset({OWN, THEIRS}))):
        assert gone.beside(OWN, request_id) == b""
        gone.keep_beside(OWN, "f" * 16, b"told")
        assert not gone._found(OWN, "f" * 16).exists()


def test_a_release_whose_key_is_destroyed_is_in_no_picture_and_no_file_any_more(
    desk: DeskFiles, request_id: str
) -> None:
    without = archive(desk, frozenset({THEIRS}))
    shown = show_beside(request_id, user="carol@example.org", cells=RESULT.cells, desk=desk, archive=without)
    assert shown["beside"]["releases"] == []
    assert pa.ipc.open_stream(archive(desk).beside(OWN, request_id)).read_all().num_columns == 3
    nobody = archive(desk, frozenset({OWN}))
    shown = show_beside(request_id, user="carol@example.org", cells=RESULT.cells, desk=desk, archive=nobody)
    assert shown["beside"] is None


def test_what_is_found_ahead_is_told_by_the_same_rule_and_nobody_finds_it_without_the_permit_s_key(
    desk: DeskFiles, request_id: str
) -> None:
    by_a_look = pa.ipc.open_stream(archive(desk).beside(OWN, request_id)).read_all()
    archive(desk)._found(OWN, request_id).unlink()
    found_ahead(desk, archive(desk, frozenset({OWN})))
    assert not archive(desk)._found(OWN, request_id).exists()
    found_ahead(desk)
    ahead = archive(desk).beside(OWN, request_id)
    assert pa.ipc.open_stream(ahead).read_all().equals(by_a_look, check_metadata=True)
    assert ahead not in archive(desk)._found(OWN, request_id).read_bytes()
    found_ahead(desk, archive(desk, frozenset({THEIRS})))
    assert pa.ipc.open_stream(archive(desk).beside(OWN, request_id)).read_all().num_columns == 3


def test_nobody_s_persons_are_read_ahead_under_a_permit_that_has_ended(desk: DeskFiles, request_id: str) -> None:
    class Watched(ArchiveFiles):
        def read(self, permit: str, request: str) -> bytes | None:
            read_of.append(permit)
            return super().read(permit, request)

    def check(permit: str) -> None:
        if permit in ended:
            raise refusal(Code.PERMIT_REVOKED, "It was revoked.")

    read_of: list[str] = []
    watched = Watched(desk._root / "permits", archive(desk)._secret_of)
    archive(desk)._found(OWN, request_id).unlink()
    ended = {OWN, THEIRS}
    assert find_beside(desk, watched, check=check) == 0
    assert read_of == []
    ended = {THEIRS}  # what left under it is compared all the same: that is what protects its persons
    assert find_beside(desk, watched, check=check) == 1
    assert read_of == [OWN, THEIRS]


def test_what_was_altered_or_is_of_another_request_is_not_believed(desk: DeskFiles, request_id: str) -> None:
    before, _ = looked(desk, request_id)
    other = str(ask(desk, RESULT, permit=PERMITS[0], persons=of_others(5), run="other")["request"])
    looked(desk, other)
    path, others = (archive(desk)._found(OWN, name) for name in (request_id, other))
    altered = bytearray(path.read_bytes())
    altered[-1] ^= 1
    for content in (bytes(altered), others.read_bytes(), b"", b"nothing"):
        path.write_bytes(content)
        again, read = looked(desk, request_id)
        assert again == before
        assert request_id in read
