"""The engine gives what IncidencePrevalence 1.2.1 and CDMConnector give on GiBleed, row by row and number by number.

The results of the R packages lie beside the checkout with the data. Where they are absent, a small CDM made here takes
their place and the slow oracles of this repository say what is right: the same engine code runs either way.
"""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from pathlib import Path

import pytest

from enclos.contracts.result import StudyResult, result_from_csv
from enclos.studies.document import study_from_yaml
from enclos.studies.model import Incidence, PeriodPrevalence, PointPrevalence, Population, Study
from enclos.studies.steps import cohort_table, denominator_table, run_study
from factories.built_in import OUTCOMES, built_in
from factories.studies import Counted, counted, oracle_cohort, tables_of
from fakes.cdm import CdmOfTables, cdm_of_parquet, cdm_of_rows
from oracle.histories import Requirement, spells, stays
from oracle.incidence import incidence
from oracle.prevalence import prevalence
from shared_data import shared

STUDY = """
study: gibleed-parity
cohorts:
  gibleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 1}}
  bronchitis: {concepts: [260139], descendants: true, domain: condition, limit: all, end: {days: 1}}
  sinusitis: {concepts: [40481087], descendants: true, domain: condition, limit: all, end: {days: 1}}
  otitis: {concepts: [372328], descendants: true, domain: condition, limit: all, end: {days: 1}}
analyses:
  - incidence: {outcome: [gibleed, bronchitis, sinusitis, otitis], interval: [years, overall], washout_days: all}
  - incidence: {outcome: [gibleed, bronchitis, sinusitis, otitis], interval: [years, overall], washout_days: 365,
                repeated_events: true}
  - prevalence: {outcome: [gibleed, bronchitis, sinusitis, otitis], type: point, interval: years}
"""
FILES = ("ip_gibleed_inc", "ip_gibleed_inc2", "ip_gibleed_pp")
TOLERANCE = 1e-6
LEFT_TO_THE_PACKAGE = {"package_name", "package_version"}

DATA, ORACLE = shared("omop", "gibleed"), shared("oracle", "gibleed")


def a_study() -> Study:
    return study_from_yaml(STUDY)


def the_cdm(n_buckets: int) -> CdmOfTables:
    if DATA is not None:
        return cdm_of_parquet(DATA, n_buckets, name="GiBleed")
    return cdm_of_rows(tables_of(built_in(), OUTCOMES.values()), n_buckets, name="built-in")


@pytest.fixture(scope="module", params=[1, 7], ids=["one bucket", "seven buckets"])
def cdm(request: pytest.FixtureRequest) -> CdmOfTables:
    return the_cdm(request.param)


@pytest.fixture(scope="module")
def result(cdm: CdmOfTables) -> StudyResult:
    return run_study(a_study(), cdm)


def reference(folder: Path, name: str) -> bytes:
    with gzip.open(folder / f"{name}.csv.gz") as file:
        return file.read()


def rows_of(folder: Path, name: str) -> list[tuple[str, str, str, str]]:
    reader = csv.DictReader(io.StringIO(reference(folder, name).decode("utf-8")))
    columns = ("cohort_definition_id", "subject_id", "cohort_start_date", "cohort_end_date")
    return sorted(tuple(row[column] for column in columns) for row in reader)  # type: ignore[misc]


def test_outcome_cohorts_have_the_same_rows(cdm: CdmOfTables) -> None:
    number = {name: str(at) for at, name in enumerate(OUTCOMES, start=1)}
    found = sorted(
        (number[row["cohort_name"]], str(row["subject_id"]), str(row["cohort_start_date"]), str(row["cohort_end_date"]))
        for row in cohort_table(a_study(), cdm).to_pylist()
    )
    if ORACLE is not None and DATA is not None:
        assert found == rows_of(ORACLE, "ip_outcome_cohort")
        return
    assert found == sorted(
        (number[cohort.name], str(person.person_id), str(first), str(last))
        for person in built_in()
        for cohort in a_study().cohorts
        for first, last in spells(person, oracle_cohort(cohort))
    )


@pytest.mark.parametrize(
    ("file", "names", "how"),
    [
        ("cond_cohort_end1", tuple(OUTCOMES), "limit: all, end: {days: 1}"),
        ("condf_cohort", ("gibleed", "bronchitis", "sinusitis"), "limit: first, end: observation_end"),
    ],
)
def test_concept_cohorts_have_the_same_rows(cdm: CdmOfTables, file: str, names: tuple[str, ...], how: str) -> None:
    written = [f"  {name}: {{concepts: [{OUTCOMES[name]}], domain: condition, {how}}}" for name in names]
    analysis = f"analyses:\n  - incidence: {{outcome: {names[0]}}}"
    study = study_from_yaml("\n".join(["study: conditions", "cohorts:", *written, analysis]))
    found = sorted(
        (
            str(names.index(row["cohort_name"]) + 1),
            str(row["subject_id"]),
            str(row["cohort_start_date"]),
            str(row["cohort_end_date"]),
        )
        for row in cohort_table(study, cdm).to_pylist()
    )
    if ORACLE is not None and DATA is not None:
        assert found == rows_of(ORACLE, file)
        return
    assert found == sorted(
        (str(number), str(person.person_id), str(first), str(last))
        for number, cohort in enumerate(study.cohorts, start=1)
        for person in built_in()
        for first, last in spells(person, oracle_cohort(cohort))  # type: ignore[arg-type]
    )


