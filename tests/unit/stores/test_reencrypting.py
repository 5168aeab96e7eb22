"""Encrypted Parquet under another key, checked by the engine that reads it."""

from __future__ import annotations

import base64
import os

import pytest

from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.engine import open_engine
from enclos.stores.reencrypting import opens_parquet, reencrypted_parquet
from enclos.stores.sealed import sealed_copy_sql, sealed_scan_sql

OLD, NEW = KeyName(KeyRole.CHECK, "old"), KeyName(KeyRole.CHECK, "new")
ROWS = {
    "no row": "SELECT 1 AS a WHERE false",
    "one row": "SELECT 1 AS a, 'x' AS b",
    "many pages and groups, with filters": (
        "SELECT i, i % 97 AS few, md5(i::VARCHAR) AS many, CASE WHEN i % 3 = 0 THEN i / 7 END AS gaps, "
        "[i, i + 1] AS several FROM range(300_000) AS t(i)"
    ),
}


@pytest.fixture
def engine():
    with open_engine() as engine:
        yield engine


@pytest.mark.parametrize("select", ROWS.values(), ids=ROWS.keys())
def test_the_same_rows_in_the_same_order_under_the_new_key_only(engine, tmp_path, select):
    old, new = os.urandom(32), os.urandom(32)
    engine.add_parquet_key(SecretKey(OLD, old))
    engine.add_parquet_key(SecretKey(NEW, new))
    engine.execute("SET preserve_insertion_order = true")
    engine.execute(sealed_copy_sql(select, tmp_path / "old.parquet", OLD))
    before = (tmp_path / "old.parquet").read_bytes()
    after = reencrypted_parquet(before, old, new)
    (tmp_path / "new.parquet").write_bytes(after)

    def read(name, key):
        return engine.query(f"FROM {sealed_scan_sql(tmp_path / name, key)}")

    assert read("new.parquet", NEW).equals(read("old.parquet", OLD))
    assert len(after) == len(before)
    assert (opens_parquet(after, new), opens_parquet(after, old)) == (True, False)
    with pytest.raises(NotAsPromised):
        read("new.parquet", OLD)
    # nothing of the old ciphertext is left but marks, lengths and the algorithm's name
    same = sum(a == b for a, b in zip(before, after, strict=True))
    assert same < len(before) * 0.02 + 600


def test_keys_of_16_bytes_as_the_lake_has_them(engine, tmp_path):
    old, new = os.urandom(16), os.urandom(16)
    engine.execute(f"ATTACH 'ducklake:{tmp_path}/c.db' AS l (DATA_PATH '{tmp_path}/l/', ENCRYPTED)")
    engine.execute("CREATE TABLE l.t AS SELECT * FROM range(1000)")
    (path,) = (tmp_path / "l").rglob("*.parquet")
    key = base64.b64decode(engine.scalar("SELECT encryption_key FROM __ducklake_metadata_l.ducklake_data_file"))
    once = reencrypted_parquet(path.read_bytes(), key, old)
    path.write_bytes(reencrypted_parquet(once, old, new))
    text = base64.b64encode(new).decode()
    engine.execute(f"UPDATE __ducklake_metadata_l.ducklake_data_file SET encryption_key = '{text}'")
    engine.execute("DETACH l")
    engine.execute(f"ATTACH 'ducklake:{tmp_path}/c.db' AS l (DATA_PATH '{tmp_path}/l/', ENCRYPTED)")
    assert engine.scalar("SELECT sum(range) FROM l.t") == 499_500


def read_or_refused(content, key):
    try:
        return reencrypted_parquet(content, key, key)
    except NotAsPromised:
        return None


def test_what_was_altered_anywhere_is_never_carried_along(engine, tmp_path):
    key = os.urandom(32)
    engine.add_parquet_key(SecretKey(OLD, key))
    engine.execute(sealed_copy_sql("SELECT i, i * 2 AS j FROM range(500) AS t(i)", tmp_path / "x.parquet", OLD))
    whole = (tmp_path / "x.parquet").read_bytes()
    for at in range(0, len(whole), 7):
        altered = bytearray(whole)
        altered[at] ^= 1
        result = read_or_refused(bytes(altered), key)
        if result is not None:  # the few plain bytes before the footer's module are bound to nothing
            assert len(whole) - 8 - int.from_bytes(whole[-8:-4], "little") <= at < len(whole) - 8
    for broken in (b"", b"PARE", whole[:-1], whole[4:], b"PAR1" + whole[4:], os.urandom(200), whole[:4] + whole[-8:]):
        with pytest.raises(NotAsPromised):
            reencrypted_parquet(broken, key, key)
