"""An effect leaves only with its support: persons and outcomes of both cohorts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from enclos.contracts.result import HIDDEN, EstimateType, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.rules.disclosure import assess
from enclos.studies.document import study_from_yaml
from enclos.studies.rules.report import Estimate, Place, Report
from enclos.studies.steps import run_study
from enclos.studies.summary import summary
from factories.compare import World, study_text, world_cdm

GROUP = "target_cohort_name &&& comparator_cohort_name &&& outcome_cohort_name"
SETTINGS = {"comparison": "primary", "unblinded": "TRUE", "withheld_for": ""}


def place(variable: str, adjustment: str = "Adjusted") -> Place:
    return Place(GROUP, "new &&& old &&& harm", variable, None, ("adjustment", adjustment))


def result_of(n_events: tuple[int, int], *, n: int = 100, told: bool = True, more: str = "hazard_ratio") -> StudyResult:
    """One comparison of cohorts of a hundred persons each."""
    report = Report("test", "1")
    result_id = report.start("compare_estimates", GROUP, "adjustment", "", SETTINGS)
    report.add(result_id, place("Effect"), [Estimate(more, EstimateType.NUMERIC, "1.5" if told else None)])
    for at, (arm, events) in enumerate(zip(("Target", "Comparator"), n_events, strict=True)):
        persons = BitMap(range(at * n, (at + 1) * n))
        cases = BitMap(list(persons)[:events])
        counts = {"n_persons": n, "n_events": events, "person_days": 1000} if told else {"n_persons": n}
        report.add(result_id, place(arm), [Estimate(k, EstimateType.INTEGER, str(v)) for k, v in counts.items()])
        report.add_cell(result_id, place(arm), cases, persons)
    report.add(result_id, place("Diagnostics"), [Estimate("equipoise", EstimateType.NUMERIC, "0.75")])
    return report.result(np.arange(1, 2 * n + 1))


def shown(result: StudyResult, min_count: int = 11) -> dict[tuple[str, str], str | None]:
    found = assess(result, min_count)
    assert found.safe is not None, found.reasons
    return {(row["variable_name"], row["estimate_name"]): row["estimate_value"] for row in found.safe.table.to_pylist()}


def test_an_effect_with_its_support_leaves_with_its_counts() -> None:
    told = shown(result_of((30, 20)))
    assert told["Effect", "hazard_ratio"] == "1.5"
    assert told["Target", "n_events"] == "30"
    assert told["Comparator", "person_days"] == "1000"
    assert told["Diagnostics", "equipoise"] == "0.75"


@pytest.mark.parametrize("n_events", [(30, 10), (10, 30), (1, 1), (95, 30), (100, 30)])
def test_an_effect_with_too_few_outcomes_or_too_few_without_does_not(n_events: tuple[int, int]) -> None:
    told = shown(result_of(n_events))
    assert told["Effect", "hazard_ratio"] == HIDDEN
    assert told["Target", "person_days"] == told["Diagnostics", "equipoise"] == HIDDEN
    small = "Target" if not 11 <= n_events[0] <= 89 else "Comparator"
    assert told[small, "n_events"] == HIDDEN


def test_too_few_persons_hide_all() -> None:
    found = assess(result_of((3, 4), n=9), 11)
    assert found.verdict is Verdict.REFUSE
    assert found.safe is None or HIDDEN in found.safe.table["estimate_value"].to_pylist()


def test_what_was_withheld_leaves_with_its_diagnostics_and_no_number_of_outcomes() -> None:
    told = shown(result_of((30, 20), told=False))
    assert told["Effect", "hazard_ratio"] is None
    assert told["Diagnostics", "equipoise"] == "0.75"
    assert ("Target", "n_events") not in told


def test_an_unknown_number_or_a_cell_that_disagrees_is_refused() -> None:
    assert assess(result_of((30, 20), more="mean_age"), 11).verdict is Verdict.REFUSE
    good = result_of((30, 20))
    values = [row["estimate_value"] for row in good.table.to_pylist()]
    at = good.table.schema.get_field_index("estimate_value")
    changed = ["99" if value == "100" else value for value in values]
    wrong = good.table.set_column(at, good.table.schema.field(at), pa.array(changed, pa.string()))
    assert assess(StudyResult(wrong, good.settings, good.cells), 11).verdict is Verdict.REFUSE
    assert assess(StudyResult(good.table, good.settings, good.cells[:1]), 11).verdict is Verdict.REFUSE
    more = replace(good.cells[0], strata_level="Crude")
    assert assess(StudyResult(good.table, good.settings, (*good.cells, more)), 11).verdict is Verdict.REFUSE


@pytest.mark.parametrize("order", [("primary", "other"), ("other", "primary")])
def test_of_two_populations_that_differ_by_a_few_persons_the_primary_is_shown(order: tuple[str, str]) -> None:
    report = Report("test", "1")
    for at, n in enumerate((100, 96)):
        values = {**SETTINGS, "comparison": order[at]}
        result_id = report.start("compare_estimates", GROUP, "adjustment", "", values)
        report.add(result_id, place("Effect"), [Estimate("hazard_ratio", EstimateType.NUMERIC, "1.5")])
        for arm, first in (("Target", 0), ("Comparator", 200)):
            persons, cases = BitMap(range(first, first + n)), BitMap(range(first, first + 30))
            counts = (
                Estimate("n_persons", EstimateType.INTEGER, str(n)),
                Estimate("n_events", EstimateType.INTEGER, "30"),
            )
            report.add(result_id, place(arm), counts)
            report.add_cell(result_id, place(arm), cases, persons)
    found = assess(report.result(np.arange(1, 400)), 11)
    assert found.safe is not None
    effects = [row["estimate_value"] for row in found.safe.table.to_pylist() if row["variable_name"] == "Effect"]
    assert dict(zip(order, effects, strict=True)) == {"primary": "1.5", "other": HIDDEN}


def test_an_effect_rests_on_its_own_population() -> None:
    report = Report("test", "1")
    result_id = report.start("compare_estimates", GROUP, "adjustment", "", SETTINGS)
    for how, events in (("Adjusted", 30), ("Crude", 5)):
        report.add(result_id, place("Effect", how), [Estimate("hazard_ratio", EstimateType.NUMERIC, "1.5")])
        for arm, first in (("Target", 0), ("Comparator", 200)):
            spot, persons = place(arm, how), BitMap(range(first, first + 100))
            counts = {"n_persons": 100, "n_events": events}
            report.add(result_id, spot, [Estimate(k, EstimateType.INTEGER, str(v)) for k, v in counts.items()])
            report.add_cell(result_id, spot, BitMap(range(first, first + events)), persons)
    found = assess(report.result(np.arange(1, 400)), 11)
    assert found.safe is not None
    rows = [row for row in found.safe.table.to_pylist() if row["variable_name"] == "Effect"]
    assert {row["strata_level"]: row["estimate_value"] for row in rows} == {"Adjusted": "1.5", "Crude": HIDDEN}


def test_a_study_s_effect_is_the_first_thing_that_its_summary_tells() -> None:
    options = "      propensity: {variance: 0.1}\n      covariates: {windows: long_term}\n      weight: {}\n"
    result = run_study(study_from_yaml(study_text(options)), world_cdm(World(n_persons=1500, hazard_ratio=2.0), 3, 2))
    found = assess(result, 11)
    assert found.safe is not None
    first = summary(found.safe)[0]
    ratio, lower, upper = (float(str(first[name])) for name in ("hazard_ratio", "lower", "upper"))
    assert lower < ratio < upper
    assert {each.result_type for each in found.safe.settings} == {
        "compare_estimates",
        "compare_attrition",
        "compare_balance",
        "compare_score",
    }
    n = {}
    for cell in result.cells:
        for arm in ("target", "comparator"):
            if cell.variable_name.lower() == arm and cell.group_level.endswith("overall"):
                n[arm] = cell.n_denominator
    rows = found.safe.of_type("compare_balance").to_pylist()
    crude = [row for row in rows if row["strata_level"] == "Crude" and row["estimate_name"].startswith("mean_")]
    assert len(crude) > 4
    for row in crude:
        having = float(row["estimate_value"]) * n[row["estimate_name"].removeprefix("mean_")]
        assert having == pytest.approx(0) or having >= 10.99
    coefficients = [
        row for row in found.safe.of_type("compare_score").to_pylist() if row["estimate_name"] == "coefficient"
    ]
    assert coefficients
    assert HIDDEN not in {row["estimate_value"] for row in (*rows, *coefficients)}
