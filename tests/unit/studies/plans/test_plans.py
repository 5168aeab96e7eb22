"""Plans are text made of numbers and names of ours; nothing that people wrote as words gets into SQL."""

import re

import pytest

from enclos.contracts.omop import omop_tables
from enclos.studies.cases import plans as cases
from enclos.studies.characterise import plans as characterise
from enclos.studies.model import (
    AfterDays,
    ConceptCohort,
    DayWindow,
    Domain,
    Incidence,
    Limit,
    OpenEnd,
    Population,
    Sex,
    Study,
)
from enclos.studies.plans import cohorts, denominators, entries, incidence, people, prevalence
from enclos.studies.rules.outline import denominators_of, outline_of
from enclos.studies.sccs import plans as sccs
from enclos.studies.utilisation import plans as utilisation
from enclos.studies.utilisation.model import Until
from enclos.studies.utilisation.strengths import CONCENTRATION, EACH_HOUR, FIXED, OVER_HOURS, UNITS

COHORTS = (
    ConceptCohort("a_cohort_name", (11, 12), True, Domain.CONDITION, Limit.FIRST, OpenEnd.EVENT_END),
    ConceptCohort("another_name", (13,), False, Domain.PROCEDURE, Limit.ALL, AfterDays(5)),
)
POPULATION = Population(sexes=(Sex.BOTH, Sex.FEMALE), days_prior_observation=(0, 365))
PAIRS = (
    outline_of(Study("a-study-name", COHORTS, (Incidence(("a_cohort_name", "another_name"), POPULATION),)))
    .blocks[0]
    .pairs
)
MAKING = {
    "person": people.plan_person(),
    "observed": people.plan_observed(),
    "home": people.plan_home(),
    "base": denominators.plan_base(denominators_of(POPULATION)),
    "denominators": denominators.plan_denominators(denominators_of(POPULATION), {}),
    "codes": cohorts.plan_codes(COHORTS, {"a_cohort_name": [11, 12, 99], "another_name": [13]}),
    "events": cohorts.plan_events(COHORTS),
    "gaps": incidence.plan_gaps(),
    "entries": entries.plan_entries([0, 1]),
    "exposures": utilisation.plan_exposures([0], Until.COHORT_END, ruled=True, incident=True, ingredient=9),
    "case periods": sccs.plan_cases(0),
    "index events": cases.plan_index(0, 1, 365, first_only=True),
}
WINDOWS = (DayWindow(None, -1), DayWindow(0, 30))
ASKING = {
    "observed days": people.plan_observed_days(),
    "person numbers": people.plan_person_numbers(),
    "known concepts": cohorts.plan_known_concepts([11, 12]),
    "descendants": cohorts.plan_descendants([11, 12]),
    "cohort rows": cohorts.plan_cohort_rows(),
    "denominator rows": denominators.plan_denominator_rows(),
    "denominator counts": denominators.plan_denominator_counts(),
    "attrition": denominators.plan_attrition(POPULATION, 0, 100),
    "at risk, all time": incidence.plan_at_risk(PAIRS, None, repeated_events=False),
    "at risk, censored": incidence.plan_at_risk(PAIRS, 365, repeated_events=False, censor=1),
    "at risk, washout": incidence.plan_at_risk(PAIRS, 365, repeated_events=False),
    "at risk, repeated": incidence.plan_at_risk(PAIRS, 365, repeated_events=True),
    "cases": prevalence.plan_cases(PAIRS),
    "stays": prevalence.plan_stays([0, 1]),
    "event counts": prevalence.plan_event_counts(),
    "entry rows": entries.plan_entry_rows(),
    "intersections": entries.plan_intersections([(0, WINDOWS[0]), (1, WINDOWS[1])]),
    "large-scale events": characterise.plan_large_scale(Domain.PROCEDURE, WINDOWS, episodes=False),
    "large-scale episodes": characterise.plan_large_scale(Domain.DRUG, WINDOWS, episodes=True),
    "use": utilisation.plan_use(30),
    "doses": utilisation.plan_doses(),
    "any record": utilisation.plan_any_record(Domain.CONDITION, WINDOWS),
    "switches": utilisation.plan_switches([1], incident=True),
    "stretches": cohorts.plan_stretch_counts(COHORTS, [0, 1], joined=True),
    "timing": characterise.plan_timing(first_only=True),
    "concept names": characterise.plan_concept_names([11, 12]),
}


@pytest.mark.parametrize("plan", {**MAKING, **ASKING}.values(), ids=[*MAKING, *ASKING])
def test_no_word_of_the_study_is_in_a_plan(plan: str) -> None:
    assert not re.search("a_cohort_name|another_name|a-study-name", plan)
    literals = set(re.findall(r"'([^']*)'", plan))
    formulas = {FIXED, CONCENTRATION, OVER_HOURS, EACH_HOUR}
    assert literals <= {"1970-01-01", "male", "female", *(name for name, _ in UNITS.values()), *formulas}


@pytest.mark.parametrize("plan", MAKING.values(), ids=MAKING)
def test_what_is_made_is_temporary_and_on_the_list_of_what_is_dropped(plan: str) -> None:
    made = re.findall(r"CREATE OR REPLACE (\w+) TABLE (\w+)", plan)
    assert len(made) == 1
    assert made[0][0] == "TEMP"
    assert made[0][1] in people.TEMPORARY_TABLES


def test_what_is_on_the_list_is_made_and_dropped() -> None:
    made = {name for plan in MAKING.values() for name in re.findall(r"TEMP TABLE (\w+)", plan)}
    assert made == set(people.TEMPORARY_TABLES)
    assert [drop.rsplit(" ", 1)[1] for drop in people.plan_drops()] == list(people.TEMPORARY_TABLES)


@pytest.mark.parametrize("plan", ASKING.values(), ids=ASKING)
def test_asking_changes_nothing(plan: str) -> None:
    assert not re.search(r"\b(CREATE|INSERT|UPDATE|DELETE|DROP|COPY|ATTACH|SET)\b", plan)


@pytest.mark.parametrize("domain", Domain)
def test_the_columns_of_a_domain_are_columns_of_omop(domain: Domain) -> None:
    columns = omop_tables()[cohorts.DOMAIN_TABLES[domain]].names
    assert set(cohorts.columns_read(domain)) <= set(columns)


def test_each_domain_table_is_read_once_for_all_its_cohorts() -> None:
    same = (*COHORTS, ConceptCohort("third", (14,), True, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END))
    plan = cohorts.plan_events(same)
    assert plan.count("FROM condition_occurrence") == plan.count("FROM procedure_occurrence") == 1
    assert "study_code.cohort IN (0, 2)" in plan
