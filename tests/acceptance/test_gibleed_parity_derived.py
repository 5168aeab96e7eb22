"""Cohorts made of cohorts have the rows and the attrition of CohortConstructor on GiBleed.

The package's results lie beside the checkout with the data. Where they are absent, the cohorts are made of a small CDM
and the slow oracle of this repository says what is right.
"""

from __future__ import annotations

import csv
import gzip

import pytest

from enclos.studies.document import study_from_yaml
from enclos.studies.model import ConceptCohort
from enclos.studies.steps import cohort_table, run_study
from factories.built_in import OUTCOMES, built_in
from factories.studies import oracle_cohort, tables_of
from fakes.cdm import CdmOfTables, cdm_of_parquet, cdm_of_rows
from oracle.derived import fits, is_near, joined
from oracle.diagnose import excluded, record_stages
from oracle.histories import Cohort, History, Stretch, spells
from shared_data import shared

DRUGS = """
  one: {concepts: [1118084], domain: drug, limit: all, end: event_end}
  two: {concepts: [1124300], domain: drug, limit: all, end: event_end}
  gibleed: {concepts: [192671], domain: condition, limit: all, end: event_end}
"""
CONDITIONS = """
  one: {concepts: [260139], domain: condition, limit: all, end: event_end}
  two: {concepts: [40481087], domain: condition, limit: all, end: event_end}
  gibleed: {concepts: [192671], domain: condition, limit: all, end: event_end}
"""
STUDY = """
study: gibleed-derived
cohorts:{of_concepts}
  one_first: {{first: one}}
  two_first: {{first: two}}
  one_required: {{require: {{cohort: one_first, ages: [40, 80], days_prior_observation: 365}}}}
  two_required: {{require: {{cohort: two_first, ages: [40, 80], days_prior_observation: 365}}}}
  one_without: {{exclude: {{cohort: one_required, other: gibleed, window: [null, 0]}}}}
  two_without: {{exclude: {{cohort: two_required, other: gibleed, window: [null, 0]}}}}
  one_collapsed: {{collapse: {{cohort: one, gap: 60}}}}
  two_collapsed: {{collapse: {{cohort: two, gap: 60}}}}
analyses:
  - incidence: {{outcome: one}}
"""
FILES = {
    "": "cc1_conceptCohort",
    "_required": "cc2_first_age_prior",
    "_without": "cc3_no_prior_gibleed",
    "_collapsed": "cc4_collapse60",
}
DATA, ORACLE = shared("omop", "gibleed"), shared("oracle", "gibleed")
Row = tuple[str, str, str, str]


OF_CONCEPTS = CONDITIONS if DATA is None or ORACLE is None else DRUGS


@pytest.fixture(scope="module", params=[1, 5], ids=["one bucket", "five buckets"])
def cdm(request: pytest.FixtureRequest) -> CdmOfTables:
    if DATA is not None and ORACLE is not None:
        return cdm_of_parquet(DATA, request.param)
    return cdm_of_rows(tables_of(built_in(), OUTCOMES.values()), request.param)


@pytest.fixture(scope="module")
def rows(cdm: CdmOfTables) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {kind: [] for kind in FILES}
    for row in cohort_table(study_from_yaml(STUDY.format(of_concepts=OF_CONCEPTS)), cdm).to_pylist():
        name, underscore, kind = row["cohort_name"].partition("_")
        if name != "gibleed" and underscore + kind in found:
            number = {"one": "1", "two": "2"}[name]
            values = (row["subject_id"], row["cohort_start_date"], row["cohort_end_date"])
            found[underscore + kind].append((number, *map(str, values)))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("kind", FILES, ids=list(FILES.values()))
def test_rows_are_the_same(rows: dict[str, list[Row]], kind: str) -> None:
    assert sorted(rows[kind]) == expected(kind)


