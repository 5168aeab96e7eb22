"""Random histories: a characterisation tells what the slow oracle tells, in any number of buckets."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import StudyResult
from enclos.studies.characterise.model import Characterisation, Entries, Intersection, LargeScale, Shown
from enclos.studies.model import AgeGroup, ConceptCohort, DayWindow, Domain, Stratum, Study
from enclos.studies.steps import run_study
from factories.examples import drawn
from factories.random_histories import COHORTS, DRUG_COHORTS, SECOND, TREATED
from factories.studies import oracle_cohort, tables_of
from factories.told import assert_same, told
from fakes.cdm import cdm_of_rows
from oracle import characterise as oracle
from oracle.histories import Cohort, History

WINDOWS = st.sampled_from(
    [
        DayWindow(None, -1),
        DayWindow(0, 0),
        DayWindow(1, 365),
        DayWindow(-30, 5),
        DayWindow(400, None),
        DayWindow(None, None),
    ]
)
AGES = st.sampled_from([(), (AgeGroup(0, 17), AgeGroup(18, 64), AgeGroup(65, 150)), (AgeGroup(18, 83),)])


@dataclass(frozen=True)
class Drawn:
    """Some persons and a characterisation of them."""

    people: tuple[History, ...]
    cohort: ConceptCohort
    drug: ConceptCohort
    ages: tuple[AgeGroup, ...]
    by_sex: bool
    by_age: bool
    shown: Shown
    window: DayWindow
    windows: tuple[DayWindow, ...]
    least: float
    episodes: bool
    entries: Entries
    n_buckets: int


DRAWN = {
    "drawn": st.builds(
        Drawn,
        TREATED,
        COHORTS,
        DRUG_COHORTS,
        AGES,
        st.booleans(),
        st.booleans(),
        st.sampled_from(Shown),
        WINDOWS,
        st.lists(WINDOWS, min_size=1, max_size=3, unique=True).map(tuple),
        st.sampled_from([0.0, 0.005, 0.34, 0.5]),
        st.booleans(),
        st.sampled_from(Entries),
        st.integers(1, 4),
    )
}


def check_a_characterisation(drawn: Drawn) -> None:
    """Everything that is told, against the oracle."""
    people, cohort, drug, ages, window = drawn.people, drawn.cohort, drawn.drug, drawn.ages, drawn.window
    strata = (*((Stratum.AGE_GROUP,) if drawn.by_age and ages else ()), *((Stratum.SEX,) if drawn.by_sex else ()))
    domains = (Domain.CONDITION,)
    scale = LargeScale(drawn.windows, () if drawn.episodes else domains, domains if drawn.episodes else (), drawn.least)
    analysis = Characterisation(
        (drug.name, cohort.name),
        ages,
        strata,
        (Intersection((SECOND.name, cohort.name), window, drawn.shown, "others"),),
        scale,
        overlap=True,
        timing=drawn.entries,
        differences=True,
    )
    study = Study("random", (cohort, SECOND, drug), (analysis,))
    result = run_study(study, cdm_of_rows(tables_of(people), drawn.n_buckets))
    own = [oracle_cohort(each) for each in (drug, cohort)]
    flags = [
        (drawn.shown.value, "Others", oracle_cohort(other), (window.from_day, window.to_day))
        for other in (SECOND, cohort)
    ]
    groups = [(each.min_years, each.max_years) for each in ages]
    asked = oracle.Asked(groups, [each.value for each in strata], flags)
    expected, concepts = {}, {}
    for each in own:
        expected |= oracle.characteristics(people, each, asked)
        spans = [(span.from_day, span.to_day) for span in drawn.windows]
        concepts |= oracle.concepts(people, each, asked, spans, episodes=drawn.episodes, least=drawn.least)
    assert_same(told(result, "summarise_characteristics"), expected)
    assert_same(told(result, "summarise_large_scale_characteristics"), concepts)
    shared, between = {}, {}
    for pair in permutations(own, 2):
        shared |= oracle.overlap(people, *pair)
        between |= oracle.timing(people, *pair, first_only=drawn.entries is Entries.FIRST)
    whole = {key: value for key, value in told(result, "summarise_cohort_overlap").items() if key[1] == "overall"}
    assert_same(whole, shared)
    assert_same(told(result, "summarise_cohort_timing"), between)
    check_differences(result, people, own)


def check_differences(result: StudyResult, people: tuple[History, ...], own: list[Cohort]) -> None:
    """Age as a number, female sex as a share."""
    found = told(result, "summarise_standardised_differences")
    pair = f"{own[0].name} &&& {own[1].name}"
    entries = [oracle.entries_of(people, each) for each in own]
    ages = [[age for entry in each if (age := oracle.age_of(entry)) is not None] for each in entries]
    women = [[float(oracle.sex_of(entry) == "Female") for entry in each] for each in entries]
    for variable, level, values in (("Age", "", ages), ("Sex", "Female", women)):
        at = found.get((pair, "overall", "overall", variable, level, "overall"))
        wanted = oracle.difference(values[0], values[1], share=variable == "Sex")
        if at is None:
            assert wanted is None or not any(values[0] + values[1])
        elif wanted is None:
            assert at.estimates["smd"] is None
        else:
            assert abs(float(at.estimates["smd"]) - wanted) < 1e-9  # type: ignore[arg-type]


@settings(max_examples=drawn(30), deadline=None)
@given(**DRAWN)
def test_a_characterisation_is_what_the_oracle_tells(drawn: Drawn) -> None:
    check_a_characterisation(drawn)


@pytest.mark.slow
@settings(max_examples=drawn(400), deadline=None)
@given(**DRAWN)
def test_a_characterisation_is_what_the_oracle_tells_hundreds_of_times(drawn: Drawn) -> None:
    check_a_characterisation(drawn)
