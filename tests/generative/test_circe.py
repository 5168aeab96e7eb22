"""Circe cohorts of random definitions on CDMs grown around them: two oracles, then the engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest

from factories.circe_cdm import Cdm, arrow_cdm, circe_cdm
from factories.circe_definitions import circe_definition
from oracle import circe_histories, circe_sql
from shared_data import shared

Json = dict[str, Any]


@contextmanager
def in_duckdb(cdm: Cdm) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current schema holds the CDM."""
    with duckdb.connect() as connection:
        for table, rows in arrow_cdm(cdm).items():
            connection.register("incoming", rows)
            connection.execute(f"CREATE TABLE {table} AS FROM incoming")
            connection.unregister("incoming")
        yield connection


def random_definitions(seeds: Iterable[int]) -> Iterator[tuple[str, Json, Cdm]]:
    for seed in seeds:
        definition = circe_definition(seed)
        yield f"seed {seed}", definition, circe_cdm(definition, seed)


def shared_definitions(one_in: int = 1) -> Iterator[tuple[str, Json, Cdm]]:
    """The definitions beside the checkout, smallest first; none where there are none."""
    folder = shared("circe", "definitions")
    files = sorted(folder.glob("*.json"), key=lambda file: (file.stat().st_size, file.name)) if folder else []
    for file in files[::one_in]:
        definition = json.loads(file.read_text(encoding="utf-8"))
        yield file.name, definition, circe_cdm(definition, 1)


def circepy_says_what_circe_means(node: Any) -> bool:
    """Whether ohdsi-circepy 0.1.0 writes what Circe-be means; what it gets wrong is told in docs/decisions/0026."""
    if isinstance(node, list):
        return all(map(circepy_says_what_circe_means, node))
    if not isinstance(node, dict):
        return True
    wrong = (
        "DateAdjustment" in node
        or node.get("IsExclusion") is True
        or "DaysSupplyOverride" in node
        or any(key.endswith("CS") and value.get("CodesetId") == 0 for key, value in node.items())
        or node.get("DeviceExposure", {}).get("First")
    )
    return not wrong and all(map(circepy_says_what_circe_means, node.values()))


def differing_oracles(cases: Iterable[tuple[str, Json, Cdm]]) -> tuple[int, list[str]]:
    """How many cases both oracles answer, and those where they differ."""
    n_answered, differing = 0, []
    for name, definition, cdm in cases:
        if not circepy_says_what_circe_means(definition):
            continue
        with in_duckdb(cdm) as connection:
            try:
                by_sql = circe_sql.circe_rows(json.dumps(definition), connection)
            except duckdb.Error:  # ohdsi-circepy counts distinct values in few domains only
                continue
        n_answered += 1
        if by_sql != circe_histories.circe_rows(definition, cdm):
            differing.append(name)
    return n_answered, differing


def test_reading_a_definition_aloud_gives_what_circes_sql_gives() -> None:
    n_answered, differing = differing_oracles(random_definitions(range(70)))

    assert differing == []
    assert n_answered > 12


@pytest.mark.slow
def test_reading_hundreds_of_definitions_aloud_gives_what_circes_sql_gives() -> None:
    n_answered, differing = differing_oracles([*shared_definitions(), *random_definitions(range(1000, 1400))])

    assert differing == []
    assert n_answered > 250


def test_cohorts_of_random_definitions_are_often_not_empty() -> None:
    """A fuzz of empty cohorts would prove nothing."""
    cohorts = [circe_histories.circe_rows(definition, cdm) for _, definition, cdm in random_definitions(range(200))]

    assert sum(bool(rows) for rows in cohorts) > 80
    assert sum(rows is None for rows in cohorts) < 20
