"""Moves to a new key: whole or not at all, twice as once, and never to the loss of a row."""

from __future__ import annotations

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.engine import open_engine
from enclos.stores.rekeying import rekey_database, rekey_parquet, rekey_sealed
from enclos.stores.sealed import seal, sealed_copy_sql, sealed_scan_sql, unseal

NAME = KeyName(KeyRole.VAULT)
OLD, NEW, THIRD = (SecretKey(NAME, bytes([byte]) * 32) for byte in (1, 2, 3))


@pytest.fixture
def engine():
    with open_engine() as engine:
        yield engine


def rows_under(path, key):
    with open_engine() as engine:
        engine.add_parquet_key(key)
        return engine.rows(f"FROM {sealed_scan_sql(path, NAME)}")


def test_tables_keep_their_rows_in_their_order_and_move_once(engine, tmp_path):
    engine.add_parquet_key(OLD)
    paths = [tmp_path / f"{n}.parquet" for n in range(3)]
    for n, path in enumerate(paths):
        engine.execute(sealed_copy_sql(f"SELECT (range * 7919) % 1000 AS a, {n} AS b FROM range(1000)", path, NAME))
    before = [rows_under(path, OLD) for path in paths]
    assert rekey_parquet(engine, paths[:1], OLD, NEW) == 1
    assert rekey_parquet(engine, paths, OLD, NEW) == 2
    assert rekey_parquet(engine, paths, OLD, NEW) == 0
    assert [rows_under(path, NEW) for path in paths] == before
    with pytest.raises(NotAsPromised):
        rows_under(paths[0], OLD)
    assert sorted(tmp_path.iterdir()) == paths


def test_a_table_under_another_key_stops_the_move_and_stays(engine, tmp_path):
    engine.add_parquet_key(THIRD)
    path = tmp_path / "t.parquet"
    engine.execute(sealed_copy_sql("SELECT 1 AS a", path, NAME))
    before = path.read_bytes()
    with pytest.raises(NotAsPromised) as refused:
        rekey_parquet(engine, [path], OLD, NEW)
    assert refused.value.code is Code.STORAGE_BROKEN and path.read_bytes() == before


def test_a_database_moves_once_with_all_its_tables(engine, tmp_path):
    path = tmp_path / "vault.duckdb"
    engine.attach_database("vault", path, OLD)
    engine.execute("CREATE TABLE vault.a AS SELECT range AS n, 'x' AS t FROM range(5000)")
    engine.execute("CREATE TABLE vault.b (n BIGINT NOT NULL)")
    engine.execute("DETACH vault")
    (tmp_path / ".vault.duckdb.rekeying").write_bytes(b"left by a kill")
    assert rekey_database(engine, path, OLD, NEW)
    assert not rekey_database(engine, path, OLD, NEW)
    with pytest.raises(NotAsPromised):
        engine.attach_database("vault", path, OLD, read_only=True)
    engine.attach_database("vault", path, NEW)
    assert engine.rows("SELECT count(*), sum(n) FROM vault.a") == [(5000, 4999 * 2500)]
    assert engine.scalar("SELECT count(*) FROM vault.b") == 0
    assert not rekey_database(engine, tmp_path / "none.duckdb", OLD, NEW)


def test_sealed_files_move_once_and_keep_their_context(tmp_path):
    paths = {tmp_path / name: f"context/{name}" for name in ("a", "b")}
    for path, context in paths.items():
        path.write_bytes(seal(OLD, context.encode(), context))
    assert [rekey_sealed(paths, OLD, NEW) for _ in range(2)] == [2, 0]
    for path, context in paths.items():
        assert unseal(NEW, path.read_bytes(), context) == context.encode()
        with pytest.raises(NotAsPromised):
            unseal(OLD, path.read_bytes(), context)
    with pytest.raises(NotAsPromised):
        rekey_sealed(paths, OLD, THIRD)
