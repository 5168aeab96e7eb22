"""Carrying: what a place that lies is told, what bandwidth is, what a journal says after a kill."""

from __future__ import annotations

import os
import time

import pytest

from enclos.app.carrying import Carried, Journal, Throttle, carry_lake, copy_folder
from enclos.app.move_target import read_target
from enclos.app.progress import silent
from enclos.hosting.model import Manifest, Seal
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.stores.backup_place import put_and_read_back
from enclos.stores.objects import LocalObjects

KEY = SecretKey(KeyName(KeyRole.CATALOG), os.urandom(32))


class Forgetful(LocalObjects):
    """A host that cuts what it is given."""

    def put(self, name: str, content: bytes) -> None:
        super().put(name, content[:-1])


def test_a_place_that_does_not_give_back_what_it_was_given_is_refused(tmp_path):
    put_and_read_back(LocalObjects(tmp_path), "a", b"content")
    with pytest.raises(Refusal) as caught:
        put_and_read_back(Forgetful(tmp_path), "a", b"content")
    assert caught.value.code is Code.STORAGE_BROKEN


def test_a_throttle_spreads_bytes_over_time():
    throttle, began = Throttle(1_000_000), time.monotonic()
    for _ in range(4):
        throttle.take(20_000)
    assert time.monotonic() - began >= 0.06
    free = Throttle(None)
    before = time.monotonic()
    free.take(10**12)
    assert time.monotonic() - before < 1


def test_a_journal_knows_after_a_kill_what_arrived_and_shows_no_key(tmp_path):
    path, key = tmp_path / "journal", os.urandom(16)
    journal = Journal(path, KEY)
    journal.note_object("main/x", Carried(Seal(3, "ab"), key))
    journal.note_file("permits/p", ("1", "1700000000000000001", "3"))
    journal.snapshot_compared, journal.comparing, journal.studies = 7, 8, ["run"]
    journal.keep()
    again = Journal(path, KEY)
    assert again.lake == {"main/x": Carried(Seal(3, "ab"), key)}
    assert again.files == {"permits/p": ("1", "1700000000000000001", "3")}
    assert (again.snapshot_compared, again.comparing, again.studies) == (7, 8, ["run"])
    assert key not in path.read_bytes() and key.hex().encode() not in path.read_bytes()
    assert key.hex() not in repr(again.lake)


def test_what_has_arrived_or_is_gone_is_not_carried(tmp_path):
    journal = Journal(tmp_path / "journal", KEY)
    journal.note_object("here", Carried(Seal(1, "x"), b"k"))
    objects = LocalObjects(tmp_path / "from")
    keys = {"here": b"k" * 16, "gone": b"k" * 16}
    assert carry_lake(objects, LocalObjects(tmp_path / "to"), keys, Manifest(), journal, Throttle(None), silent) == 0
    assert set(journal.lake) == {"here"}


def test_a_copied_folder_holds_the_wanted_files_and_no_others(tmp_path):
    for name in ("tile/a", "private/lock", "private/salts/s"):
        LocalObjects(tmp_path / "from").put(name, name.encode())
    LocalObjects(tmp_path / "to").put("tile/old", b"old")
    os.utime(tmp_path / "from" / "private" / "salts" / "s", (1_600_000_000, 1_600_000_000))
    assert copy_folder(tmp_path / "from", tmp_path / "to", lambda name: name != "private/lock") == 2
    assert list(LocalObjects(tmp_path / "to").names()) == ["private/salts/s", "tile/a"]
    salt = (tmp_path / "to" / "private" / "salts" / "s").stat()
    assert (salt.st_mtime, salt.st_mode & 0o777) == (1_600_000_000, 0o600)


def test_a_target_is_read_whole_or_refused(tmp_path):
    path = tmp_path / "target.toml"
    path.write_text('[enclosure]\npath = "new"\nkeys = "file"\nbandwidth_mb_per_second = 2.5\n')
    target = read_target(path, tmp_path / "old")
    assert (target.folder, target.storage, target.catalog) == (tmp_path / "new", "", "")
    assert target.bytes_per_second == 2_500_000
    path.write_text('[enclosure]\nstorage = "s3://bucket/lake"\n')
    assert read_target(path, tmp_path / "old").folder == tmp_path / "old-moved"
    for broken in ("", "[enclosure]", '[enclosure]\npath = "x"\n[more]', "[enclosure", '[enclosure]\npath = ""'):
        path.write_text(broken)
        with pytest.raises(Refusal) as caught:
            read_target(path, tmp_path / "old")
        assert caught.value.code is Code.SETTINGS_BROKEN
