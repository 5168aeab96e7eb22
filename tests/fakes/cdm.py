"""A small CDM in plain DuckDB for the tests of studies: tables cut into buckets by person number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

PERSON_TABLES = (
    "person",
    "observation_period",
    "death",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "device_exposure",
    "measurement",
    "observation",
    "visit_occurrence",
)
VOCABULARY_TABLES = (
    "concept",
    "concept_ancestor",
    "concept_relationship",
    "drug_duration",
    "drug_strength",
    "location",
)


class BucketOfTables:
    """One bucket; answers to the port of studies."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def query(self, sql: str) -> pa.Table:
        return self.connection.execute(sql).to_arrow_table()

    def execute(self, sql: str) -> None:
        self.connection.execute(sql)

    def load(self, name: str, rows: pa.Table) -> None:
        self.connection.register("loaded", rows)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM loaded")
        self.connection.unregister("loaded")


class CdmOfTables:
    """A CDM of tables in memory, seen bucket by bucket through views of the tables' own names."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, n_buckets: int, name: str = "test") -> None:
        self.name = name
        self.buckets: Sequence[int] = range(n_buckets)
        self._connection = connection
        self._n_buckets = n_buckets

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[BucketOfTables]:
        self._connection.execute("USE memory.main")
        for table in PERSON_TABLES:
            where = f"WHERE person_id % {self._n_buckets} = {bucket}" if self._n_buckets > 1 else ""
            self._connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM source.{table} {where}")
        for table in VOCABULARY_TABLES:
            self._connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM source.{table}")
        yield BucketOfTables(self._connection)


def _connection(n_threads: int = 1) -> duckdb.DuckDBPyConnection:
    """Over few rows, two threads wait for each other longer than they work."""
    connection = duckdb.connect(config={"threads": n_threads})
    connection.execute("CREATE SCHEMA source")
    return connection


def cdm_of_parquet(folder: Path, n_buckets: int = 1, name: str = "test", n_copies: int = 1) -> CdmOfTables:
    """The CDM of a folder with one Parquet file per table, each person taken several times under new numbers."""
    connection = _connection(n_threads=2)
    for table in PERSON_TABLES:
        source = f"SELECT * FROM read_parquet('{folder / table}.parquet')"
        if n_copies > 1:
            offset = "CAST(person_id + 1000000 * copy AS BIGINT) AS person_id"
            source = f"SELECT * EXCLUDE (copy) REPLACE ({offset}) FROM ({source}), range({n_copies}) AS copies(copy)"
        connection.execute(f"CREATE TABLE source.{table} AS {source}")
    for table in VOCABULARY_TABLES:
        if (path := folder / f"{table}.parquet").exists():
            connection.execute(f"CREATE TABLE source.{table} AS SELECT * FROM read_parquet('{path}')")
        else:
            connection.register("given", EMPTY[table].empty_table())
            connection.execute(f"CREATE TABLE source.{table} AS SELECT * FROM given")
            connection.unregister("given")
    return CdmOfTables(connection, n_buckets, name)


def cdm_of_rows(tables: Mapping[str, pa.Table], n_buckets: int = 1, name: str = "test") -> CdmOfTables:
    """The CDM of tables in memory; tables that are not given are empty."""
    connection = _connection()
    for table in (*PERSON_TABLES, *VOCABULARY_TABLES):
        rows = _whole(tables.get(table, EMPTY[table].empty_table()), EMPTY[table])
        connection.register("given", rows)
        connection.execute(f"CREATE TABLE source.{table} AS SELECT * FROM given")
        connection.unregister("given")
    return CdmOfTables(connection, n_buckets, name)


def _whole(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with all columns; those that they do not have are empty."""
    for field in schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(schema.names).cast(schema)


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


_ID, _DATE = pa.int64(), pa.date32()
EMPTY: dict[str, pa.Schema] = {
    "person": _schema(
        person_id=_ID, gender_concept_id=_ID, year_of_birth=_ID, month_of_birth=_ID, day_of_birth=_ID, location_id=_ID
    ),
    "observation_period": _schema(
        person_id=_ID, observation_period_start_date=_DATE, observation_period_end_date=_DATE
    ),
    "death": _schema(person_id=_ID, death_date=_DATE, cause_concept_id=_ID),
    "condition_occurrence": _schema(
        person_id=_ID, condition_concept_id=_ID, condition_start_date=_DATE, condition_end_date=_DATE
    ),
    "drug_exposure": _schema(
        person_id=_ID,
        drug_concept_id=_ID,
        drug_exposure_start_date=_DATE,
        drug_exposure_end_date=_DATE,
        drug_type_concept_id=_ID,
        drug_source_concept_id=_ID,
        quantity=pa.float64(),
        route_concept_id=_ID,
    ),
    "procedure_occurrence": _schema(person_id=_ID, procedure_concept_id=_ID, procedure_date=_DATE),
    "device_exposure": _schema(person_id=_ID, device_concept_id=_ID, device_exposure_start_date=_DATE),
    "measurement": _schema(person_id=_ID, measurement_concept_id=_ID, measurement_date=_DATE),
    "observation": _schema(person_id=_ID, observation_concept_id=_ID, observation_date=_DATE),
    "visit_occurrence": _schema(person_id=_ID, visit_concept_id=_ID, visit_start_date=_DATE, visit_end_date=_DATE),
    "location": _schema(location_id=_ID, county=pa.string()),
    "concept": _schema(concept_id=_ID, concept_name=pa.string()),
    "concept_ancestor": _schema(ancestor_concept_id=_ID, descendant_concept_id=_ID, min_levels_of_separation=_ID),
    "concept_relationship": _schema(
        concept_id_1=_ID, concept_id_2=_ID, relationship_id=pa.string(), invalid_reason=pa.string()
    ),
    "drug_strength": _schema(
        drug_concept_id=_ID,
        ingredient_concept_id=_ID,
        amount_value=pa.float64(),
        amount_unit_concept_id=_ID,
        numerator_value=pa.float64(),
        numerator_unit_concept_id=_ID,
        denominator_value=pa.float64(),
        denominator_unit_concept_id=_ID,
    ),
    "drug_duration": _schema(
        drug_source_concept_id=_ID, rule=pa.string(), rule_id=pa.string(), units=_ID, days_per_box=pa.float64()
    ),
}
