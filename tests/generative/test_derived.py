"""Random histories and operations: the engine makes the cohorts of the slow oracle, in any number of buckets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.derived.model import (
    Collapse,
    First,
    Intersection,
    Match,
    Near,
    Require,
    Sample,
    Side,
    Trait,
    Union,
)
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
from factories.examples import drawn
from factories.random_histories import COHORTS, CONCEPTS, FIRST, LAST, PEOPLE, SECOND, histories
from factories.studies import oracle_cohort, tables_of
from fakes.cdm import cdm_of_rows
from oracle.derived import (
    first_persons,
    fits,
    is_followed,
    is_near,
    is_sampled,
    joined,
    matches,
    shared,
    traits_of,
)
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
        st.sampled_from([0, 30, 365]),
    ),
    st.builds(Collapse, SOURCES, st.sampled_from([0, 1, 30, 400])),
    st.builds(Sample, SOURCES, st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 5)),
)
Row = tuple[int, date, date]
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
            after = operation.n_days_future_observation
            found = [each for each in own if fits(person, each[0], *asked) and is_followed(person, each[0], after)]
        case Collapse():
            found = joined(person, own, operation.gap_days)
        case Sample():
            found = own if is_sampled(person, operation.share, operation.seed) else []
    return found


@given(PEOPLE, COHORTS, OPERATIONS, OPERATIONS, st.integers(1, 3))
@settings(max_examples=drawn(120), deadline=None)
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


TRAITS = st.sampled_from([("sex",), ("sex", "year_of_birth"), ("department",), ("sex", "year_of_birth", "department")])


@st.composite
def crowds(draw: st.DrawFn) -> tuple[History, ...]:
    """Some persons with few traits among them, so that there are matches and not enough of them."""
    n = draw(st.integers(2, 8))
    people = [draw(histories(2**40 * index + 7 * index + 1)) for index in range(n)]
    born = st.sampled_from([(1960, 5, 5), (1960, None, None), (2001, 1, 1), (None, None, None)])
    return tuple(replace(each, born=draw(born), department=draw(st.sampled_from([None, 1, 2]))) for each in people)


def _rows(
    people: tuple[History, ...], cohort: ConceptCohort, n_buckets: int, **made: Match | Sample
) -> list[list[Row]]:
    derived = (DerivedCohort(name, each) for name, each in made.items())
    study = Study("drawn", (*derived, cohort), (Incidence((cohort.name,), Population()),))
    rows = cohort_table(study, cdm_of_rows(tables_of(people, CONCEPTS), n_buckets)).to_pylist()
    return [
        sorted(
            (row["subject_id"], row["cohort_start_date"], row["cohort_end_date"])
            for row in rows
            if row["cohort_name"] == name
        )
        for name in made
    ]


@given(crowds(), COHORTS, TRAITS, st.integers(1, 3), st.integers(0, 5), st.integers(1, 4))
@settings(max_examples=drawn(40), deadline=None)
def test_matches_are_those_of_the_slow_oracle_and_keep_what_is_promised(
    people: tuple[History, ...],
    cohort: ConceptCohort,
    traits: tuple[str, ...],
    ratio: int,
    seed: int,
    n_buckets: int,
) -> None:
    entries = {each.person_id: spells(each, oracle_cohort(cohort)) for each in people}
    found = matches(people, entries, traits, ratio, seed)
    asked = Match(cohort.name, seed, ratio, tuple(Trait(each) for each in traits))
    made = {"controls": asked, "cases": replace(asked, keep=Side.CASES)}
    controls, cases = _rows(people, cohort, n_buckets, **made)
    assert controls == sorted((other, *stretch) for _, _, other, stretch in found)
    assert cases == sorted({(person, *entry) for person, entry, _, _ in found})

    of = {each.person_id: each for each in people}
    persons = [person for person, _, _ in controls]
    assert len(set(persons)) == len(persons)
    assert not any(entries[person] for person in persons)
    assert all(any(a <= first <= b == last for a, b in of[person].periods) for person, first, last in controls)
    wanted = {(traits_of(of[person], traits), first) for person, first, _ in cases}
    assert {(traits_of(of[person], traits), first) for person, first, _ in controls} == wanted
    assert len(cases) <= len(controls) <= ratio * len(cases)

    if traits != ("sex",):  # persons unlike all others, in buckets of their own and of others, change nothing
        strangers = tuple(
            replace(each, person_id=each.person_id + 2**41, born=(1936, 1, 1), department=3, records=())
            for each in people
        )
        assert _rows((*people, *strangers), cohort, n_buckets + 1, **made) == [controls, cases]


@given(crowds(), COHORTS, st.integers(1, 8), st.integers(0, 5), st.integers(1, 4))
@settings(max_examples=drawn(30), deadline=None)
def test_a_sample_of_so_many_persons_is_that_of_the_slow_oracle(
    people: tuple[History, ...], cohort: ConceptCohort, n: int, seed: int, n_buckets: int
) -> None:
    entries = {each.person_id: spells(each, oracle_cohort(cohort)) for each in people}
    within = first_persons([person for person, own in entries.items() if own], n, seed)
    (found,) = _rows(people, cohort, n_buckets, sampled=Sample(cohort.name, None, seed, n))
    assert found == sorted((person, *entry) for person in within for entry in entries[person])
    assert len({person for person, _, _ in found}) == min(n, sum(bool(own) for own in entries.values()))