def expected(kind: str) -> list[Row]:
    if DATA is not None and ORACLE is not None:
        with gzip.open(ORACLE / f"{FILES[kind]}.csv.gz", "rt", encoding="utf-8") as file:
            return sorted(tuple(row.values()) for row in csv.DictReader(file))  # type: ignore[misc]
    study = study_from_yaml(STUDY.format(of_concepts=CONDITIONS))
    one, two, bleed = (cohort for cohort in study.cohorts if isinstance(cohort, ConceptCohort))
    return sorted(
        (number, str(person.person_id), str(first), str(last))
        for person in built_in()
        for number, cohort in (("1", one), ("2", two))
        for first, last in made(
            kind, person, spells(person, oracle_cohort(cohort)), spells(person, oracle_cohort(bleed))
        )
    )


def made(kind: str, person: History, own: list[Stretch], bleed: list[Stretch]) -> list[Stretch]:
    if kind == "_collapsed":
        return joined(person, own, 60)
    if kind == "":
        return own
    required = [each for each in sorted(own)[:1] if fits(person, each[0], (40, 80), "both", 365, None)]
    return [each for each in required if kind == "_required" or not is_near(each[0], bleed, (None, 0))]


ATTRITION = {"_required": "cc2_attrition", "_without": "cc3_attrition"}
COUNTS = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")
Left = tuple[str, int, int, int, int]


@pytest.mark.parametrize("kind", ATTRITION, ids=list(ATTRITION.values()))
@pytest.mark.parametrize("number", ["one", "two"])
def test_attrition_is_the_same(cdm: CdmOfTables, kind: str, number: str) -> None:
    asked = f"diagnose: {{cohort: {number}{kind}}}"
    text = STUDY.format(of_concepts=OF_CONCEPTS).replace("incidence: {outcome: one}", asked)
    table = run_study(study_from_yaml(text), cdm).of_type("summarise_cohort_attrition")
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in table.to_pylist():
        place = (row["additional_level"], row["strata_level"])
        found.setdefault(place, {})[row["variable_name"]] = int(row["estimate_value"])
    rows = [(reason, *(counts[name] for name in COUNTS)) for (_, reason), counts in found.items()]
    assert [number for number, _ in found] == [str(n) for n in range(1, len(rows) + 1)]
    assert rows == expected_attrition(kind, number)


def expected_attrition(kind: str, number: str) -> list[Left]:
    if DATA is not None and ORACLE is not None:
        with gzip.open(ORACLE / f"{ATTRITION[kind]}.csv.gz", "rt", encoding="utf-8") as file:
            cohort = {"one": "1", "two": "2"}[number]
            rows = [row for row in csv.DictReader(file) if row["cohort_definition_id"] == cohort]
        return [(row["reason"], *(int(row[name]) for name in COUNTS)) for row in rows]  # type: ignore[misc]
    study = study_from_yaml(STUDY.format(of_concepts=CONDITIONS))
    cohorts = {cohort.name: oracle_cohort(cohort) for cohort in study.cohorts if isinstance(cohort, ConceptCohort)}
    stages: dict[str, list[int]] = {}
    for person in built_in():
        for reason, n in stages_of(kind, person, cohorts[number], spells(person, cohorts["gibleed"])).items():
            stages.setdefault(reason, []).append(n)
    return excluded({reason: (sum(n), sum(map(bool, n))) for reason, n in stages.items()})


def stages_of(kind: str, person: History, cohort: Cohort, bleed: list[Stretch]) -> dict[str, int]:
    first = sorted(spells(person, cohort))[:1]
    grown = [each for each in first if fits(person, each[0], (40, 80), "both", 0, None)]
    known = [each for each in grown if fits(person, each[0], None, "both", 365, None)]
    without = [each for each in known if not is_near(each[0], bleed, (None, 0))]
    found = {
        **record_stages(person, cohort),
        "Restricted to first entry": len(first),
        "Age requirement: 40 to 80": len(grown),
        "Sex requirement: Both": len(grown),
        "Prior observation requirement: 365 days": len(known),
        "Future observation requirement: 0 days": len(known),
    }
    last = (
        "Require 0 intersections with cohort gibleed. Intersection window: -Inf to 0 days relative to cohort_start_date"
    )
    return {**found, last: len(without)} if kind == "_without" else found
