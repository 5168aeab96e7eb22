"""Characteristics, large-scale characteristics and overlap are what CohortCharacteristics 1.1.1 gives on GiBleed.

The results of the R package lie beside the checkout with the data. Where they are absent, a small CDM made here takes
their place and the slow oracle of this repository says what is right: the same engine code runs either way.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from enclos.contracts.result import StudyResult
from enclos.studies.characterise.model import Characterisation
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study
from factories.built_in import OUTCOMES, built_in
from factories.gibleed import COHORTS, assert_equals_reference, reference
from factories.studies import oracle_cohort, tables_of
from factories.told import assert_same, told
from fakes.cdm import CdmOfTables, cdm_of_parquet, cdm_of_rows
from oracle import characterise as oracle
from shared_data import shared

ANALYSES = """
analyses:
  - characterise:
      cohort: [acetaminophen, amoxicillin, aspirin, celecoxib, diclofenac]
      age_groups: [[0, 17], [18, 64], [65, 150]]
      intersect:
        - {cohort: [sinusitis, gibleed, bronchitis, otitis], window: [null, -1], label: cond_any_prior}
      large_scale:
        windows: [[null, -1], [0, 0], [1, 365]]
        event_in_window: [condition, procedure]
        episode_in_window: drug
      overlap: true
"""
OWN = """
study: built-in
cohorts:
  gibleed: {concepts: [192671], domain: condition, limit: all, end: {days: 1}}
  bronchitis: {concepts: [260139], domain: condition, limit: all, end: {days: 1}}
analyses:
  - characterise:
      cohort: [gibleed, bronchitis]
      age_groups: [[0, 17], [18, 64], [65, 150]]
      intersect: [{cohort: [bronchitis, gibleed], window: [null, -1], label: cond_any_prior}]
      large_scale: {windows: [[null, -1], [0, 0], [1, 365]], event_in_window: condition, minimum_frequency: 0.1}
      overlap: true
"""
DATA, ORACLE = shared("omop", "gibleed"), shared("oracle", "gibleed")
FILES = {
    "cc_characteristics": "summarise_characteristics",
    "cc_lsc": "summarise_large_scale_characteristics",
    "cc_overlap": "summarise_cohort_overlap",
}


def the_result(n_buckets: int) -> StudyResult:
    cdm: CdmOfTables
    if DATA is not None and ORACLE is not None:
        cdm = cdm_of_parquet(DATA, n_buckets, name="GiBleed")
        return run_study(study_from_yaml(f"study: gibleed{COHORTS}{ANALYSES}"), cdm)
    cdm = cdm_of_rows(tables_of(built_in(), OUTCOMES.values()), n_buckets)
    return run_study(study_from_yaml(OWN), cdm)


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return the_result(1)


@pytest.mark.parametrize("file", FILES)
def test_estimates_are_the_same(result: StudyResult, file: str) -> None:
    if ORACLE is None or DATA is None:
        check_against_slow_oracle(result, FILES[file])
        return
    assert_equals_reference(result, FILES[file], reference(ORACLE, file))


def check_against_slow_oracle(result: StudyResult, result_type: str) -> None:
    study, people = study_from_yaml(OWN), built_in()
    (analysis,) = study.analyses
    assert isinstance(analysis, Characterisation)
    cohorts = [oracle_cohort(cohort) for cohort in study.cohorts]
    flags = [("flag", "Cond any prior", cohort, (None, -1)) for cohort in reversed(cohorts)]
    asked = oracle.Asked([(0, 17), (18, 64), (65, 150)], (), flags)
    windows: list[oracle.Window] = [(None, -1), (0, 0), (1, 365)]
    expected: dict[oracle.Key, oracle.Told] = {}
    for cohort in cohorts:
        if result_type == "summarise_characteristics":
            expected |= oracle.characteristics(people, cohort, asked)
        elif result_type == "summarise_large_scale_characteristics":
            expected |= oracle.concepts(people, cohort, asked, windows, episodes=False, least=0.1)
    if result_type == "summarise_cohort_overlap":
        for pair in permutations(cohorts, 2):
            expected |= oracle.overlap(people, *pair)
    assert expected
    assert_same(told(result, result_type), expected)


def test_the_result_does_not_depend_on_the_buckets(result: StudyResult) -> None:
    other = the_result(7)
    assert other.table.equals(result.table)
    assert other.settings == result.settings
    assert [cell.key for cell in other.cells] == [cell.key for cell in result.cells]
    for mine, theirs in zip(other.cells[::40], result.cells[::40], strict=True):
        assert (mine.numerator, mine.denominator) == (theirs.numerator, theirs.denominator)


def test_every_place_has_its_cell(result: StudyResult) -> None:
    keys = {cell.key for cell in result.cells}
    for row in result.table.to_pylist():
        strata, variable = (
            (row["strata_name"], row["strata_level"]),
            (row["variable_name"], row["variable_level"] or ""),
        )
        assert (row["result_id"], row["group_level"], *strata, *variable, row["additional_level"]) in keys
