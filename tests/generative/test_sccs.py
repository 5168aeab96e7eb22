"""Random cases: the rows of a case series are those that a look at every day finds, in any number of buckets."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import StudyResult
from enclos.studies.model import AgeGroup, ConceptCohort, DateRange, Domain, Limit, OpenEnd, Study
from enclos.studies.sccs.model import Anchor, Cases, Sccs, Time, Window
from enclos.studies.steps import run_study
from factories.examples import drawn
from factories.studies import oracle_cohort, tables_of
from fakes.cdm import cdm_of_rows
from oracle import sccs as oracle
from oracle.histories import MALE, History, Record, born_on, spells

FIRST = date(2019, 12, 1)
N_DAYS = 75
COHORTS = tuple(
    ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    for name, concept in (("drug", 1), ("other", 2), ("bleed", 3))
)


def on_day(n: int) -> date:
    return FIRST + timedelta(days=n)


@st.composite
def histories(draw: st.DrawFn, person_id: int) -> History:
    """One person with exposures that touch, overlap and repeat, and outcomes on their ends."""
    first = draw(st.integers(0, 8))
    periods = [(first, draw(st.integers(first + 12, N_DAYS)))]
    if draw(st.integers(0, 4)) == 0:
        middle = draw(st.integers(first + 1, periods[0][1] - 3))
        periods = [(first, middle), (middle + 2, periods[0][1])]
    days = st.integers(first, periods[-1][1]) | st.sampled_from([day for each in periods for day in each])
    records = []
    for concept, most in ((1, 3), (2, 2)):
        starts = draw(st.lists(days, max_size=most))
        lengths = [draw(st.sampled_from([0, 1, 3, 12])) for _ in starts]
        records += [Record(concept, on_day(at), on_day(at + n)) for at, n in zip(starts, lengths, strict=True)]
    near = [each.start_on for each in records] + [each.end_on + timedelta(days=1) for each in records if each.end_on]
    outcomes = st.builds(on_day, days) | (st.sampled_from(near) if near else st.nothing())
    records += [Record(3, start, start) for start in draw(st.lists(outcomes, max_size=3))]
    born = draw(st.sampled_from([(1999, 12, 10), (1960, 2, None), (None, None, None)]))
    stretches = tuple((on_day(start), on_day(end)) for start, end in periods)
    return History(person_id, MALE, born, stretches, tuple(records))


PEOPLE = st.integers(3, 7).flatmap(lambda n: st.tuples(*(histories(2**40 * at + 7 * at + 1) for at in range(n))))
ANCHORS = st.sampled_from(Anchor)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    found = [Window("exposed", first_only=draw(st.booleans()))]
    for name in draw(st.lists(st.sampled_from(["early", "late"]), unique=True)):
        start, n_days = draw(st.integers(-8, 12)), draw(st.integers(0, 9))
        anchor = draw(ANCHORS)
        found.append(Window(name, start, anchor, start + n_days, anchor, draw(st.booleans())))
    return tuple(found)


CASES = st.builds(
    Cases,
    st.booleans(),
    st.sampled_from([0, 0, 1, 9]),
    st.sampled_from([None, None, AgeGroup(0, 19), AgeGroup(20, 60)]),
    st.sampled_from([DateRange(), DateRange(on_day(20)), DateRange(on_day(5), on_day(40))]),
)
DRAWN = {
    "people": PEOPLE,
    "windows": windows(),
    "cases": CASES,
    "pre_days": st.sampled_from([0, 3, 20]),
    "end_days": st.sampled_from([0, 1, 30, 90]),
    "n_buckets": st.integers(1, 3),
}


def number(day: date) -> int:
    return day.toordinal()


def cases_of(person: History) -> list[oracle.Case]:
    """The observation periods with the outcome, as the oracle sees them."""
    found = []
    stretches = [
        [(number(first), number(last)) for first, last in spells(person, oracle_cohort(cohort))] for cohort in COHORTS
    ]
    for first, last in ((number(a), number(b)) for a, b in person.periods):
        inside = [tuple(each for each in kind if first <= each[0] <= last) for kind in stretches]
        if inside[2]:
            born = born_on(person)
            born_day = -(10**7) if born is None else number(born)
            outcomes = tuple(start for start, _ in inside[2])
            found.append(oracle.Case((first, last), born_day, outcomes, (inside[0], inside[1])))
    return found


def shown(result: StudyResult, result_type: str = "sccs") -> dict[tuple[str, str | None], dict[str, str]]:
    found: dict[tuple[str, str | None], dict[str, str]] = {}
    for row in result.of_type(result_type).to_pylist():
        place = (row["variable_name"], row["variable_level"])
        found.setdefault(place, {})[row["estimate_name"]] = row["estimate_value"]
    return found


def check_counts_are_what_the_oracle_finds(
    people: tuple[History, ...], windows: tuple[Window, ...], cases: Cases, pre_days: int, end_days: int, n_buckets: int
) -> None:
    asked = Sccs(("drug", "other"), ("bleed",), windows, cases, Time(), pre_days, end_days, show_failed=True)
    result = run_study(Study("random", COHORTS, (asked,)), cdm_of_rows(tables_of(people), n_buckets))
    first, last = (None if on is None else number(on) for on in (cases.dates.start_on, cases.dates.end_on))
    ages = None if cases.ages is None else (cases.ages.min_years, cases.ages.max_years)
    rules = oracle.Rules(cases.first_outcome_only, cases.naive_days, ages, (first, last), end_days)
    sought = [
        oracle.Window(
            each.from_day, each.from_anchor is Anchor.END, each.to_day, each.to_anchor is Anchor.END, each.first_only
        )
        for each in asked.all_windows
    ]
    days: Counter[object] = Counter()
    events: Counter[object] = Counter()
    persons: dict[object, set[int]] = {}
    with_outcome: dict[object, set[int]] = {}
    n_cases = 0
    for person in people:
        for case in cases_of(person):
            rows = oracle.rows(case, sought, rules)
            n_cases += bool(rows)
            for kinds, (n_days, n_outcomes) in rows.items():
                for kind in kinds:
                    days[kind] += n_days
                    events[kind] += n_outcomes
                    persons.setdefault(kind, set()).add(person.person_id)
                    if n_outcomes:
                        with_outcome.setdefault(kind, set()).add(person.person_id)
    found = shown(result)
    assert found["model", None]["n_cases"] == str(n_cases)
    places: dict[object, tuple[str, str | None]] = {
        (at, kind): (window.name, name)
        for at, window in enumerate(asked.all_windows)
        for kind, name in enumerate(asked.exposures)
    }
    if end_days:
        places["end"] = ("end_of_observation", None)
    cells = {(cell.variable_name, cell.variable_level): cell for cell in result.cells if cell.result_id == 2}
    for kind, place in places.items():
        counts = [found[place][name] for name in ("n_persons", "n_events", "person_days")]
        assert counts == [str(len(persons.get(kind, ()))), str(events[kind]), str(days[kind])], place
        assert set(cells[place[0], place[1] or ""].numerator) == with_outcome.get(kind, set())


@settings(max_examples=drawn(40), deadline=None)
@given(**DRAWN)
def test_counts_are_what_the_oracle_finds(**drawn: Any) -> None:
    check_counts_are_what_the_oracle_finds(**drawn)


@pytest.mark.slow
@settings(max_examples=drawn(500), deadline=None)
@given(**DRAWN)
def test_counts_are_what_the_oracle_finds_often(**drawn: Any) -> None:
    check_counts_are_what_the_oracle_finds(**drawn)


@settings(max_examples=10, deadline=None)
@given(people=PEOPLE, cases=CASES)
def test_a_result_is_the_same_for_any_number_of_buckets(people: tuple[History, ...], cases: Cases) -> None:
    asked = Sccs(("drug",), ("bleed",), cases=cases, time=Time(season_knots=3, calendar_knots=3), show_failed=True)
    tables = tables_of(people)
    study = Study("random", COHORTS, (asked,))
    one, three = (run_study(study, cdm_of_rows(tables, n)) for n in (1, 3))
    assert one.table.equals(three.table)
    assert np.array_equal(*([cell.n_numerator for cell in each.cells] for each in (one, three)))
