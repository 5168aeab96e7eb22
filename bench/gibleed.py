"""GiBleed in memory, as it is and many times over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
GIBLEED = SHARED / "omop" / "gibleed"


@dataclass(frozen=True)
class InMemory:
    """A CDM of tables in memory, one bucket; answers to the port of studies."""

    connection: duckdb.DuckDBPyConnection
    name: str = "GiBleed"
    buckets: tuple[int, ...] = (0,)
    edition: tuple[int, str] = (0, "as it is")

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[InMemory]:  # noqa: ARG002 - there is only one
        yield self

    def query(self, sql: str) -> pa.Table:
        return self.connection.execute(sql).to_arrow_table()

    def execute(self, sql: str) -> None:
        self.connection.execute(sql)

    def load(self, name: str, rows: pa.Table) -> None:
        self.connection.register("loaded", rows)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM loaded")
        self.connection.unregister("loaded")


def make_gibleed_times(n: int, folder: Path = GIBLEED, tables: Sequence[str] = ()) -> InMemory:
    """GiBleed with every person n times, each copy under a number of its own; its events keep their numbers and dates.

    Counts are n times GiBleed's and rates are the same: n = 50 gives 134 700 persons and 3.27 million conditions.
    In: tables — those that are wanted; all when none is named
    """
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for file in sorted(folder.glob("*.parquet")):
        if tables and file.stem not in tables:
            continue
        source = f"SELECT * FROM read_parquet('{file}')"
        columns = {row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()}
        if "person_id" in columns:
            number = "CAST(person_id + 1000000 * copy AS BIGINT) AS person_id"
            source = f"SELECT * EXCLUDE (copy) REPLACE ({number}) FROM ({source}), range({n}) AS copies(copy)"
        connection.execute(f"CREATE TABLE {file.stem} AS {source}")
    return InMemory(connection)
