"""Random histories and operations: the engine makes the cohorts of the slow oracle, in any number of buckets."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.derived.model import Collapse, First, Intersection, Near, Require, Sample, Union
from enclos.studies.model import (
    AgeGroup,
    ConceptCohort,
    DateRange,
    DayWindow,
    DerivedCohort,
    Incidence,
    Population,
    Sex,
    Study,
)
from enclos.studies.steps import cohort_table
from factories.random_histories import COHORTS, CONCEPTS, FIRST, LAST, PEOPLE, SECOND
from factories.studies import oracle_cohort, tables_of
from fakes.cdm import cdm_of_rows
from oracle.derived import fits, is_near, is_sampled, joined, shared
from oracle.histories import History, Stretch, spells

SOURCES = st.sampled_from(["first_outcome", "second_outcome"])
PAIRS = st.permutations(["first_outcome", "second_outcome"]).map(tuple)
WINDOWS = st.sampled_from([(None, 0), (None, -1), (0, None), (None, None), (-30, 30), (0, 0), (1, 365), (-400, -30)])
DATES = st.sampled_from(
    [DateRange(), DateRange(FIRST.replace(year=2019), None), DateRange(None, LAST.replace(year=2019))]
)
OPERATIONS = st.one_of(
    st.builds(Union, PAIRS),
    st.builds(Intersection, PAIRS),
    st.builds(First, SOURCES),
    st.builds(Near, SOURCES, SOURCES, WINDOWS.map(lambda each: DayWindow(*each)), st.booleans()),
    st.builds(
        Require,
        SOURCES,
        st.sampled_from([None, AgeGroup(0, 17), AgeGroup(18, 18), AgeGroup(18, 150)]),
        st.sampled_from(Sex),
        st.sampled_from([0, 1, 30, 365]),
        DATES,
    ),
    st.builds(Collapse, SOURCES, st.sampled_from([0, 1, 30, 400])),
    st.builds(Sample, SOURCES, st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 5)),
)
OPERATION = Union | Intersection | First | Near | Require | Collapse | Sample


def _on_top(operation: OPERATION) -> OPERATION:
    """The operation with the cohort ``made`` in the place of ``first_outcome``."""
    if isinstance(operation, Union | Intersection):
        return replace(
            operation, cohorts=tuple("made" if each == "first_outcome" else each for each in operation.cohorts)
        )
    return replace(operation, cohort="made")


def entries(operation: OPERATION, person: History, of: dict[str, list[Stretch]]) -> list[Stretch]:
    """What the oracle makes of the cohorts of one person."""
    if isinstance(operation, Union):
        return joined(person, [each for name in operation.cohorts for each in of[name]], 0)
    if isinstance(operation, Intersection):
        first, second = operation.cohorts
        return shared(of[first], of[second])
    own = of[operation.cohort]
    match operation:
        case First():
            found = sorted(own)[:1]
        case Near():
            window, others = (operation.window.from_day, operation.window.to_day), of[operation.other]
            found = [each for each in own if is_near(each[0], others, window) is operation.present]
        case Require():
            ages = operation.ages and (operation.ages.min_years, operation.ages.max_years)
            dates = (operation.date_range.start_on or FIRST, operation.date_range.end_on or LAST)
            asked = (ages, operation.sex.value, operation.n_days_prior_observation, dates)
            found = [each for each in own if fits(person, each[0], *asked)]
        case Collapse():
            found = joined(person, own, operation.gap_days)
        case Sample():
            found = own if is_sampled(person, operation.share, operation.seed) else []
    return found


@given(PEOPLE, COHORTS, OPERATIONS, OPERATIONS, st.integers(1, 3))
@settings(max_examples=120, deadline=None)
def test_derived_cohorts_are_those_of_the_slow_oracle(
    people: tuple[History, ...], cohort: ConceptCohort, made: OPERATION, then: OPERATION, n_buckets: int
) -> None:
    chained = _on_top(then)
    cohorts = (DerivedCohort("chained", chained), DerivedCohort("made", made), cohort, SECOND)
    study = Study("derived", cohorts, (Incidence(("chained",), Population()),))
    rows = cohort_table(study, cdm_of_rows(tables_of(people, CONCEPTS), n_buckets)).to_pylist()
    expected = []
    for person in people:
        of = {each.name: spells(person, oracle_cohort(each)) for each in (cohort, SECOND)}
        of["made"] = entries(made, person, of)
        of["chained"] = entries(chained, person, of)
        expected += [(name, person.person_id, *each) for name in ("chained", "made") for each in of[name]]
    found = [(row["cohort_name"], row["subject_id"], row["cohort_start_date"], row["cohort_end_date"]) for row in rows]
    assert sorted(each for each in found if each[0] in {"chained", "made"}) == sorted(expected)
