"""Survival gives what CohortSurvival 1.1.2 gives on GiBleed, from a study file, number by number.

The results of the R package lie beside the checkout with the data. Where they are absent, cohorts made here take their
place and the slow oracle of this repository says what is right.
"""

from __future__ import annotations

import gzip
from collections import Counter

import pyarrow as pa
import pytest

from enclos.contracts.result import StudyResult, result_from_csv
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AfterDays, ConceptCohort, Domain, Limit, Study
from enclos.studies.steps import run_study
from enclos.studies.survival.model import Shown, Survival
from factories.built_in import OUTCOMES, built_in
from factories.studies import oracle_cohort, tables_of
from factories.survival import left, said
from fakes.cdm import cdm_of_parquet, cdm_of_rows
from oracle.survival import OUTCOME, Entry, Rules, entries, surviving
from shared_data import shared

DATA, ORACLE = shared("omop", "gibleed"), shared("oracle", "gibleed")
STUDY = """
study: survival-parity
cohorts:
  acetaminophen: {concepts: [1127433, 1127078, 40231925], descendants: false, domain: drug, limit: all, end: event_end,
                  gap_era: 30}
  amoxicillin: {concepts: [1713671], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  celecoxib: {concepts: [1118084], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  diclofenac: {concepts: [1124300], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  gibleed: {concepts: [192671], domain: condition, limit: first, end: observation_end}
  bronchitis: {concepts: [260139], domain: condition, limit: first, end: observation_end}
  sinusitis: {concepts: [40481087], domain: condition, limit: first, end: observation_end}
analyses:
  - survival: {target: [acetaminophen, amoxicillin, celecoxib, diclofenac],
               outcome: [gibleed, bronchitis, sinusitis], event_gap: 365}
"""
OURS = {"package_name", "package_version"}


def cohort(name: str, concept: int) -> ConceptCohort:
    return ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, AfterDays(1))


def of_built_in_cohorts(n_buckets: int) -> StudyResult:
    """The same analysis of four conditions of forty persons."""
    return run_study(BUILT_IN, cdm_of_rows(tables_of(built_in(), OUTCOMES.values()), n_buckets))


BUILT_IN = Study(
    "built-in",
    tuple(cohort(name, concept) for name, concept in OUTCOMES.items()),
    (Survival(("otitis",), ("gibleed", "bronchitis"), shown=Shown(event_gap_days=365)),),
)


def result_of(n_buckets: int) -> StudyResult:
    if DATA is not None and ORACLE is not None:
        return run_study(study_from_yaml(STUDY), cdm_of_parquet(DATA, n_buckets, name="GiBleed"))
    return of_built_in_cohorts(n_buckets)


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return result_of(1)


def test_every_estimate_count_and_summary_is_the_same(result: StudyResult) -> None:
    if ORACLE is None or DATA is None:
        check_against_slow_oracle(result)
        return
    with gzip.open(ORACLE / "cs_single.csv.gz") as file:
        expected, settings = result_from_csv(file.read())
    for kind, n_rows in {"estimates": 835_584, "events": 2_343, "summary": 312}.items():
        ids = [each.result_id for each in settings if each.result_type == f"survival_{kind}"]
        wanted = expected.filter(pa.compute.is_in(expected["result_id"], pa.array(ids)))
        found = result.of_type(f"survival_{kind}")
        assert wanted.num_rows == n_rows
        assert Counter(zip(*found.to_pydict().values(), strict=True)) == Counter(
            zip(*wanted.to_pydict().values(), strict=True)
        )
    for mine, theirs in zip(result.settings, settings, strict=True):
        assert {k: v for k, v in mine.values.items() if k not in OURS} == {
            k: v for k, v in theirs.values.items() if k not in OURS
        }


def test_attrition_from_the_made_cohort_on_is_the_same(result: StudyResult) -> None:
    if ORACLE is None or DATA is None:
        check_attrition_against_slow_oracle(result)
        return
    with gzip.open(ORACLE / "cs_single.csv.gz") as file:
        expected, settings = result_from_csv(file.read())
    theirs = StudyResult(expected, settings)
    wanted = {}
    for (target, outcome), reasons in left(theirs).items():
        # Theirs names the target with its number and first tells how the cohort itself was made.
        wanted[target.rpartition("_")[0], outcome] = [("Initial qualifying events", *reasons[1][1:]), *reasons[2:]]
    assert left(result) == wanted


def test_the_result_does_not_depend_on_the_buckets(result: StudyResult) -> None:
    other = result_of(5)
    assert other.table.equals(result.table)
    assert [cell.key for cell in other.cells] == [cell.key for cell in result.cells]
    for mine, theirs in zip(other.cells[::50], result.cells[::50], strict=True):
        assert mine.numerator == theirs.numerator
        assert mine.denominator == theirs.denominator


def test_events_and_summaries_have_their_persons_in_a_cell(result: StudyResult) -> None:
    behind = {cell.key: cell for cell in result.cells}
    assert len(behind) == len(result.cells)
    n_counts = 0
    for kind in ("survival_events", "survival_summary"):
        for row in result.of_type(kind).to_pylist():
            if row["estimate_name"] != "n_events_count":
                continue
            variable = (row["variable_name"], row["variable_level"])
            strata = (row["strata_name"], row["strata_level"])
            cell = behind[row["result_id"], row["group_level"], *strata, *variable, row["additional_level"]]
            assert cell.n_numerator <= int(row["estimate_value"])
            assert (cell.n_numerator == 0) == (row["estimate_value"] == "0")
            assert cell.dense_numerator <= cell.dense_denominator
            n_counts += 1
    assert n_counts > 5


def followed(target: str, outcome: str) -> list[Entry]:
    cohorts = {each.name: oracle_cohort(each) for each in BUILT_IN.cohorts}
    return [
        entry for person in built_in() for entry in entries(person, cohorts[target], cohorts[outcome], None, Rules())
    ]


def check_against_slow_oracle(result: StudyResult) -> None:
    for outcome in ("gibleed", "bronchitis"):
        kept = [each for each in followed("otitis", outcome) if each.left_out is None]
        assert sum(each.ending == OUTCOME for each in kept) > 3
        estimates = said(result, "estimates")["otitis", outcome, "overall", "overall"]
        for day in sorted({each.n_days for each in kept}):
            wanted = surviving(kept, [1.0] * len(kept), day)
            assert abs((estimates[day]["estimate"] or 0.0) - wanted) <= 0.5e-4 + 1e-9
        events = said(result, "events")["otitis", outcome, "overall", "overall"]
        assert {day: each["n_risk_count"] for day, each in events.items()} == {
            day: sum(each.n_days >= day for each in kept) for day in events
        }
        summary = said(result, "summary")["otitis", outcome, "overall", "overall"][0]
        assert summary["number_records_count"] == len(kept)


def check_attrition_against_slow_oracle(result: StudyResult) -> None:
    for outcome in ("gibleed", "bronchitis"):
        found = followed("otitis", outcome)
        rest = [found, [each for each in found if each.left_out != "washout"]]
        rest.append([each for each in found if each.left_out is None])
        assert [each[1:] for each in left(result)["otitis", outcome]] == [
            (len(each), len({entry.person_id for entry in each})) for each in rest
        ]
