"""What a period lets in, row by row: the permit covers 2020, half-open.

Each line: what happened, its first and last day, and what the view shows of it.
"""

from collections.abc import Iterator
from datetime import date

import pytest

from enclos.contracts.view import TableGrant, ViewTerms, WholeBase
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.steps import PermitCdm, open_view
from factories.cdm import MemoryPerimeter, MemorySnapshot, SeededRandomness, random_base

YEAR = Span(date(2020, 1, 1), date(2021, 1, 1))
GRANTS = tuple(TableGrant(table) for table in ("person", "observation_period", "visit_occurrence"))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


def day(text: str) -> date:
    return date.fromisoformat(text)


def shown(engine: Engine, table: str, first: str, last: str) -> list[tuple[date, date]]:
    """The first and last days that the permit shows of one row; the person is observed in 2020 anyway."""
    base = random_base([1], ["visit_occurrence"], 1)
    for name in ("observation_period", "visit_occurrence"):
        base[name] = base[name][:1]
    base["observation_period"][0] |= {
        "observation_period_start_date": day("2020-02-01"),
        "observation_period_end_date": day("2020-02-02"),
    }
    start, end = (
        ("visit_start_date", "visit_end_date")
        if table == "visit_occurrence"
        else ("observation_period_start_date", "observation_period_end_date")
    )
    base[table][0] |= {start: day(first), end: day(last)}
    snapshot, perimeter = MemorySnapshot(engine, base, {}), MemoryPerimeter()
    terms = ViewTerms("P-1", GRANTS, WholeBase(), YEAR)
    open_view(terms, engine=engine, snapshot=snapshot, perimeter=perimeter, randomness=SeededRandomness())
    cdm = PermitCdm(
        terms, name="x", engine=engine, snapshot=snapshot, perimeter=perimeter, opted_out=(), check=lambda: None
    )
    with cdm.bucket(1) as bucket:
        found = bucket.query(f"SELECT {start} AS first, {end} AS last FROM {table}").to_pylist()
    return [(row["first"], row["last"]) for row in found]


@pytest.mark.parametrize(
    ("first", "last", "view"),
    [
        ("2020-01-01", "2020-12-31", ("2020-01-01", "2020-12-31")),
        ("2020-12-31", "2021-01-05", ("2020-12-31", "2020-12-31")),  # the end is cut to the period's last day
        ("2019-12-31", "2020-01-05", None),  # began before
        ("2021-01-01", "2021-01-01", None),  # the period's end is not in it
    ],
)
def test_what_happened_is_in_when_it_began_in_the_period(
    engine: Engine, first: str, last: str, view: tuple[str, str] | None
) -> None:
    assert shown(engine, "visit_occurrence", first, last) == ([tuple(map(day, view))] if view else [])


@pytest.mark.parametrize(
    ("first", "last", "view"),
    [
        ("2019-06-01", "2022-06-01", ("2020-01-01", "2020-12-31")),
        ("2019-06-01", "2020-01-01", ("2020-01-01", "2020-01-01")),
        ("2020-12-31", "2020-12-31", ("2020-12-31", "2020-12-31")),
        ("2019-06-01", "2019-12-31", None),
        ("2021-01-01", "2021-06-01", None),
    ],
)
def test_observation_is_in_when_it_touches_the_period_and_is_cut_on_both_sides(
    engine: Engine, first: str, last: str, view: tuple[str, str] | None
) -> None:
    assert shown(engine, "observation_period", first, last) == ([tuple(map(day, view))] if view else [])
