"""Random histories: the engine counts what the slow oracles count, in any number of buckets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from enclos.contracts.result import OVERALL, SEPARATOR
from enclos.studies.model import (
    AfterDays,
    AgeGroup,
    CirceCohort,
    ConceptCohort,
    DateRange,
    DayWindow,
    Domain,
    Incidence,
    Interval,
    Level,
    Limit,
    OpenEnd,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Stratum,
    Study,
    Target,
    TimePoint,
)
from enclos.studies.steps import run_study
from factories.examples import drawn
from factories.random_histories import COHORTS, CONCEPTS, DEATH, DEPARTMENTS, OUTCOMES, PEOPLE, SECOND, histories
from factories.studies import Counted, attrition, counted, oracle_cohort, requirements_of, tables_of
from fakes.cdm import cdm_of_rows
from oracle.attrition import incidence_left, population_left, prevalence_left
from oracle.histories import FEMALE, MALE, Cohort, History, Requirement, Stretch, spells, stays
from oracle.incidence import days_at_risk, incidence, incidence_windows, stretches_at_risk
from oracle.prevalence import prevalence, prevalence_windows

POPULATIONS = st.builds(
    Population,
    st.sampled_from(
        [
            (AgeGroup(0, 150),),
            (AgeGroup(0, 0), AgeGroup(1, 18), AgeGroup(19, 150)),
            (AgeGroup(18, 18), AgeGroup(0, 150)),
            (AgeGroup(59, 83),),
        ]
    ),
    st.sampled_from([(Sex.BOTH,), (Sex.MALE, Sex.FEMALE), (Sex.FEMALE, Sex.BOTH)]),
    st.sampled_from([(0,), (0, 30), (365, 1)]),
    st.sampled_from(
        [
            DateRange(),
            DateRange(date(2019, 1, 1), date(2020, 12, 31)),
            DateRange(date(2019, 6, 3), None),
            DateRange(None, date(2020, 2, 29)),
            DateRange(date(2020, 3, 1), date(2020, 3, 1)),
        ]
    ),
)
WHOLE = (OVERALL, OVERALL)
SEX, AGE, HOME = Stratum.SEX, Stratum.AGE_GROUP, Stratum.DEPARTMENT
STRATIFIED = st.builds(
    replace,
    POPULATIONS,
    strata=st.sampled_from([((SEX,), (AGE,)), ((AGE, SEX),), ((HOME,), (HOME, AGE)), ((SEX, HOME), (AGE,))]),
    strata_age_groups=st.just((AgeGroup(0, 18), AgeGroup(19, 83))),
    include_overall=st.booleans(),
)
TARGETED = st.builds(
    replace,
    POPULATIONS | STRATIFIED,
    target=st.builds(
        Target,
        st.just("target"),
        st.sampled_from(
            [(DayWindow(0, None),), (DayWindow(0, 30), DayWindow(31, 60)), (DayWindow(1, 1), DayWindow(90, None))]
        ),
        st.booleans(),
    ),
)
TARGET_COHORTS = st.builds(
    ConceptCohort,
    st.just("target"),
    st.sampled_from([(1,), (2, 3)]),
    st.just(False),
    st.just(Domain.CONDITION),
    st.sampled_from(Limit),
    st.sampled_from([AfterDays(0), AfterDays(100), OpenEnd.EVENT_END, OpenEnd.OBSERVATION_END]),
)
SECONDS = st.sampled_from([SECOND, SECOND, DEATH])
CENSORING = ConceptCohort("censoring", (2,), False, Domain.CONDITION, Limit.ALL, AfterDays(3))


def strata_of(population: Population, requirement: Requirement) -> Iterator[tuple[tuple[str, str], Requirement]]:
    """Every stratum of a combination, by its name and level in results."""
    sexes = ("male", "female") if requirement.sex == "both" else (requirement.sex,)
    ages = [(each.min_years, each.max_years) for each in population.strata_age_groups]
    for names in population.strata:
        levels = {SEX: sexes, AGE: ages, HOME: DEPARTMENTS}
        for sex, age, home in product(*(levels[each] if each in names else (None,) for each in levels)):
            words = {SEX: str(sex).capitalize(), AGE: "" if age is None else f"{age[0]} to {age[1]}", HOME: str(home)}
            place = SEPARATOR.join(each.value for each in names), SEPARATOR.join(words[each] for each in names)
            yield place, replace(requirement, stratum=(sex, age, home))


INTERVALS = st.lists(st.sampled_from(Interval), min_size=1, max_size=3, unique=True).map(tuple)
CALENDARS = st.lists(
    st.sampled_from([each for each in Interval if each is not Interval.OVERALL]), min_size=1, max_size=2, unique=True
).map(tuple)


def study_days(people: tuple[History, ...], wanted: DateRange) -> Stretch | None:
    """The days that a study looks at."""
    periods = [period for each in people for period in each.periods]
    if not periods and (wanted.start_on is None or wanted.end_on is None):
        return None
    first = wanted.start_on or min(start for start, _ in periods)
    last = wanted.end_on or max(end for _, end in periods)
    return first, last


INCIDENCES = {
    "people": PEOPLE,
    "population": POPULATIONS | STRATIFIED | TARGETED,
    "target": TARGET_COHORTS,
    "censored": st.booleans(),
    "cohort": COHORTS,
    "second": SECONDS,
    "intervals": INTERVALS,
    "washout": st.sampled_from([None, 0, 1, 30, 365]),
    "repeated": st.booleans(),
    "complete": st.booleans(),
    "n_buckets": st.integers(1, 4),
}


def check_incidence_is_what_the_oracle_counts(  # noqa: PLR0917 - what is drawn
    people: tuple[History, ...],
    population: Population,
    target: ConceptCohort,
    censored: bool,
    cohort: ConceptCohort,
    second: ConceptCohort | CirceCohort,
    intervals: tuple[Interval, ...],
    washout: int | None,
    repeated: bool,
    complete: bool,
    n_buckets: int,
) -> None:
    censor = oracle_cohort(CENSORING) if censored else None
    analysis = Incidence(
        OUTCOMES, population, intervals, washout, repeated, complete, CENSORING.name if censored else None
    )
    study = Study("random", (target, cohort, CENSORING, second), (analysis,))
    result = run_study(study, cdm_of_rows(tables_of(people), n_buckets))
    left = attrition(result, "incidence_attrition")
    days = study_days(people, population.date_range) or (date(1970, 1, 1), date(1969, 12, 31))
    requirements = requirements_of(population, oracle_cohort(target))
    kinds = [each.value for each in intervals]
    for number, requirement in enumerate(requirements, start=1):
        for outcome in (oracle_cohort(cohort), oracle_cohort(second)):
            for strata, of_stratum in [(WHOLE, requirement), *strata_of(population, requirement)]:
                expected = incidence(
                    people,
                    of_stratum,
                    outcome,
                    days,
                    kinds=kinds,
                    washout=washout,
                    repeated=repeated,
                    complete=complete,
                    censor=censor,
                )
                if strata == WHOLE and not population.include_overall:
                    expected = {}
                found = counted(result, "incidence", strata)
                assert found.get((number, outcome.name), {}) == {
                    window: Counted(
                        len(rate.at_risk),
                        rate.n_events,
                        rate.person_days,
                        frozenset(rate.at_risk),
                        frozenset(rate.cases),
                    )
                    for window, rate in expected.items()
                }
            stays_of = [stays(each, requirement, days) for each in people]
            at_risk = [
                days_at_risk(each, requirement, outcome, days, washout, repeated=repeated, censor=censor)
                for each in people
            ]
            stretches_of = [stretches_at_risk(*each) for each in zip(at_risk, stays_of, strict=True)]
            windows = [(start, end) for _, start, end in incidence_windows(at_risk, kinds, complete=complete)]
            chain = population_left(people, requirements, requirement, days)
            assert left[number, outcome.name] == [*chain, *incidence_left(stays_of, stretches_of, windows)]


@settings(max_examples=drawn(40), deadline=None)
@given(**INCIDENCES)
def test_incidence_is_what_the_oracle_counts(**drawn: Any) -> None:
    check_incidence_is_what_the_oracle_counts(**drawn)


@pytest.mark.slow
@settings(max_examples=drawn(4000), deadline=None)
@given(**INCIDENCES)
def test_incidence_is_what_the_oracle_counts_thousands_of_times(**drawn: Any) -> None:
    check_incidence_is_what_the_oracle_counts(**drawn)


PREVALENCES = {
    "people": PEOPLE,
    "population": POPULATIONS | STRATIFIED | TARGETED,
    "target": TARGET_COHORTS,
    "cohort": COHORTS,
    "second": SECONDS,
    "intervals": CALENDARS,
    "overall": st.booleans(),
    "time_point": st.none() | st.sampled_from(TimePoint),
    "whole": st.booleans(),
    "complete": st.booleans(),
    "level": st.sampled_from(Level),
    "n_buckets": st.integers(1, 4),
}


def check_prevalence_is_what_the_oracle_counts(  # noqa: PLR0917 - what is drawn
    people: tuple[History, ...],
    population: Population,
    target: ConceptCohort,
    cohort: ConceptCohort,
    second: ConceptCohort | CirceCohort,
    intervals: tuple[Interval, ...],
    overall: bool,
    time_point: TimePoint | None,
    whole: bool,
    complete: bool,
    level: Level,
    n_buckets: int,
) -> None:
    analysis: PointPrevalence | PeriodPrevalence
    if time_point is None:
        wanted = (*intervals, Interval.OVERALL) if overall else intervals
        analysis = PeriodPrevalence(OUTCOMES, population, wanted, whole, complete, level)
    else:
        whole, level = False, Level.PERSON
        analysis = PointPrevalence(OUTCOMES, population, intervals, time_point)
    study = Study("random", (target, cohort, second), (analysis,))
    result = run_study(study, cdm_of_rows(tables_of(people), n_buckets))
    kind = "prevalence" if level is Level.PERSON else "prevalence_of_records"
    left = attrition(result, f"{kind}_attrition")
    days = study_days(people, population.date_range) or (date(1970, 1, 1), date(1969, 12, 31))
    requirements = requirements_of(population, oracle_cohort(target))
    kinds = [each.value for each in analysis.intervals]
    point = None if time_point is None else time_point.value
    for number, requirement in enumerate(requirements, start=1):
        for outcome in (oracle_cohort(cohort), oracle_cohort(second)):
            for strata, of_stratum in [(WHOLE, requirement), *strata_of(population, requirement)]:
                expected = prevalence(
                    people, of_stratum, outcome, days, kinds=kinds, time_point=point, complete=complete, whole=whole
                )
                if strata == WHOLE and not population.include_overall:
                    expected = {}
                found = counted(result, kind, strata)
                assert found.get((number, outcome.name), {}) == {
                    window: Counted(
                        *(share.n_stays, share.n_stays_with)
                        if level is Level.RECORD
                        else (len(share.present), len(share.cases)),
                        None,
                        frozenset(share.present),
                        frozenset(share.cases),
                    )
                    for window, share in expected.items()
                    if share.present or strata == WHOLE
                }
            windows = prevalence_windows(people, requirement, days, kinds=kinds, time_point=point, complete=complete)
            stays_of = [stays(each, requirement, days) for each in people]
            n_spells = [len(spells(each, outcome)) for each in people]
            own = prevalence_left(stays_of, n_spells, [(start, end) for _, start, end in windows], whole=whole)
            assert left[number, outcome.name] == [*population_left(people, requirements, requirement, days), *own]


@settings(max_examples=drawn(40), deadline=None)
@given(**PREVALENCES)
def test_prevalence_is_what_the_oracle_counts(**drawn: Any) -> None:
    check_prevalence_is_what_the_oracle_counts(**drawn)


@pytest.mark.slow
@settings(max_examples=drawn(4000), deadline=None)
@given(**PREVALENCES)
def test_prevalence_is_what_the_oracle_counts_thousands_of_times(**drawn: Any) -> None:
    check_prevalence_is_what_the_oracle_counts(**drawn)


ANY = Cohort("any", frozenset(CONCEPTS), first_only=False, end="event_end")
FEATURES = {
    "several observation periods": lambda each: len(each.periods) > 1,
    "periods back to back": lambda each: any(
        before[1] + timedelta(days=1) == after[0] for before, after in zip(each.periods, each.periods[1:], strict=False)
    ),
    "no observation": lambda each: not each.periods,
    "events on one day": lambda each: len({record.start_on for record in each.records}) < len(each.records),
    "overlapping events": lambda each: any(end - start > timedelta(days=3) for start, end in spells(each, ANY)),
    "event on entry": lambda each: any(spell[0] == period[0] for spell in spells(each, ANY) for period in each.periods),
    "event on exit": lambda each: any(spell[0] == period[1] for spell in spells(each, ANY) for period in each.periods),
    "event outside observation": lambda each: bool(each.records) and not spells(each, ANY),
    "died under observation": lambda each: any(period[1] == each.died_on for period in each.periods),
    "died between periods or after them": lambda each: (
        bool(each.periods) and each.died_on is not None and each.periods[-1][1] < each.died_on
    ),
    "event after death": lambda each: any(each.died_on and record.start_on > each.died_on for record in each.records),
    "end before start": lambda each: any(record.end_on and record.end_on < record.start_on for record in each.records),
    "born on a leap day": lambda each: each.born[1:] == (2, 29),
    "birth unknown": lambda each: each.born[0] is None,
    "sex unknown": lambda each: each.gender_concept_id not in {MALE, FEMALE},
    "present on a leap day": lambda each: any(start <= date(2020, 2, 29) <= end for start, end in each.periods),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_histories_have_every_feature(feature: str) -> None:
    find(histories(1), FEATURES[feature], settings=settings(max_examples=5000, database=None, deadline=None))
