"""Random histories: the designs around cases count what a look at every person finds, in any number of buckets."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import StudyResult
from enclos.studies.cases.model import CaseControl, CaseCrossover, Matching, SelfControlledCohort
from enclos.studies.model import CohortAnalysis, ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from factories.examples import drawn
from factories.studies import oracle_cohort, tables_of
from fakes.cdm import cdm_of_rows
from oracle import cases as oracle
from oracle.histories import FEMALE, MALE, History, Record, born_on, spells

FIRST = date(2020, 1, 1)
N_DAYS = 60
COHORTS = tuple(
    ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    for name, concept in (("drug", 1), ("other", 2), ("bleed", 3), ("ill", 4))
)


def on_day(n: int) -> date:
    return FIRST + timedelta(days=n)


@st.composite
def histories(draw: st.DrawFn, person_id: int) -> History:
    first = draw(st.integers(0, 8))
    periods = [(first, draw(st.integers(first + 15, N_DAYS)))]
    if draw(st.integers(0, 4)) == 0:
        middle = draw(st.integers(first + 1, periods[0][1] - 3))
        periods = [(first, middle), (middle + 2, periods[0][1])]
    days = st.integers(first, periods[-1][1])
    records = []
    for concept, most, lengths in ((1, 3, [0, 2, 9]), (2, 1, [0, 20]), (3, 2, [0]), (4, 2, [5, 30])):
        starts = draw(st.lists(days, max_size=most))
        ends = [at + draw(st.sampled_from(lengths)) for at in starts]
        records += [Record(concept, on_day(at), on_day(end)) for at, end in zip(starts, ends, strict=True)]
    gender = draw(st.sampled_from([MALE, MALE, FEMALE, 8551]))
    born = draw(st.sampled_from([(1980, 1, 1), (1982, 1, 1), (1982, 1, 2), (1960, 2, None), (None, None, None)]))
    return History(person_id, gender, born, tuple((on_day(a), on_day(b)) for a, b in periods), tuple(records))


PEOPLE = st.integers(4, 9).flatmap(lambda n: st.tuples(*(histories(2**40 * at + 7 * at + 1) for at in range(n))))
BUCKETS = st.integers(1, 3)


def persons_of(people: tuple[History, ...]) -> list[oracle.Person]:
    """The persons as the oracle sees them."""
    found = []
    for each in people:
        drug, other, bleed, ill = (
            tuple((first.toordinal(), last.toordinal()) for first, last in spells(each, oracle_cohort(cohort)))
            for cohort in COHORTS
        )
        born = born_on(each)
        sex = {MALE: "M", FEMALE: "F"}.get(each.gender_concept_id)
        periods = tuple((first.toordinal(), last.toordinal()) for first, last in each.periods)
        outcomes = tuple(first for first, _ in bleed)
        born_day = None if born is None else born.toordinal()
        found.append(oracle.Person(each.person_id, sex, born_day, periods, outcomes, (drug, other), ill))
    return found


def shown(people: tuple[History, ...], asked: CohortAnalysis, n_buckets: int) -> tuple[dict[str, dict[str, str]], Any]:
    """By exposure: each estimate by name; and the result."""
    result: StudyResult = run_study(Study("random", COHORTS, (asked,)), cdm_of_rows(tables_of(people), n_buckets))
    found: dict[str, dict[str, str]] = {}
    for row in result.table.to_pylist():
        if row["variable_name"] == "exposed":
            found.setdefault(row["variable_level"], {})[row["estimate_name"]] = row["estimate_value"]
    return found, result


@settings(max_examples=drawn(40), deadline=None)
@given(
    people=PEOPLE,
    risk=st.sampled_from([(0, 4), (1, 8)]),
    control=st.sampled_from([(-5, -1), (-12, -3)]),
    flags=st.tuples(*[st.booleans()] * 4),
    prior=st.sampled_from([0, 0, 6]),
    follow_up=st.sampled_from([0, 0, 9]),
    n_buckets=BUCKETS,
)
def test_self_controlled_cohorts_count_what_the_oracle_does(
    people: tuple[History, ...],
    risk: tuple[int, int],
    control: tuple[int, int],
    flags: tuple[bool, bool, bool, bool],
    prior: int,
    follow_up: int,
    n_buckets: int,
) -> None:
    asked = SelfControlledCohort(
        ("drug", "other"), ("bleed",), DayWindow(*risk), DayWindow(*control), *flags, prior, follow_up, show_failed=True
    )
    found, _ = shown(people, asked, n_buckets)
    around = oracle.Around(risk, control, *flags, prior, follow_up)
    for kind, name in enumerate(asked.exposures):
        by_person = [oracle.around_exposures(person, kind, around) for person in persons_of(people)]
        every = [each for many in by_person for each in many]
        expected = {
            "n_persons": sum(map(bool, by_person)),
            "n_exposures": len(every),
            "n_events": sum(each[1] for each in every),
            "n_events_unexposed": sum(each[3] for each in every),
            "person_days": sum(each[0] for each in every),
            "person_days_unexposed": sum(each[2] for each in every),
        }
        assert {each: int(found[name][each]) for each in expected} == expected


@settings(max_examples=drawn(30), deadline=None)
@given(
    people=PEOPLE,
    window=st.sampled_from([(-3, 0), (-6, -1), (0, 0)]),
    offsets=st.sampled_from([(-7,), (-10, -20)]),
    first_only=st.booleans(),
    prior=st.sampled_from([0, 5]),
    n_buckets=BUCKETS,
)
def test_case_crossovers_compare_what_the_oracle_does(
    people: tuple[History, ...],
    window: tuple[int, int],
    offsets: tuple[int, ...],
    first_only: bool,
    prior: int,
    n_buckets: int,
) -> None:
    asked = CaseCrossover(
        ("drug", "other"), ("bleed",), DayWindow(*window), offsets, first_only, prior, show_failed=True
    )
    found, _ = shown(people, asked, n_buckets)
    counts = {name: [0, 0, 0, 0] for name in asked.exposures}
    for person in persons_of(people):
        for day, (first, _) in oracle.index_days(person, first_only, prior, nested=False):
            others = [offset for offset in offsets if day + window[0] + offset >= first]
            for kind, name in enumerate(asked.exposures):
                if others:
                    at_risk = oracle.is_exposed(person, kind, day + window[0], day + window[1])
                    first_days = [day + window[0] + offset for offset in others]
                    exposed = [oracle.is_exposed(person, kind, at, at + window[1] - window[0]) for at in first_days]
                    for at, more in enumerate((1, at_risk, len(others), sum(exposed))):
                        counts[name][at] += more
    names = ("n_cases", "n_cases_exposed", "n_controls", "n_controls_exposed")
    assert {name: [int(found[name][each]) for each in names] for name in counts} == counts


CONTROL = {
    "people": PEOPLE,
    "window": st.sampled_from([(0, 0), (-5, 0)]),
    "nested": st.booleans(),
    "first_only": st.booleans(),
    "prior": st.sampled_from([0, 4]),
    "rules": st.tuples(st.booleans(), st.sampled_from([None, 0, 2, 40]), st.sampled_from([None, 0, 3])),
    "n_controls": st.sampled_from([1, 2, 100]),
    "n_buckets": BUCKETS,
}


def check_case_controls(
    people: tuple[History, ...],
    window: tuple[int, int],
    nested: bool,
    first_only: bool,
    prior: int,
    rules: tuple[bool, int | None, int | None],
    n_controls: int,
    n_buckets: int,
) -> None:
    within = "ill" if nested else None
    matching = Matching(n_controls, 11, *rules)
    asked = CaseControl(
        ("drug", "other"), ("bleed",), within, DayWindow(*window), first_only, prior, matching, show_failed=True
    )
    found, result = shown(people, asked, n_buckets)
    assert result.table.equals(shown(people, asked, 4)[1].table), "the buckets matter"
    persons = persons_of(people)
    sets = []
    for case in persons:
        for day, stay in oracle.index_days(case, first_only, prior, nested):
            fit = [each for each in persons if oracle.can_be_control(each, case, day, stay, prior, nested, rules)]
            if fit:
                sets.append((case, day, fit))
    assert int(found["drug"]["n_cases"]) == len(sets)
    assert int(found["drug"]["n_controls"]) == sum(min(n_controls, len(fit)) for *_, fit in sets)
    allowed = {each.person_id for case, _, fit in sets for each in (case, *fit)}
    cells = {each.variable_name: each for each in result.cells if each.variable_level == "drug"}
    assert set(cells["exposed"].denominator) == {case.person_id for case, _, _ in sets}
    compared = set(cells["exposed"].denominator) | set(cells["controls"].denominator)
    assert compared <= allowed
    if n_controls == 100:
        assert compared == allowed
        for kind, name in enumerate(asked.exposures):
            exposed = [
                oracle.is_exposed(each, kind, day + window[0], day + window[1]) for _, day, fit in sets for each in fit
            ]
            assert int(found[name]["n_controls_exposed"]) == sum(exposed)


@settings(max_examples=drawn(30), deadline=None)
@given(**CONTROL)
def test_case_controls_compare_whom_the_oracle_does(**drawn: Any) -> None:
    check_case_controls(**drawn)


@pytest.mark.slow
@settings(max_examples=drawn(300), deadline=None)
@given(**CONTROL)
def test_case_controls_compare_whom_the_oracle_does_often(**drawn: Any) -> None:
    check_case_controls(**drawn)
