"""Drug cohorts, their use, indications and coverage are what DrugUtilisation 1.2.0 gives on GiBleed.

The results of the R package lie beside the checkout with the data. Where they are absent, a small CDM made here takes
their place and the slow oracle of this repository says what is right: the same engine code runs either way.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from enclos.contracts.result import StudyResult
from enclos.studies.document import study_from_yaml
from enclos.studies.model import Study
from enclos.studies.steps import cohort_table, run_study
from factories.built_in import OUTCOMES, built_in
from factories.gibleed import COHORTS, assert_equals_reference, reference
from factories.studies import oracle_cohort, tables_of
from factories.told import assert_same, told
from fakes.cdm import CdmOfTables, cdm_of_parquet, cdm_of_rows
from oracle import utilisation as oracle
from oracle.histories import Exposure, History, spells
from shared_data import shared

ANALYSES = """
analyses:
  - utilisation:
      cohort: [acetaminophen, amoxicillin, aspirin, celecoxib, diclofenac]
      exposures: [acetaminophen, amoxicillin, celecoxib, diclofenac]
      gap_era: 30
      indication: {cohort: [gibleed, bronchitis, sinusitis, otitis], windows: [[0, 0], [-30, 0], [null, 0]],
                   unknown: condition}
      covered_days: 180
"""
OWN = """
study: built-in
cohorts:
  drug: {concepts: [4], domain: drug, limit: all, end: event_end, gap_era: 30}
  bronchitis: {concepts: [260139], domain: condition, limit: all, end: {days: 1}}
analyses:
  - utilisation: {cohort: drug, indication: {cohort: bronchitis, windows: [[-30, 0]]}, covered_days: 60}
"""
DATA, ORACLE = shared("omop", "gibleed"), shared("oracle", "gibleed")
DRUGS = ("acetaminophen", "amoxicillin", "aspirin", "celecoxib", "diclofenac")
FILES = {
    "du_summary": "summarise_drug_utilisation",
    "du_indication": "summarise_indication",
    "du_ppc": "summarise_proportion_of_patients_covered",
    "cc_attrition": "summarise_cohort_attrition",
}


def treated() -> list[History]:
    """The forty persons, each with five exposures: some overlap, some are parted by a gap of an era or more."""
    people = []
    for number, person in enumerate(built_in()):
        start = person.periods[0][0]
        exposures = [
            Exposure(4, first, first + timedelta(days=20 + number % 3), 10.0 * number)
            for first in (start + timedelta(days=7 * number % 90 + gap) for gap in (0, 10, 45, 82, 160))
        ]
        people.append(replace(person, exposures=tuple(exposures)))
    return people


def the_study() -> Study:
    return study_from_yaml(f"study: gibleed{COHORTS}{ANALYSES}" if DATA is not None and ORACLE is not None else OWN)


def the_cdm(n_buckets: int) -> CdmOfTables:
    if DATA is not None and ORACLE is not None:
        return cdm_of_parquet(DATA, n_buckets, name="GiBleed")
    return cdm_of_rows(tables_of(treated(), (*OUTCOMES.values(), 4)), n_buckets)


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return run_study(the_study(), the_cdm(1))


def test_cohorts_with_gap_eras_have_the_same_rows() -> None:
    found = sorted(
        (row["cohort_name"], str(row["subject_id"]), str(row["cohort_start_date"]), str(row["cohort_end_date"]))
        for row in cohort_table(the_study(), the_cdm(2)).to_pylist()
        if row["cohort_name"] in {*DRUGS, "drug"}
    )
    if ORACLE is None or DATA is None:
        cohort = oracle_cohort(the_study().cohorts[0])  # type: ignore[arg-type]
        assert found == sorted(
            ("drug", str(person.person_id), str(first), str(last))
            for person in treated()
            for first, last in spells(person, cohort)
        )
        return
    columns = ("subject_id", "cohort_start_date", "cohort_end_date")
    assert found == sorted(
        (DRUGS[int(row["cohort_definition_id"]) - 1], *(row[name] for name in columns))
        for row in rows_of("du_cohort_gap30")
    )


def rows_of(name: str) -> list[dict[str, str]]:
    assert ORACLE is not None
    with gzip.open(ORACLE / f"{name}.csv.gz") as file:
        return list(csv.DictReader(io.StringIO(file.read().decode("utf-8"))))


def test_attrition_and_gap_of_cohorts_with_gap_eras(result: StudyResult) -> None:
    """Records, persons and the reasons in words; a cohort that nobody is in has them too."""
    of_cohort = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in result.of_type("summarise_cohort_attrition").to_pylist():
        place = found.setdefault((row["group_level"], row["additional_level"]), {"reason": row["strata_level"]})
        place[row["variable_name"]] = row["estimate_value"]
    gaps = {each.name: str(each.gap_era_days) for each in the_study().cohorts if getattr(each, "gap_era_days", None)}
    if ORACLE is None or DATA is None:
        assert gaps == {"drug": "30"}
        assert {place: each["reason"] for place, each in found.items()} == {
            ("drug", "1"): "Initial qualifying events",
            ("drug", "2"): "Collapse records separated by 30 or less days",
        }
        return
    assert gaps == {row["cohort_name"]: row["gap_era"] for row in rows_of("du_settings")}
    assert found == {
        (DRUGS[int(row["cohort_definition_id"]) - 1], row["reason_id"]): {
            name: row[name] for name in ("reason", *of_cohort)
        }
        for row in rows_of("du_attrition_gap30")
    }


@pytest.mark.parametrize("file", FILES)
def test_estimates_are_the_same(result: StudyResult, file: str) -> None:
    if ORACLE is None or DATA is None:
        check_against_slow_oracle(result, FILES[file])
        return
    assert_equals_reference(result, FILES[file], reference(ORACLE, file))


def check_against_slow_oracle(result: StudyResult, result_type: str) -> None:
    drug, reason = (oracle_cohort(cohort) for cohort in the_study().cohorts)  # type: ignore[arg-type]
    people, found = treated(), told(result, result_type)
    if result_type == "summarise_drug_utilisation":
        expected = oracle.use(people, drug, {"drug": drug.concepts}, gap=30, to_cohort_end=True, incident=True)
        assert_same(found, expected)
    elif result_type == "summarise_indication":
        expected = oracle.indications(people, drug, [reason], [(-30, 0)], unknown=False)
        assert_same({(*key[:3], key[5], *key[4:]): at for key, at in found.items()}, expected)
    elif result_type == "summarise_proportion_of_patients_covered":
        assert {int(key[5]): (at.persons, at.among) for key, at in found.items()} == oracle.covered(people, drug, 60)
    else:
        left = {(key[5], key[3]): at.estimates["count"] for key, at in found.items()}
        n = [sum(len(spells(person, replace(drug, gap=gap))) for person in people) for gap in (0, 30)]
        assert [left["1", "number_records"], left["2", "number_records"], left["2", "excluded_records"]] == [
            *n,
            n[0] - n[1],
        ]


def test_the_result_does_not_depend_on_the_buckets(result: StudyResult) -> None:
    other = run_study(the_study(), the_cdm(7))
    assert other.table.equals(result.table)
    assert [cell.key for cell in other.cells] == [cell.key for cell in result.cells]
    for mine, theirs in zip(other.cells[::40], result.cells[::40], strict=True):
        assert (mine.numerator, mine.denominator) == (theirs.numerator, theirs.denominator)
