"""An engine that stays for the next question is as fresh as a new one, or it does not stay."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores import spare_engine
from enclos.stores.engine import Engine, EngineFault, open_engine
from enclos.stores.spare_engine import SpareEngine

KEY = SecretKey(KeyName(KeyRole.CATALOG), b"k" * 32)
MEMORY_MB, THREADS = 256, 1


class Lender:
    """Lends, and counts how often an engine was opened for it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spare, self.folder, self.n_opened, self.n_lent = SpareEngine(), folder, 0, 0

        def counted(*arguments: object) -> Engine:
            self.n_opened += 1
            return open_engine(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(spare_engine, "open_engine", counted)

    def ask(self, question: Callable[[Engine], object], memory_mb: int = MEMORY_MB) -> None:
        self.n_lent += 1
        with self.spare.lent(self.folder / f"{self.n_lent}", memory_mb, THREADS) as engine:
            question(engine)


@pytest.fixture
def lender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lender]:
    lender = Lender(tmp_path / "spill", monkeypatch)
    yield lender
    lender.spare.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "x.duckdb"
    with open_engine() as engine:
        engine.attach_database("x", path, KEY)
        engine.execute("CREATE TABLE x.t AS SELECT 7 AS n")
    return path


def is_fresh(engine: Engine) -> None:
    assert engine.rows("SELECT database_name FROM duckdb_databases() WHERE NOT internal") == [("memory",)]
    assert engine.rows("SELECT table_name FROM duckdb_tables()") == []
    assert engine.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal") == []
    assert engine.rows("SELECT name FROM duckdb_secrets()") == engine.rows("SELECT name FROM duckdb_variables()") == []
    assert engine.scalar("SELECT current_setting('TimeZone')") == "UTC"
    assert engine.scalar("SELECT current_setting('temp_file_encryption')") is True
    assert engine.scalar("SELECT current_setting('memory_limit')") == "256.0 MiB"
    assert engine.scalar("SELECT current_setting('autoinstall_known_extensions')") is False


def test_what_a_question_leaves_is_gone_for_the_next_one(lender: Lender, database: Path) -> None:
    def leaves(engine: Engine) -> None:
        is_fresh(engine)
        engine.attach_database("x", database, KEY, read_only=True)
        engine.execute("CREATE TEMP TABLE kept AS FROM x.t")
        engine.execute("SET VARIABLE kept = 7")
        engine.execute("SET TimeZone = 'Europe/Paris'")
        engine.execute("CREATE TEMPORARY SECRET kept (TYPE s3, KEY_ID 'a', SECRET 'b')")
        engine.register("lent", pa.table({"n": [7]}))
        with engine.beside() as other:
            other.execute("CREATE TEMP TABLE inner_one AS FROM x.t")
            with pytest.raises(EngineFault):
                other.rows("FROM kept")

    for _ in range(3):
        lender.ask(leaves)
    lender.ask(is_fresh)
    assert lender.n_opened == 1
    assert list(lender.folder.iterdir()) == []


def test_a_database_opens_with_its_key_only_whoever_had_it_open_before(lender: Lender, database: Path) -> None:
    def opens(engine: Engine) -> None:
        engine.attach_database("x", database, KEY, read_only=True)
        assert engine.rows("FROM x.t") == [(7,)]

    def opens_with_another(engine: Engine) -> None:
        other = SecretKey(KEY.name, b"o" * 32)
        with pytest.raises(NotAsPromised):
            engine.attach_database("x", database, other, read_only=True)

    for question in (opens, opens_with_another, opens):
        lender.ask(question)
    assert lender.n_opened == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE memory.main.left_here AS SELECT 1 AS n",
        "CREATE VIEW memory.main.left_here AS SELECT 1 AS n",
        "CREATE SCHEMA memory.left_here",
        "CREATE SEQUENCE memory.main.left_here",
        "SET GLOBAL memory_limit = '300MiB'",
        "SET GLOBAL temp_file_encryption = false",
        "SET GLOBAL enable_external_access = false",
    ],
)
def test_an_engine_that_is_not_as_it_was_opened_does_not_stay(lender: Lender, statement: str) -> None:
    lender.ask(lambda engine: engine.execute(statement))
    lender.ask(is_fresh)
    assert lender.n_opened == 2


def test_an_engine_that_has_a_parquet_key_does_not_stay(lender: Lender) -> None:
    def adds(engine: Engine) -> None:
        with engine.beside() as other:
            other.add_parquet_key(SecretKey(KeyName(KeyRole.CROSSING), b"c" * 32))

    lender.ask(adds)
    lender.ask(is_fresh)
    assert lender.n_opened == 2


def test_a_question_that_fails_takes_its_engine_along(lender: Lender) -> None:
    with pytest.raises(EngineFault):
        lender.ask(lambda engine: engine.rows("FROM nowhere"))
    assert list(lender.folder.iterdir()) == []
    lender.ask(is_fresh)
    assert lender.n_opened == 2


def test_spilled_rows_are_gone_and_the_next_question_spills_again(lender: Lender) -> None:
    def spills(engine: Engine) -> None:
        engine.execute("CREATE TEMP TABLE big AS SELECT hash(range) AS n FROM range(12000000)")
        files = [path for path in lender.folder.rglob("*") if path.is_file()]
        assert files and all(path.parent.name == "1" for path in files)

    for _ in range(2):
        lender.ask(spills, memory_mb=64)
        assert list(lender.folder.iterdir()) == []
    assert lender.n_opened == 1


def test_other_limits_have_another_engine(lender: Lender) -> None:
    lender.ask(is_fresh)

    def has_more(engine: Engine) -> None:
        assert engine.scalar("SELECT current_setting('memory_limit')") == "512.0 MiB"

    lender.ask(has_more, memory_mb=512)
    lender.ask(is_fresh)
    assert lender.n_opened == 2


def test_two_at_once_share_nothing_and_one_engine_stays(lender: Lender) -> None:
    def asks_another(engine: Engine) -> None:
        engine.execute("CREATE TABLE memory.main.mine AS SELECT 1 AS n")
        lender.ask(is_fresh)
        engine.execute("DROP TABLE memory.main.mine")

    lender.ask(asks_another)
    assert lender.n_opened == 2
    lender.ask(is_fresh)
    assert lender.n_opened == 2


def test_nothing_stays_once_it_is_closed(lender: Lender) -> None:
    lender.ask(lambda _: lender.spare.close())
    lender.ask(is_fresh)
    assert lender.n_opened == 2


def test_whoever_stops_an_engine_stops_the_connections_beside() -> None:
    with open_engine(threads=1) as engine, engine.beside() as inner, inner.beside() as innermost:
        done = threading.Event()

        def stop() -> None:
            while not done.wait(0.05):
                engine.interrupt()

        stopping = threading.Thread(target=stop)
        stopping.start()
        began = time.monotonic()
        try:
            with pytest.raises(EngineFault):
                innermost.rows("SELECT count(*) FROM range(10_000_000_000) AS a WHERE hash(range) = 1")
        finally:
            done.set()
            stopping.join()
        assert time.monotonic() - began < 30
