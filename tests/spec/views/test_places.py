"""Professionals and care sites: under the permit's own numbers, and only those that its rows lead to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from enclos.contracts.omop import omop_tables
from enclos.contracts.view import TableGrant, ViewTerms, WholeBase
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.sql.model import Scan
from enclos.views.sql.steps import PermitRows
from enclos.views.steps import open_view
from factories.cdm import MemoryPerimeter, MemorySnapshot, Row, SeededRandomness, random_base

TABLES = ("person", "observation_period", "visit_occurrence", "care_site", "provider", "location")
PERIOD = Span(date(1990, 1, 1), date(2100, 1, 1))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


def shown(
    engine: Engine,
    base: dict[str, list[Row]],
    key: bytes = b"a" * 32,
    opted_out: tuple[int, ...] = (),
    tables: tuple[str, ...] = TABLES,
) -> dict[str, list[Row]]:
    """Everything that a person may see under a permit of this key."""
    terms = ViewTerms("P-1", tuple(TableGrant(table) for table in tables), WholeBase(), PERIOD)
    snapshot, perimeter = MemorySnapshot(engine, base, {}), MemoryPerimeter(key)
    parts = {"engine": engine, "snapshot": snapshot, "perimeter": perimeter, "opted_out": opted_out}
    open_view(terms, randomness=SeededRandomness(), **parts)
    rows = PermitRows(terms, check=lambda: None, **parts)
    return {
        table: [row for part in rows.tables(Scan(table, table, omop_tables()[table].names)) for row in part.to_pylist()]
        for table in tables
    }


def base_of() -> dict[str, list[Row]]:
    base = random_base(range(1, 30), TABLES[2:], 1)
    nowhere = {"provider_id": None, "care_site_id": None}
    base["person"] = [row | nowhere for row in base["person"]]
    base["visit_occurrence"] = [
        row | nowhere | {"provider_id": 1 if row["person_id"] < 20 else 2} for row in base["visit_occurrence"]
    ]
    base["provider"] = [row | {"care_site_id": 4} for row in base["provider"]]
    return base


def test_a_reference_leads_to_its_row_within_a_permit(engine: Engine) -> None:
    seen = shown(engine, base_of())
    providers = {row["provider_id"]: row for row in seen["provider"]}
    assert len(providers) == len(seen["provider"]) == 2  # once each, though every bucket leads to them
    assert {row["provider_id"] for row in seen["visit_occurrence"]} == providers.keys()
    sites = {row["care_site_id"]: row for row in seen["care_site"]}
    assert {row["care_site_id"] for row in seen["provider"]} == sites.keys()
    assert {row["location_id"] for row in sites.values()} <= {row["location_id"] for row in seen["location"]} | {None}


def test_another_permit_has_other_numbers(engine: Engine) -> None:
    one, other = (shown(engine, base_of(), key) for key in (b"a" * 32, b"b" * 32))
    for table in ("provider", "care_site"):
        numbers, others = ({row[f"{table}_id"] for row in seen[table]} for seen in (one, other))
        assert numbers and not numbers & others
        assert min(numbers | others) > 9


def test_whom_only_a_hidden_person_saw_is_not_there(engine: Engine) -> None:
    seen = shown(engine, base_of(), opted_out=tuple(range(20, 30)))
    assert len(seen["provider"]) == 1
    assert {row["provider_id"] for row in seen["visit_occurrence"]} == {seen["provider"][0]["provider_id"]}


def test_without_a_table_that_leads_there_nobody_is_shown(engine: Engine) -> None:
    tables = ("person", "observation_period", "provider")
    assert shown(engine, base_of(), tables=tables)["provider"] == []