def test_the_denominator_has_the_same_rows(cdm: CdmOfTables) -> None:
    found = sorted(
        ("1", str(row["subject_id"]), str(row["cohort_start_date"]), str(row["cohort_end_date"]))
        for row in denominator_table(Population(), cdm).to_pylist()
    )
    if ORACLE is not None and DATA is not None:
        assert found == rows_of(ORACLE, "ip_denominator_cohort")
        return
    assert found == sorted(
        ("1", str(person.person_id), str(first), str(last))
        for person in built_in()
        for first, last in stays(person, Requirement((0, 150), "both", 0), (date.min, date.max))
    )


@pytest.mark.parametrize("number", range(len(FILES)), ids=FILES)
def test_estimates_attrition_and_settings_are_the_same(result: StudyResult, number: int) -> None:
    if ORACLE is None or DATA is None:
        check_against_slow_oracle(result, number)
        return
    expected, settings = result_from_csv(reference(ORACLE, FILES[number]))
    own_settings = result.settings[2 * number : 2 * number + 2]
    ids = [each.result_id for each in own_settings]
    own = [row for row in result.table.to_pylist() if row["result_id"] in ids]
    theirs = expected.to_pylist()
    assert len(own) == len(theirs)
    for mine, wanted in zip(own, theirs, strict=True):
        value, wanted_value = mine.pop("estimate_value"), wanted.pop("estimate_value")
        assert {**mine, "result_id": mine["result_id"] - 2 * number} == wanted
        if wanted["estimate_name"] in {"outcome_count", "denominator_count", "person_days", "count"}:
            assert value == wanted_value
        else:
            assert abs(float(value) - float(wanted_value)) <= TOLERANCE
    for mine_of, wanted_of in zip(own_settings, settings, strict=True):
        shared_names = wanted_of.values.keys() - LEFT_TO_THE_PACKAGE
        assert {name: mine_of.values[name] for name in shared_names} == {
            name: wanted_of.values[name] for name in shared_names
        }


def check_against_slow_oracle(result: StudyResult, number: int) -> None:
    study, people = a_study(), built_in()
    analysis = study.analyses[number]
    assert not isinstance(analysis, PeriodPrevalence)
    kind = "incidence" if isinstance(analysis, Incidence) else "prevalence"
    part = StudyResult(result.table, result.settings[2 * number : 2 * number + 2], result.cells)
    found = counted(part, kind)
    days = (min(p[0] for each in people for p in each.periods), max(p[1] for each in people for p in each.periods))
    kinds = [each.value for each in analysis.intervals]
    everyone = Requirement((0, 150), "both", 0)
    for cohort in study.cohorts:
        if isinstance(analysis, PointPrevalence):
            expected = {
                window: Counted(len(s.present), len(s.cases), None, frozenset(s.present), frozenset(s.cases))
                for window, s in prevalence(
                    people, everyone, oracle_cohort(cohort), days, kinds=kinds, time_point="start"
                ).items()
            }
        else:
            rates = incidence(
                people,
                everyone,
                oracle_cohort(cohort),
                days,
                kinds=kinds,
                washout=analysis.washout_days,
                repeated=analysis.repeated_events,
                complete=True,
            )
            expected = {
                window: Counted(len(r.at_risk), r.n_events, r.person_days, frozenset(r.at_risk), frozenset(r.cases))
                for window, r in rates.items()
            }
        assert expected
        assert found[1, cohort.name] == expected


def test_the_cells_hold_who_was_counted(result: StudyResult) -> None:
    texts = {}
    for row in result.table.to_pylist():
        strata = (row["strata_name"], row["strata_level"])
        key = (row["result_id"], row["group_level"], *strata, "", "", row["additional_level"])
        texts[(*key, row["estimate_name"])] = row["estimate_value"]
    assert len(result.cells) == sum(name == "denominator_count" for name in result.table["estimate_name"].to_pylist())
    point = result.settings[4].result_id
    for cell in result.cells[::40]:
        assert len(cell.denominator) == cell.n_denominator == int(texts[(*cell.key, "denominator_count")])
        assert cell.numerator <= cell.denominator
        n_events = int(texts[(*cell.key, "outcome_count")])
        assert cell.n_numerator == n_events if cell.result_id == point else cell.n_numerator <= n_events


def test_the_result_does_not_depend_on_the_buckets(result: StudyResult) -> None:
    other = run_study(a_study(), the_cdm(3))
    assert other.table.equals(result.table)
    assert other.settings == result.settings
    assert [cell.key for cell in other.cells] == [cell.key for cell in result.cells]
    for mine, theirs in zip(other.cells[::60], result.cells[::60], strict=True):
        assert mine.numerator == theirs.numerator
        assert mine.denominator == theirs.denominator
