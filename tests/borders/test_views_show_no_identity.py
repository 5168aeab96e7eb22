"""No warehouse number, source number, free text or finer place is in any cell of any view."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from enclos.contracts.omop import PERSON_TABLES, omop_tables, primary_keys
from enclos.contracts.view import GRANTABLE_TABLES, ViewTerms, WholeBase, all_tables
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.model import Reader
from enclos.views.plans import plan_view
from enclos.views.steps import PermitCdm, open_view
from enclos.views.steps.places import PlaceNumbers
from factories.cdm import N_BUCKETS, MemoryPerimeter, MemorySnapshot, SeededRandomness, random_base

PERSONS = [2**40 + 17 * n for n in range(30)]
TERMS = ViewTerms("P-1", all_tables(), WholeBase(), Span(date(1990, 1, 1), date(2100, 1, 1)))
TELLING = {
    "person_source_value",
    "sig",
    "lot_number",
    "unique_device_id",
    "production_id",
    "specimen_source_id",
    "value_as_string",
    "value_source_value",
    "family_source_value",
    "stop_reason",
    "address_1",
    "latitude",
    "provider_name",
    "npi",
    "dea",
    "provider_source_value",
    "care_site_name",
    "care_site_source_value",
}


OF_PROFESSIONALS = {("provider", name) for name in ("year_of_birth", "gender_concept_id", "gender_source_value")}


@pytest.fixture
def cells() -> Iterator[list[tuple[Reader, str, str, Any]]]:
    """Every cell that a permit over everything can show."""
    with open_engine() as engine:
        yield list(_cells(engine))


def _cells(engine: Engine) -> Iterator[tuple[Reader, str, str, Any]]:
    # a cost has no person of its own: tests/spec/views/test_costs.py
    apart = {"person", "observation_period", "cost"}
    base = random_base(PERSONS, [t for t in GRANTABLE_TABLES if t not in apart], 3)
    snapshot, perimeter = MemorySnapshot(engine, base, {}), MemoryPerimeter()
    open_view(TERMS, engine=engine, snapshot=snapshot, perimeter=perimeter, randomness=SeededRandomness())
    cdm = PermitCdm(
        TERMS, name="x", engine=engine, snapshot=snapshot, perimeter=perimeter, opted_out=(), check=lambda: None
    )
    for number in range(N_BUCKETS):
        with cdm.bucket(number) as bucket:
            bucket._begin()
            places = PlaceNumbers(TERMS, bucket._engine, snapshot, perimeter)
            for reader in Reader:
                for table in TERMS.tables:
                    places.prepare(table, number)
                    for row in bucket.query(plan_view(table, TERMS, snapshot, number, reader)).to_pylist():
                        yield from ((reader, table, column, value) for column, value in row.items())


def test_no_identity(cells: list[tuple[Reader, str, str, Any]]) -> None:
    assert len(cells) > 10_000
    numbers = set(PERSONS)
    for reader, table, column, value in cells:
        assert not (isinstance(value, int) and (value in numbers or value >> 20 in numbers)), (table, column)
        assert not (column in TELLING and value is not None), (table, column)
        of_professional = table == "provider" and column in {
            "year_of_birth",
            "gender_concept_id",
            "gender_source_value",
        }
        assert not (of_professional and value is not None), column
        assert not (column in {"provider_id", "care_site_id"} and value in range(10)), (table, column)
        if reader is Reader.PERSON:
            assert not (column in {"month_of_birth", "day_of_birth", "city", "zip"} and value is not None), column
            assert not (isinstance(value, date) and value.day != 1), (table, column)


def test_the_canary_is_in_the_base_but_for_its_keys() -> None:
    base = random_base(PERSONS, list(PERSON_TABLES[2:]), 3)
    assert any(row["family_source_value"] for row in base["payer_plan_period"])
    assert set(primary_keys()) >= set(PERSON_TABLES) - {"death"}
    assert set(omop_tables()) >= set(PERSON_TABLES)
