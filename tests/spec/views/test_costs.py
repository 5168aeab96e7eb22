"""Costs through a permit: with the visits that began in the period, under the permit's own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from enclos.contracts.omop import omop_tables
from enclos.contracts.view import TableGrant, ViewTerms, WholeBase
from enclos.lexicon.ids import ORDINALS_PER_PERSON
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.steps import PermitCdm, open_view
from factories.cdm import MemoryPerimeter, MemorySnapshot, SeededRandomness, random_base

YEAR = Span(date(2020, 1, 1), date(2021, 1, 1))
IDA, BOB = 1, 4  # one bucket
GRANTS = tuple(TableGrant(table) for table in ("person", "observation_period", "visit_occurrence", "cost"))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


def seen(engine: Engine, days: dict[int, date], opted_out: tuple[int, ...] = ()) -> list[dict[str, object]]:
    """What the permit shows of one cost of 25 euros a person, for a visit on the day."""
    base = random_base(list(days), ["visit_occurrence"], 1)
    observed = {"observation_period_start_date": date(2020, 1, 1), "observation_period_end_date": date(2020, 12, 31)}
    base["observation_period"] = [row | observed for row in base["observation_period"]]
    for row in base["visit_occurrence"]:
        row |= {"visit_start_date": days[row["person_id"]], "visit_end_date": days[row["person_id"]]}
    first = {row["person_id"]: row for row in reversed(base["visit_occurrence"])}
    base["visit_occurrence"] = list(first.values())
    snapshot, perimeter = MemorySnapshot(engine, base, {}), MemoryPerimeter()
    snapshot.tables |= {"cost"}
    columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in omop_tables()["cost"])
    engine.execute(f"CREATE TABLE cdm.cost (bucket INTEGER, {columns})")
    for person, row in first.items():
        number = row["visit_occurrence_id"]
        engine.execute(
            "INSERT INTO cdm.cost (bucket, cost_id, cost_event_id, cost_domain_id, total_paid) VALUES (?, ?, ?, ?, ?)",
            [row["bucket"], number, number, "Visit", 25.0 * person],
        )
    terms = ViewTerms("P-1", GRANTS, WholeBase(), YEAR)
    opening = {"engine": engine, "snapshot": snapshot, "perimeter": perimeter, "opted_out": opted_out}
    open_view(terms, randomness=SeededRandomness(), **opening)
    cdm = PermitCdm(terms, name="x", check=lambda: None, **opening)
    with cdm.bucket(1) as bucket:
        return bucket.query(
            "SELECT c.cost_id, c.cost_event_id, c.total_paid, v.visit_occurrence_id, v.person_id "
            "FROM cost AS c LEFT JOIN visit_occurrence AS v ON v.visit_occurrence_id = c.cost_event_id"
        ).to_pylist()


def test_a_cost_joins_its_visit_under_numbers_of_the_permit(engine: Engine) -> None:
    (row,) = seen(engine, {IDA: date(2020, 5, 1)})
    assert row["total_paid"] == 25.0
    assert row["cost_id"] == row["cost_event_id"] == row["visit_occurrence_id"]
    assert row["visit_occurrence_id"] // ORDINALS_PER_PERSON == row["person_id"] != IDA


@pytest.mark.parametrize("day", [date(2019, 12, 31), date(2021, 1, 1)])
def test_a_cost_of_a_visit_outside_the_period_is_not_there(engine: Engine, day: date) -> None:
    assert seen(engine, {IDA: day}) == []


def test_a_cost_of_somebody_who_objected_is_not_there(engine: Engine) -> None:
    assert [row["total_paid"] for row in seen(engine, dict.fromkeys((IDA, BOB), date(2020, 5, 1)), (BOB,))] == [25.0]
