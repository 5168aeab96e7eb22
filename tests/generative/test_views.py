"""The engine's view equals the slow one, and nobody hidden can be noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.omop import omop_tables
from enclos.contracts.view import (
    GRANTABLE_TABLES,
    PLACE_TABLES,
    RELATIONS,
    Access,
    FromSource,
    Population,
    PotentialIdentifier,
    RandomSample,
    TableGrant,
    ViewTerms,
    WholeBase,
    all_tables,
)
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.model import Reader
from enclos.views.plans import plan_view
from enclos.views.steps import PermitCdm, open_view
from enclos.views.steps.places import PlaceNumbers
from factories.cdm import (
    BUCKETED,
    FIRST_DAY,
    N_BUCKETS,
    N_STEPS,
    STEP_DAYS,
    MemoryPerimeter,
    MemorySnapshot,
    Row,
    SeededRandomness,
    random_base,
)
from factories.examples import drawn
from oracle.queries import comparable, put_rows, queries
from oracle.views import members
from oracle.views import view as slow_view

TABLES = [table for table in GRANTABLE_TABLES if table not in {"person", "observation_period"}]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


@st.composite
def grants(draw: st.DrawFn, tables: list[str]) -> tuple[TableGrant, ...]:
    drawn = []
    for table in tables:
        columns = draw(st.none() | st.lists(st.sampled_from(omop_tables()[table].names), min_size=1, unique=True))
        ordered = None if columns is None else tuple(name for name in omop_tables()[table].names if name in columns)
        drawn.append(TableGrant(table, ordered))
    return tuple(drawn)


populations: st.SearchStrategy[Population] = st.one_of(
    st.just(WholeBase()),
    st.just(FromSource("hosp-a")),
    st.builds(RandomSample, st.integers(1, 99).map(Decimal), st.integers(0, 50)),
)


@st.composite
def permits(draw: st.DrawFn) -> ViewTerms:
    tables = draw(st.lists(st.sampled_from(TABLES), max_size=3, unique=True))
    start = FIRST_DAY + timedelta(days=STEP_DAYS * draw(st.integers(-2, N_STEPS)))
    return ViewTerms(
        "FR-2026-0042",
        draw(grants(["person", "observation_period", *tables])),
        draw(populations),
        Span(start, start + timedelta(days=STEP_DAYS * draw(st.integers(1, N_STEPS)))),
        frozenset(draw(st.sets(st.sampled_from(PotentialIdentifier)))),
        Access.ROWS,
    )


def needed(terms: ViewTerms) -> list[str]:
    """The tables that the snapshot must hold: the granted ones, and visits where costs are granted."""
    granted = [table for table in terms.tables if table in TABLES]
    return granted if "cost" not in granted else list(dict.fromkeys((*granted, "visit_occurrence")))


persons_strategy = st.lists(st.integers(1, 2**43 - 20), min_size=1, max_size=8, unique=True)


def sources_of(persons: list[int]) -> dict[int, set[str]]:
    return {person: {"snds", "hosp-a"} if person % 2 else {"snds"} for person in persons}


@contextmanager
def opened(
    engine: Engine, base: dict[str, list[Row]], terms: ViewTerms, sources: dict[int, set[str]], opted_out: set[int]
) -> Iterator[tuple[PermitCdm, MemorySnapshot, MemoryPerimeter]]:
    snapshot = MemorySnapshot(engine, base, sources)
    perimeter = MemoryPerimeter()
    try:
        open_view(
            terms,
            engine=engine,
            snapshot=snapshot,
            perimeter=perimeter,
            randomness=SeededRandomness(),
            opted_out=opted_out,
        )
        yield (
            PermitCdm(
                terms,
                name="test",
                engine=engine,
                snapshot=snapshot,
                perimeter=perimeter,
                check=lambda: None,
                opted_out=opted_out,
            ),
            snapshot,
            perimeter,
        )
    finally:
        for table in [f"cdm.{name}" for name in (*base, "person_source")]:
            engine.execute(f"DROP TABLE IF EXISTS {table}")


def canonical(rows: list[Row]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)


def seen(
    opened: tuple[PermitCdm, MemorySnapshot, MemoryPerimeter],
    terms: ViewTerms,
    reader: Reader,
) -> dict[str, list[Row]]:
    """Everything that can be read: every granted table, all buckets."""
    cdm, snapshot, perimeter = opened
    found: dict[str, list[Row]] = {table: [] for table in terms.tables}
    for number in cdm.buckets:
        with cdm.bucket(number) as bucket:
            bucket._begin()
            places = PlaceNumbers(terms, bucket._engine, snapshot, perimeter)
            for table in terms.tables:
                places.prepare(table, number)
                if table == RELATIONS:
                    cdm._relatives.prepare(number, bucket._engine)
                sql = (
                    f'FROM "{table}"'
                    if reader is Reader.PLATFORM
                    else plan_view(table, terms, snapshot, number, reader)
                )
                found[table] += bucket.query(sql).to_pylist()
    return found


def check_equal(engine: Engine, base: dict[str, list[Row]], terms: ViewTerms, opted_out: set[int]) -> None:
    sources = sources_of([row["person_id"] for row in base["person"]])
    with opened(engine, base, terms, sources, opted_out) as view:
        numbers = view[2].numbers()
        assert set(numbers) == members(base, terms, sources, opted_out)
        assert len(set(numbers.values())) == len(numbers)
        for reader in Reader:
            found = seen(view, terms, reader)
            for table in terms.tables:
                assert canonical(found[table]) == canonical(expected(base, table, terms, numbers, reader)), table


def expected(
    base: dict[str, list[Row]], table: str, terms: ViewTerms, numbers: dict[int, int], reader: Reader
) -> list[Row]:
    """What the slow view shows; places are listed once per bucket."""
    parts = [numbers]
    if table in PLACE_TABLES:
        parts = [{p: n for p, n in numbers.items() if p % N_BUCKETS == bucket} for bucket in range(N_BUCKETS)]
    return [row for part in parts for row in slow_view(base, table, terms, part, for_person=reader is Reader.PERSON)]


@settings(max_examples=drawn(40), deadline=None)
@given(persons_strategy, permits(), st.integers(0, 10**6), st.data())
def test_the_view_equals_the_slow_one(
    engine: Engine, persons: list[int], terms: ViewTerms, seed: int, data: st.DataObject
) -> None:
    base = random_base(persons, needed(terms), seed)
    check_equal(engine, base, terms, set(data.draw(st.lists(st.sampled_from(persons), max_size=2))))


QUERIED = ["person", "observation_period", "visit_occurrence", "drug_exposure", "death"]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(1, 2**43 - 20) | st.integers(1, 90), min_size=1, max_size=12, unique=True),
    populations,
    st.lists(queries(QUERIED), min_size=6, max_size=12),
    st.integers(0, 10**6),
)
def test_any_query_answers_as_over_the_slow_rows(
    engine: Engine, persons: list[int], population: Population, asked: list[str], seed: int
) -> None:
    start = FIRST_DAY + timedelta(days=STEP_DAYS * 6)
    terms = ViewTerms(
        "P-1",
        tuple(TableGrant(table) for table in QUERIED),
        population,
        Span(start, start + timedelta(days=STEP_DAYS * 18)),
    )
    base, sources = random_base(persons, QUERIED[2:], seed), sources_of(persons)
    with opened(engine, base, terms, sources, {persons[0]}) as (cdm, _, perimeter), open_engine(threads=1) as other:
        numbers = perimeter.numbers()
        for number in cdm.buckets:
            here = {person: new for person, new in numbers.items() if person % N_BUCKETS == number}
            shown = {table: slow_view(base, table, terms, here, for_person=False) for table in QUERIED}
            put_rows(other, shown)
            with cdm.bucket(number) as bucket:
                for sql in asked:
                    assert comparable(bucket.query(sql)) == comparable(other.query(sql)), sql


@pytest.mark.parametrize(
    ("seed", "listed"),
    list(
        enumerate([frozenset(), frozenset(PotentialIdentifier), *(frozenset({each}) for each in PotentialIdentifier)])
    ),
)
def test_every_column_of_every_table(engine: Engine, seed: int, listed: frozenset[PotentialIdentifier]) -> None:
    start = FIRST_DAY + timedelta(days=STEP_DAYS * 8)
    period = Span(start, start + timedelta(days=STEP_DAYS * 14))
    terms = ViewTerms("FR-2026-0042", all_tables(), WholeBase(), period, listed, Access.ROWS)
    check_equal(engine, random_base(range(1, 60), TABLES, seed), terms, {5})


@settings(max_examples=drawn(25), deadline=None)
@given(persons_strategy, permits(), st.integers(0, 10**6), st.sampled_from(["objected", "elsewhere", "unobserved"]))
def test_nobody_hidden_can_be_noticed(
    engine: Engine, persons: list[int], terms: ViewTerms, seed: int, why: str
) -> None:
    hidden = max(persons) + 1
    extra = needed(terms)
    opted_out: set[int] = set()
    if why == "objected":
        opted_out = {hidden}
    elif why == "elsewhere":
        hidden += hidden % 2
        terms = ViewTerms("P-1", terms.grants, FromSource("hosp-a"), terms.period, terms.identifiers, terms.access)
    answers: list[Any] = []
    for crowd in (persons, [*persons, hidden]):
        base = random_base(crowd, extra, seed)
        if why == "unobserved":
            base["observation_period"] = [row for row in base["observation_period"] if row["person_id"] != hidden]
        with opened(engine, base, terms, sources_of(crowd), opted_out) as view:
            answers.append(
                {
                    reader: {table: canonical(rows) for table, rows in seen(view, terms, reader).items()}
                    for reader in Reader
                }
            )
    assert answers[0] == answers[1]


def test_every_table_is_generated() -> None:
    assert {"person", "observation_period", *TABLES} == {*BUCKETED, *PLACE_TABLES}
    base = random_base([1, 2, 3], TABLES, 0)
    assert set(base) == {*BUCKETED, *PLACE_TABLES}
    assert all(base.values())
    assert {tuple(base[table][0]) for table in base} == {
        (*(["bucket"] if table in BUCKETED else []), *omop_tables()[table].names) for table in base
    }
