"""Whom a permit lets in equals whom the slow reading lets in, for every kind of population."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.view import (
    FromSource,
    Population,
    RandomSample,
    Residents,
    TableGrant,
    ViewTerms,
    WithConcept,
    WithControls,
)
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.steps import open_view
from factories.cdm import FIRST_DAY, MemoryPerimeter, MemorySnapshot, Row, SeededRandomness, random_base
from factories.examples import drawn
from oracle.views import members

DEPARTMENTS = ("01", "2A", "75")
PERIOD = Span(FIRST_DAY, FIRST_DAY.replace(year=FIRST_DAY.year + 2))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


cases: st.SearchStrategy[Population] = st.one_of(
    st.just(FromSource("hosp-a")),
    st.builds(RandomSample, st.integers(1, 60).map(Decimal), st.integers(0, 9)),
    st.builds(Residents, st.lists(st.sampled_from(DEPARTMENTS), min_size=1, unique=True).map(tuple)),
    st.builds(
        WithConcept,
        st.just("drug"),
        st.lists(st.integers(1, 9), min_size=1, unique=True).map(tuple),
        st.just(value=False),
    ),
)
every = st.one_of(cases, st.builds(WithControls, cases, st.integers(1, 3), st.integers(0, 9)))


def sources_of(persons: list[int]) -> dict[int, set[str]]:
    return {person: {"snds", "hosp-a"} if person % 2 else {"snds"} for person in persons}


def base_of(persons: list[int], seed: int) -> dict[str, list[Row]]:
    base = random_base(persons, ["drug_exposure", "location"], seed)
    for row in base["person"]:
        row |= {
            "year_of_birth": 1960 + row["person_id"] % 2,
            "gender_concept_id": 8507 + 25 * (row["person_id"] % 3 % 2),
        }
    for place in base["location"]:
        place["county"] = DEPARTMENTS[place["location_id"] % 3]
    return base


def let_in(engine: Engine, base: dict[str, list[Row]], population: Population, opted_out: set[int]) -> set[int]:
    terms = ViewTerms("P-1", (TableGrant("person"),), population, PERIOD)
    sources = sources_of([row["person_id"] for row in base["person"]])
    snapshot, perimeter = MemorySnapshot(engine, base, sources), MemoryPerimeter()
    parts = {"engine": engine, "snapshot": snapshot, "perimeter": perimeter, "randomness": SeededRandomness()}
    open_view(terms, **parts, opted_out=opted_out)
    found = set(perimeter.numbers())
    assert found == members(base, terms, sources, opted_out)
    return found


@settings(max_examples=drawn(25), deadline=None)
@given(st.integers(5, 40), every, st.integers(0, 10**6))
def test_a_population_is_whom_it_says(engine: Engine, n_persons: int, population: Population, seed: int) -> None:
    base = base_of(list(range(1, n_persons + 1)), seed)
    found = let_in(engine, base, population, {3})
    assert found == let_in(engine, base, population, {3})
    assert 3 not in found


@settings(max_examples=10, deadline=None)
@given(every, st.integers(0, 10**6))
def test_who_objects_changes_nobody_elses_place(engine: Engine, population: Population, seed: int) -> None:
    persons = list(range(1, 30))
    with_hidden = let_in(engine, base_of([*persons, 30], seed), population, {30})
    assert with_hidden == let_in(engine, base_of(persons, seed), population, set())
