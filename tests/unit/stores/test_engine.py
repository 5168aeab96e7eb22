"""The one door to DuckDB: sealed data, and errors that quote nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback

import duckdb
import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import NotAllowed, NotAsPromised
from enclos.stores import engine as door
from enclos.stores.engine import EngineFault, open_engine
from enclos.stores.files import lock_exclusive, lock_shared, write_atomically
from enclos.stores.sealed import seal, sealed_copy_sql, sealed_scan_sql, unseal
from enclos.stores.vault import attach_vault

CANARY = "CANARY-7f3a-MUST-NOT-APPEAR"


@pytest.fixture
def key():
    return SecretKey(KeyName(KeyRole.VAULT), os.urandom(32))


@pytest.fixture
def engine(tmp_path):
    with open_engine(tmp_path / "spill") as engine:
        yield engine


def test_sealed_parquet_reads_back_with_the_key_and_holds_no_plain_value(engine, key, tmp_path):
    engine.add_parquet_key(key)
    select = f"SELECT i % 3 AS bucket, '{CANARY}' AS v FROM range(30) AS t(i)"
    engine.execute(sealed_copy_sql(select, tmp_path / "out", key.name, partition_by=["bucket"], file_name="x"))
    files = sorted((tmp_path / "out").glob("bucket=*/x_*.parquet"))
    assert len(files) >= 3
    assert engine.rows(f"SELECT count(*), min(v) FROM {sealed_scan_sql(files, key.name)}") == [(30, CANARY)]
    assert all(CANARY.encode() not in file.read_bytes() for file in files)


def test_sealed_parquet_without_the_key_is_refused(engine, key, tmp_path):
    engine.add_parquet_key(key)
    engine.execute(sealed_copy_sql("SELECT 1 AS one", tmp_path / "x.parquet", key.name))
    with open_engine() as other:
        other.add_parquet_key(SecretKey(key.name, os.urandom(32)))
        with pytest.raises(NotAsPromised) as refused:
            other.rows(f"SELECT * FROM {sealed_scan_sql(tmp_path / 'x.parquet', key.name)}")
    assert refused.value.code is Code.STORAGE_BROKEN


def test_the_vault_database_opens_with_its_key_only(key, tmp_path):
    path = tmp_path / "vault" / "vault.duckdb"
    with open_engine() as engine:
        attach_vault(engine, path, key)
        engine.execute(f"CREATE TABLE vault.t AS SELECT '{CANARY}' AS v")
    assert CANARY.encode() not in path.read_bytes()
    with open_engine() as engine, pytest.raises(NotAsPromised):
        attach_vault(engine, path, SecretKey(key.name, os.urandom(32)))
    with open_engine() as engine:
        attach_vault(engine, path, key, read_only=True)
        assert engine.scalar("SELECT v FROM vault.t") == CANARY


def test_an_engine_error_never_carries_the_value_that_caused_it(engine):
    with pytest.raises(EngineFault) as fault:
        engine.execute(f"SELECT CAST('{CANARY}' AS INTEGER)")
    text = "".join(traceback.format_exception(fault.value))
    # The test's own source line names the constant, never its value.
    assert CANARY not in text


def test_a_step_without_memory_is_refused_as_full(tmp_path):
    with open_engine(None, memory_limit_mb=64, threads=1) as engine, pytest.raises(NotAsPromised) as refused:
        engine.rows("SELECT DISTINCT i * 7 AS v FROM range(30000000) AS t(i) ORDER BY v DESC")
    assert refused.value.code is Code.STORAGE_FULL


def test_nothing_is_downloaded(engine):
    with pytest.raises((EngineFault, NotAsPromised)):
        engine.execute("INSTALL spatial FROM 'http://127.0.0.1:9/'")


def test_a_sealed_blob_is_bound_to_its_context(key):
    blob = seal(key, CANARY.encode(), "run/result.csv")
    assert CANARY.encode() not in blob
    assert unseal(key, blob, "run/result.csv") == CANARY.encode()
    for bad in (blob[:-1], blob[:-1] + bytes([blob[-1] ^ 1]), b"", b"ENCLOS1\x00"):
        with pytest.raises(NotAsPromised):
            unseal(key, bad, "run/result.csv")
    with pytest.raises(NotAsPromised):
        unseal(key, blob, "other/result.csv")


def test_writing_replaces_whole_files(tmp_path):
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [item.name for item in path.parent.iterdir()] == ["file"]


def test_a_full_disk_refuses_and_keeps_the_old_content(tmp_path):
    """A real limit of the operating system (RLIMIT_FSIZE), in a process of its own."""
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from enclos.lexicon.refusals import Refusal\nfrom enclos.stores.files import write_atomically\n"
        "path = Path(sys.argv[1])\nwrite_atomically(path, b'old')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_atomically(path, b'x' * 5000)\nexcept Refusal as refused:\n    print(refused.code.id)\n"
        "print(path.read_bytes(), sorted(p.name for p in path.parent.iterdir()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "f")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["ENC-04", "b'old' ['f']"]


def test_locks_keep_writers_apart_and_let_readers_in(tmp_path):
    lock = tmp_path / "lock"
    with lock_shared(lock), lock_shared(lock):
        with pytest.raises(NotAllowed) as refused, lock_exclusive(lock):
            pass
        assert refused.value.code is Code.ENCLOSURE_BUSY
    with lock_exclusive(lock), pytest.raises(NotAllowed), lock_shared(lock):
        pass
    with lock_exclusive(lock):
        pass


def test_a_long_transaction_frees_what_it_no_longer_reads() -> None:
    """A dropped view lives until its transaction ends; the rows behind it must not."""
    with open_engine() as engine:
        engine.execute("BEGIN TRANSACTION")
        sizes = []
        for _ in range(6):
            numbers = pa.array(range(2_000_000), pa.int64())
            engine.register("numbers", pa.table({"n": numbers}))
            assert engine.scalar("SELECT sum(n) FROM numbers") == 1_999_999_000_000
            engine.unregister("numbers")
            del numbers
            sizes.append(pa.total_allocated_bytes())
        assert sizes[-1] - sizes[0] < 16_000_000
        engine.execute("ROLLBACK")


def test_an_extension_that_was_changed_opens_no_engine(tmp_path, monkeypatch):
    """Though tests verify each file but once: another file is another extension."""
    installed, other = door._extension_path, tmp_path / "httpfs.duckdb_extension"
    content = bytearray(installed("httpfs").read_bytes())
    content[len(content) // 2] ^= 1
    other.write_bytes(content)
    open_engine().close()
    monkeypatch.setattr(door, "_extension_path", lambda name: other if name == "httpfs" else installed(name))
    for _ in range(2):
        with pytest.raises(EngineFault):
            open_engine()


def test_an_engine_loads_nothing_else_that_is_not_signed(engine, tmp_path):
    other = tmp_path / "other.duckdb_extension"
    other.write_bytes(door._extension_path("httpfs").read_bytes()[:-1] + b"x")
    with pytest.raises(duckdb.IOException, match="signature"):
        engine.connection.execute(f"LOAD '{other}'")
    with pytest.raises(duckdb.Error, match="while database is running"):
        engine.connection.execute("SET allow_unsigned_extensions = true")
