import errno
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enclos.ledger.model import Action, Outcome
from enclos.ledger.ports import LedgerStore
from enclos.ledger.steps import verify_ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores import ledger_files
from enclos.stores.ledger_files import LedgerFiles
from enclos.stores.witness_files import WitnessFiles
from factories.ledger import ALICE, ORIGIN, PUBLIC_KEY, MachineClock, begun, filled, opened

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_a_ledger_in_files(tmp_path: Path) -> None:
    store: LedgerStore = LedgerFiles(tmp_path / "new" / "ledger")
    with begun(store) as ledger:
        filled(ledger, 300)
    assert verify_ledger(LedgerFiles(tmp_path / "new" / "ledger"), PUBLIC_KEY, ORIGIN).size == 300
    left = {path.name for path in (tmp_path / "new" / "ledger" / "tile" / "entries").iterdir()}
    assert left == {"000", "001.p"}
    assert opened(store).size() == 300


def test_files_by_name(tmp_path: Path) -> None:
    store = LedgerFiles(tmp_path)
    assert store.read("a/b") is None
    assert store.size("a/b") is None
    assert list(store.names("a")) == []
    with store.lock():
        store.write("a/b", b"12", durable=True)
        store.write("a/b", b"123", durable=False)
        store.write("a.p/1", b"", durable=False)
    store.append("a/b", b"45")
    assert (store.read("a/b"), store.read_from("a/b", 3), store.size("a/b")) == (b"12345", b"45", 5)
    store.cut("a/b", 1)
    assert store.read("a/b/c") is None
    store.delete(["a.p/1", "a.p/2", "none"])
    assert (store.read("a/b"), sorted(store.names("a")), (tmp_path / "a.p").exists()) == (b"1", ["a/b"], False)


def test_a_salt_is_made_once_and_known_only_whole(tmp_path: Path) -> None:
    store = LedgerFiles(tmp_path)
    with store.lock():
        salt = store.salt("x", NOON)
        assert (len(salt), store.salt("x", NOON), store.salt("y", NOON) != salt) == (32, salt, True)
    store.write("private/salts/x", b"short", durable=True)
    with pytest.raises(NotAsPromised) as refused:
        store.salt("x", NOON)
    assert refused.value.code is Code.LEDGER_DAMAGED


def test_a_salt_that_was_not_used_for_long_is_destroyed_and_one_in_use_is_not(tmp_path: Path) -> None:
    store = LedgerFiles(tmp_path)
    with store.lock():
        old, used = store.salt("old", NOON), store.salt("used", NOON)
        store.salt("used", NOON + timedelta(days=200))
        assert store.destroy_salts_unused_since(NOON + timedelta(days=100)) == 1
        assert (store.known_salt("old"), store.known_salt("used")) == (None, used)
        assert store.salt("old", NOON) != old
        assert (store.destroy_salts(["used"]), store.destroy_salts(["used"])) == (1, 0)


def test_a_session_lives_as_long_as_its_store(tmp_path: Path) -> None:
    mine, other = LedgerFiles(tmp_path), LedgerFiles(tmp_path)
    session = mine.start_session(12)
    (found,) = other.sessions()
    assert (found.id, found.size, found.is_alive) == (session, 12, True)
    handle = mine._marks[session][1]
    os.close(handle)  # as when the process dies
    assert [item.is_alive for item in other.sessions()] == [False]
    other.end_session(session)
    assert list(other.sessions()) == []


def test_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    ledger = begun(LedgerFiles(tmp_path), clock=MachineClock())

    def work(n: int) -> None:
        for _ in range(10):
            with ledger.intent(Action.STUDY, ALICE, facts={"thread": n}):
                pass

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = verify_ledger(LedgerFiles(tmp_path), PUBLIC_KEY, ORIGIN)
    assert (report.size, report.n_open) == (80, 0)


def test_waiting_for_the_lock_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_files, "LOCK_WAIT_SECONDS", 0.01)
    ledger = begun(LedgerFiles(tmp_path))
    with LedgerFiles(tmp_path).lock(), pytest.raises(NotAsPromised) as refused:
        ledger.record(Action.LOGIN, ALICE)
    assert refused.value.code is Code.LEDGER_UNWRITABLE
    assert "another process" in str(refused.value)


@pytest.mark.parametrize("n_entries", [0, 3])
def test_a_storage_that_went_away_stops_the_work(tmp_path: Path, n_entries: int) -> None:
    folder = tmp_path / "ledger"
    ledger = filled(begun(LedgerFiles(folder)), n_entries) if n_entries else begun(LedgerFiles(folder))
    folder.rename(tmp_path / "elsewhere")
    folder.write_bytes(b"")
    ran = []
    with pytest.raises(NotAsPromised) as refused, ledger.intent(Action.STUDY, ALICE):
        ran.append(1)
    assert (refused.value.code, ran) == (Code.LEDGER_UNWRITABLE, [])
    assert "cannot be reached" in str(refused.value)
    folder.unlink()
    with pytest.raises(NotAsPromised) as refused:
        ledger.record(Action.LOGIN, ALICE)
    assert refused.value.code is Code.LEDGER_MISSING
    (folder / "private").rename(tmp_path / "half")
    folder.rmdir()
    (tmp_path / "elsewhere").rename(folder)
    ledger.intent(Action.STUDY, ALICE).outcome(Outcome.DONE)
    assert verify_ledger(LedgerFiles(folder), PUBLIC_KEY, ORIGIN).size == n_entries + 2


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    begun(LedgerFiles(tmp_path))
    (tmp_path / "checkpoint").unlink()
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(NotAsPromised) as refused:
        opened(LedgerFiles(tmp_path))
    assert refused.value.code is Code.LEDGER_UNWRITABLE


def test_a_message_names_no_path(tmp_path: Path) -> None:
    with pytest.raises(NotAsPromised) as refused:
        LedgerFiles(tmp_path / "secret-place").append("x", b"")
    assert "secret-place" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert "secret-place" not in repr(LedgerFiles(tmp_path / "secret-place"))


def test_an_append_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sync fails after the bytes were written, as on a broken disk."""
    store = LedgerFiles(tmp_path)
    with store.lock():
        store.write("a", b"before", durable=True)

    def failing(handle: int) -> None:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", failing)
        with pytest.raises(NotAsPromised) as refused:
            store.append("a", b"after")
    assert refused.value.code is Code.LEDGER_UNWRITABLE
    assert store.read("a") == b"before"


def test_a_witness_remembers_in_its_own_folder(tmp_path: Path) -> None:
    memory = WitnessFiles(tmp_path / "witness")
    assert memory.recall() is None
    memory.remember(b"one")
    memory.remember(b"two")
    memory.keep_conflict(b"three")
    memory.keep_conflict(b"three")
    assert WitnessFiles(tmp_path / "witness").recall() == b"two"
    assert len(list((tmp_path / "witness").glob("conflict-*"))) == 1
