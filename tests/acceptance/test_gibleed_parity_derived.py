"""Cohorts made of cohorts have the rows of CohortConstructor on GiBleed.

The package's results lie beside the checkout with the data. Where they are absent, the cohorts are made of a small CDM
and the slow oracle of this repository says what is right.
"""

from __future__ import annotations

import csv
import gzip

import pytest

from enclos.studies.document import study_from_yaml
from enclos.studies.model import ConceptCohort
from enclos.studies.steps import cohort_table
from factories.built_in import OUTCOMES, built_in
from factories.studies import oracle_cohort, tables_of
from fakes.cdm import cdm_of_parquet, cdm_of_rows
from oracle.derived import fits, is_near, joined
from oracle.histories import History, Stretch, spells
from shared_data import shared

DRUGS = """
  one: {concepts: [1118084], domain: drug, limit: all, end: event_end}
  two: {concepts: [1124300], domain: drug, limit: all, end: event_end}
  bleed: {concepts: [192671], domain: condition, limit: all, end: event_end}
"""
CONDITIONS = """
  one: {concepts: [260139], domain: condition, limit: all, end: event_end}
  two: {concepts: [40481087], domain: condition, limit: all, end: event_end}
  bleed: {concepts: [192671], domain: condition, limit: all, end: event_end}
"""
STUDY = """
study: gibleed-derived
cohorts:{of_concepts}
  one_first: {{first: one}}
  two_first: {{first: two}}
  one_required: {{require: {{cohort: one_first, ages: [40, 80], days_prior_observation: 365}}}}
  two_required: {{require: {{cohort: two_first, ages: [40, 80], days_prior_observation: 365}}}}
  one_without: {{exclude: {{cohort: one_required, other: bleed, window: [null, 0]}}}}
  two_without: {{exclude: {{cohort: two_required, other: bleed, window: [null, 0]}}}}
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


@pytest.fixture(scope="module", params=[1, 5], ids=["one bucket", "five buckets"])
def rows(request: pytest.FixtureRequest) -> dict[str, list[Row]]:
    if DATA is not None and ORACLE is not None:
        cdm, of_concepts = cdm_of_parquet(DATA, request.param), DRUGS
    else:
        cdm, of_concepts = cdm_of_rows(tables_of(built_in(), OUTCOMES.values()), request.param), CONDITIONS
    found: dict[str, list[Row]] = {kind: [] for kind in FILES}
    for row in cohort_table(study_from_yaml(STUDY.format(of_concepts=of_concepts)), cdm).to_pylist():
        name, underscore, kind = row["cohort_name"].partition("_")
        if name != "bleed" and underscore + kind in found:
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
