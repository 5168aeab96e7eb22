"""Random histories: a utilisation tells what the slow oracle tells, in any number of buckets."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.model import AgeGroup, ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Stratum, Study
from enclos.studies.steps import run_study
from enclos.studies.utilisation.model import Adherence, Indications, Restart, Treatments, Until, Utilisation
from factories.examples import drawn
from factories.random_histories import COHORTS, DRUG_COHORTS, DRUGS, SECOND, TREATED
from factories.studies import oracle_cohort, rows_table, tables_of
from factories.told import assert_same, told
from fakes.cdm import cdm_of_rows
from oracle import utilisation as oracle
from oracle.characterise import age_group_of, entries_of, sex_of
from oracle.histories import History
from oracle.utilisation import Strata

OTHER = ConceptCohort("other_drug", (5,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END, None, 7)
SWITCHED = ConceptCohort("switched", (5,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END)
WINDOWS = (DayWindow(0, 0), DayWindow(-30, 0), DayWindow(None, 0), DayWindow(400, 500))
N_DAYS = 40
INGREDIENT, MILLIGRAM, UNIT, MILLILITRE = 9, 8576, 8510, 8587
STRENGTHS = [
    (4, INGREDIENT, 500.0, MILLIGRAM, None, None, None, None),
    (5, INGREDIENT, None, None, 20.0, UNIT, 5.0, MILLILITRE),
]
PER_PIECE = {4: (500.0, "milligram"), 5: (20.0, "unit")}
COVERED = {4: (*PER_PIECE[4], "fixed amount formulation"), 5: (*PER_PIECE[5], "concentration formulation")}
AGES = ((0, 17), (18, 60))


def of_sex(level: str) -> Strata:
    return Strata("sex", level, lambda entry: sex_of(entry) == level)


def of_age(level: str) -> Strata:
    return Strata("age_group", level, lambda entry: age_group_of(entry, AGES) == level)


STRATA = [*map(of_sex, ("Female", "Male", "None")), *map(of_age, ("0 to 17", "18 to 60", "None"))]


@dataclass(frozen=True)
class Drawn:
    """Some persons and the use of two drugs."""

    people: tuple[History, ...]
    reason: ConceptCohort
    drug: ConceptCohort
    gap: int
    until: Until
    incident: bool
    unknown: bool
    first_only: bool
    stratified: bool
    n_followed: int
    threshold: float
    n_buckets: int


DRAWN = {
    "drawn": st.builds(
        Drawn,
        TREATED,
        COHORTS,
        DRUG_COHORTS,
        st.sampled_from([0, 1, 7, 30]),
        st.sampled_from(Until),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.sampled_from([1, 10, 100, 1000]),
        st.sampled_from([0.1, 0.25, 1.0]),
        st.integers(1, 4),
    )
}


def check_a_utilisation(drawn: Drawn) -> None:
    """Everything that is told, against the oracle."""
    people, drug, reason = drawn.people, drawn.drug, drawn.reason
    analysis = Utilisation(
        (drug.name, OTHER.name),
        (drug.name, OTHER.name),
        drawn.gap,
        INGREDIENT,
        drawn.until,
        drawn.incident,
        Indications((SECOND.name, reason.name), WINDOWS, (Domain.CONDITION,) if drawn.unknown else ()),
        N_DAYS,
        Restart((SWITCHED.name,), (None, 30), drawn.incident, drawn.first_only),
        (Stratum.SEX, Stratum.AGE_GROUP) if drawn.stratified else (),
        (AgeGroup(0, 17), AgeGroup(18, 60)),
        Treatments((OTHER.name, SECOND.name), WINDOWS[:3]),
        (INGREDIENT,),
        Adherence(drawn.n_followed, drawn.threshold),
    )
    study = Study("random", (reason, SECOND, drug, OTHER, SWITCHED), (analysis,))
    tables = {**tables_of(people), "drug_strength": rows_table("drug_strength", STRENGTHS)}
    below = [*((each, each) for each in range(1, 10)), *((INGREDIENT, drug) for drug in DRUGS)]
    tables["concept_ancestor"] = rows_table("concept_ancestor", below)
    result = run_study(study, cdm_of_rows(tables, drawn.n_buckets))
    own = [oracle_cohort(each) for each in (drug, OTHER)]
    reasons = [oracle_cohort(each) for each in (SECOND, reason)]
    windows = [(each.from_day, each.to_day) for each in WINDOWS]
    used, why, after, covered, beside, adherent = {}, {}, {}, {}, {}, {}
    drugs = {each.name: each.concepts for each in own}
    to_cohort_end, incident = drawn.until is Until.COHORT_END, drawn.incident
    for each in own:
        entries = entries_of(people, each)
        strata = [some for some in STRATA if drawn.stratified and any(map(some.hold, entries))]
        for some in (oracle.EVERYBODY, *strata):
            used |= oracle.use(
                people, each, drugs, gap=drawn.gap, to_cohort_end=to_cohort_end, incident=incident, strata=some
            )
            adherent |= oracle.adherence(
                people,
                each,
                drugs,
                n_days=drawn.n_followed,
                threshold=drawn.threshold,
                incident=incident,
                strata=some,
            )
            why |= oracle.indications(people, each, reasons, windows, unknown=drawn.unknown, strata=some)
            others = [oracle_cohort(OTHER), oracle_cohort(SECOND)]
            beside |= oracle.treatments(people, each, others, windows[:3], some)
            after |= oracle.restarts(
                people,
                each,
                [oracle_cohort(SWITCHED)],
                (None, 30),
                incident=incident,
                first_only=drawn.first_only,
                strata=some,
            )
            for day, counted in oracle.covered(people, each, N_DAYS, some).items() if entries else ():
                covered[each.name, some.name, some.level, day] = counted
    found = told(result, "summarise_drug_utilisation")
    assert_same({key: at for key, at in found.items() if "dose" not in key[3]}, used)
    doses = {key: at for key, at in found.items() if "dose" in key[3] and key[1] == "overall"}
    mean = {(key[0], *key[3:]): at.estimates["mean"] for key, at in doses.items()}
    assert mean == pytest.approx(oracle.doses(people, own, PER_PIECE, to_cohort_end=to_cohort_end, incident=incident))
    assert_same(told(result, "summarise_adherence"), adherent)
    assert_same(told(result, "summarise_drug_restart"), after)
    by_window = {(*key[:3], key[5], *key[4:]): at for key, at in told(result, "summarise_indication").items()}
    assert_same(by_window, why)
    treated = {(*key[:3], key[5], *key[4:]): at for key, at in told(result, "summarise_treatment").items()}
    assert_same(treated, beside)
    assert_same(told(result, "summarise_dose_coverage"), oracle.coverage(people, COVERED))
    shown = told(result, "summarise_proportion_of_patients_covered")
    assert {(*key[:3], int(key[5])): (at.persons, at.among) for key, at in shown.items()} == covered
    for at in shown.values():
        assert len(at.persons) == at.estimates["outcome_count"]
        assert len(at.among) == at.estimates["denominator_count"]


@settings(max_examples=drawn(30), deadline=None)
@given(**DRAWN)
def test_a_utilisation_is_what_the_oracle_tells(drawn: Drawn) -> None:
    check_a_utilisation(drawn)


@pytest.mark.slow
@settings(max_examples=drawn(400), deadline=None)
@given(**DRAWN)
def test_a_utilisation_is_what_the_oracle_tells_hundreds_of_times(drawn: Drawn) -> None:
    check_a_utilisation(drawn)
