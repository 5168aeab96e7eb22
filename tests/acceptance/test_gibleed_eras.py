"""Eras made anew of GiBleed's records are the eras that GiBleed was delivered with, but for two known causes.

Where the reference data is absent, the records of persons made here are judged by the slow oracle instead.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from enclos.warehouse.plans import eras
from oracle import eras as oracle
from shared_data import shared

GIBLEED = shared("omop", "gibleed")
KEYS = "person_id, concept_id, start_on"


@pytest.fixture(scope="module")
def made() -> duckdb.DuckDBPyConnection:
    """``drug`` and ``condition``: the eras made anew; with GiBleed at hand also the delivered ones."""
    connection = duckdb.connect()
    if GIBLEED is None:
        return connection
    for table in ("concept", "concept_ancestor", "drug_exposure", "condition_occurrence", "drug_era", "condition_era"):
        connection.execute(f"CREATE VIEW {table} AS FROM '{GIBLEED / table}.parquet'")
    # GiBleed came without strengths
    strength = "(SELECT 0 AS drug_concept_id, 0 AS ingredient_concept_id, '' AS invalid_reason WHERE false)"
    connection.execute(
        f"CREATE TABLE stage_ingredients AS {eras.ingredients_sql('concept', 'concept_ancestor', strength)}"
    )
    for name, table in (("drug", "drug_era"), ("condition", "condition_era")):
        records = eras.records_sql(table, eras.ERA_TABLES[table])
        connection.execute(f"CREATE TABLE {name} AS {eras.eras_sql(records)}")
        connection.execute(
            f"CREATE TABLE delivered_{name} AS SELECT person_id, {name}_concept_id AS concept_id, "
            f"{name}_era_start_date AS start_on, {name}_era_end_date AS end_on, "
            f"{'drug_exposure_count' if name == 'drug' else 'condition_occurrence_count'} AS n_records FROM {table}"
        )
    return connection


def count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    found: Any = connection.execute(f"SELECT count(*) FROM ({sql})").fetchone()
    return int(found[0])


def random_eras(seed: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Eras of random records by the statement and by the oracle."""
    random = Random(seed)  # noqa: S311
    first = date(2019, 1, 1)
    days = [(first + timedelta(days=random.randrange(400)), random.randrange(60)) for _ in range(300)]
    records = [(random.randrange(5), random.randrange(3), day, day + timedelta(days=lasts)) for day, lasts in days]
    columns = dict(zip(("person_id", "concept_id", "start_on", "end_on"), zip(*records, strict=True), strict=True))
    connection = duckdb.connect()
    connection.register("given", pa.table({name: pa.array(values) for name, values in columns.items()}))
    return sorted(
        connection.execute(eras.eras_sql("SELECT *, row_number() OVER () AS id FROM given")).fetchall()
    ), oracle.eras(records)


def test_drug_eras(made: duckdb.DuckDBPyConnection) -> None:
    """52 508 eras of the same person, ingredient, start and number; 8 end later here.

    Those 8 hold two exposures that begin on one day; the delivered era ends with the shorter of them.
    """
    if GIBLEED is None:
        found, expected = random_eras(1)
        assert found == expected
        return
    same = f"SELECT {KEYS}, n_records FROM drug INTERSECT SELECT {KEYS}, n_records FROM delivered_drug"
    assert count(made, "FROM drug") == count(made, "FROM delivered_drug") == count(made, same) == 52_508
    differ = f"FROM drug AS m JOIN delivered_drug AS d USING ({KEYS}) WHERE m.end_on <> d.end_on"
    assert count(made, f"SELECT 1 {differ}") == 8
    assert count(made, f"SELECT 1 {differ} AND m.end_on > d.end_on AND m.n_records = 2") == 8


def test_condition_eras(made: duckdb.DuckDBPyConnection) -> None:
    """65 276 eras are equal whole; the 443 others delivered are of concept 0, which is no condition."""
    if GIBLEED is None:
        found, expected = random_eras(2)
        assert found == expected
        return
    whole = f"{KEYS}, end_on, n_records"
    same = f"SELECT {whole} FROM condition INTERSECT SELECT {whole} FROM delivered_condition"
    assert count(made, "FROM condition") == count(made, same) == 65_276
    assert count(made, "FROM delivered_condition WHERE concept_id = 0") == 443
    assert count(made, "FROM delivered_condition") == 65_276 + 443


def test_delivered_gap_days_are_no_days_without_the_drug(made: duckdb.DuckDBPyConnection) -> None:
    """GiBleed's gap_days are the era's length less a day number (of eras of one exposure, thousands of days)."""
    if GIBLEED is None:
        found, _ = random_eras(3)
        assert all(0 <= era[5] < (era[3] - era[2]).days for era in found if era[4] > 1)
        return
    assert count(made, "FROM drug_era WHERE drug_exposure_count = 1 AND gap_days <> 0") > 50_000
    assert count(made, "FROM drug WHERE n_records = 1 AND gap_days <> 0") == 0
