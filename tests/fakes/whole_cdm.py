"""A whole CDM in plain DuckDB for the tests of cohorts: every table, cut into buckets by person number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from enclos.contracts.omop import omop_tables
from factories.cdm import arrow_of
from fakes.cdm import BucketOfTables


class EditedBucket(BucketOfTables):
    """A bucket that says which rows it has; they never change."""

    edition = (0, "")


class WholeCdm:
    """Tables in memory, seen bucket by bucket through views of the tables' own names."""

    def __init__(self, n_buckets: int = 1, name: str = "test") -> None:
        self.name = name
        self.buckets: Sequence[int] = range(n_buckets)
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("CREATE SCHEMA source")

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[BucketOfTables]:
        tables = self.connection.execute(
            "SELECT table_name, bool_or(column_name = 'person_id') FROM duckdb_columns() "
            "WHERE schema_name = 'source' GROUP BY ALL"
        ).fetchall()
        for table, has_person in tables:
            where = f"WHERE person_id % {len(self.buckets)} = {bucket}" if has_person and len(self.buckets) > 1 else ""
            self.connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM source.{table} {where}")
        opened = EditedBucket(self.connection)
        opened.edition = (bucket, "the only one")
        yield opened


def whole_cdm_of_parquet(folder: Path, n_buckets: int = 1, n_copies: int = 1) -> WholeCdm:
    """The CDM of a folder with one Parquet file per table, each person taken several times under new numbers."""
    cdm = WholeCdm(n_buckets)
    for file in sorted(folder.glob("*.parquet")):
        source = f"SELECT * FROM read_parquet('{file}')"
        columns = {row[0] for row in cdm.connection.execute(f"DESCRIBE {source}").fetchall()}
        if n_copies > 1 and "person_id" in columns:
            person = "CAST(person_id + 1000000 * copy AS BIGINT) AS person_id"
            source = f"SELECT * EXCLUDE (copy) REPLACE ({person}) FROM ({source}), range({n_copies}) AS copies(copy)"
        cdm.connection.execute(f"CREATE TABLE source.{file.stem} AS {source}")
    return cdm


def whole_cdm_of_rows(rows: Mapping[str, Sequence[Mapping[str, Any]]], n_buckets: int = 1) -> WholeCdm:
    """The CDM of some rows; columns that are not given are empty, and so are tables."""
    cdm = WholeCdm(n_buckets)
    for table in omop_tables():
        cdm.connection.register("incoming", arrow_of(table, rows.get(table, ())))
        cdm.connection.execute(f'CREATE TABLE source."{table}" AS FROM incoming')
        cdm.connection.unregister("incoming")
    return cdm
