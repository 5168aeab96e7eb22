"""Controls, balance and coefficients leave where each count behind them may be told, and no control is hidden alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from enclos.contracts.result import HIDDEN, OVERALL, SEPARATOR, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.release.rules.rounding import Rounding
from enclos.studies.rules.report import Estimate, Part, Place, Report, number

K = 11
ARMS = (BitMap(range(1000)), BitMap(range(1000, 2500)))
COMPARED = SEPARATOR.join(("target_cohort_name", "comparator_cohort_name", "outcome_cohort_name"))


def _group(outcome: str) -> str:
    return SEPARATOR.join(("new", "old", outcome))


def part(arm: int, n: int, start: int = 0) -> Part:
    """So many persons of a cohort."""
    return BitMap(list(ARMS[arm])[start : start + n]), ARMS[arm]


def controls(counts: Mapping[str, tuple[int, int]]) -> StudyResult:
    """Negative controls of a comparison: how many of each cohort have each; no two share a person."""
    report = Report("test", "1")
    result_id = report.start("compare_controls", COMPARED, "adjustment", "", {"comparison": "primary"})
    starts = [0, 0]
    for at, (name, (target, comparator)) in enumerate(counts.items()):
        place = Place(COMPARED, _group(name), "Effect", None, ("adjustment", "Adjusted"))
        report.add(result_id, place, [number("hazard_ratio", 1.1 + at), number("left_out_p", 0.4)])
        report.add_parts(result_id, place, [part(0, target, starts[0]), part(1, comparator, starts[1])])
        starts = [starts[0] + target, starts[1] + comparator]
        made = Place(COMPARED, _group(name), "Positive control", "2", ("adjustment", "Adjusted"))
        report.add(result_id, made, [number("hazard_ratio", 2.1 + at)])
    whole = Place(COMPARED, _group(OVERALL), "Systematic error", None, ("adjustment", "Adjusted"))
    report.add(result_id, whole, [number("mean", 0.1), number("ease", 0.2)])
    return report.result(np.arange(1, 3000))


def shown(result: StudyResult, k: int = K) -> dict[tuple[str, str, str], str | None]:
    safe = assess(result, k).safe
    rows = [] if safe is None else safe.table.to_pylist()
    names = ("group_level", "variable_name", "estimate_name")
    return {(row[names[0]].split(SEPARATOR)[-1], row[names[1]], row[names[2]]): row["estimate_value"] for row in rows}


def test_controls_with_enough_outcomes_in_both_cohorts_leave_whole() -> None:
    found = shown(controls({"a": (20, 30), "b": (40, 25), "c": (12, 11)}))
    assert HIDDEN not in found.values()
    assert found["b", "Positive control", "hazard_ratio"] == "3.1"


def test_a_control_of_a_few_is_not_hidden_alone() -> None:
    found = shown(controls({"a": (20, 30), "b": (40, 4), "c": (12, 11)}))
    # mean and deviation over three, and two of them, would give the third back
    assert {found[name, "Effect", "hazard_ratio"] for name in "bc"} == {HIDDEN}
    assert found["b", "Positive control", "hazard_ratio"] == HIDDEN
    assert found["a", "Effect", "hazard_ratio"] == "1.1"


def test_what_all_controls_tell_together_is_shown_where_all_are() -> None:
    found = shown(controls({"a": (20, 30), "b": (40, 4), "c": (30, 11), "d": (30, 30)}))
    assert found["a", "Effect", "left_out_p"] == found[OVERALL, "Systematic error", "mean"] == HIDDEN


def test_two_controls_that_differ_by_a_few_are_not_both_told() -> None:
    report = Report("test", "1")
    result_id = report.start("compare_controls", COMPARED, "adjustment", "", {"comparison": "primary"})
    for name, n in {"code": 40, "code or another": 43, "c": 30, "d": 35}.items():
        place = Place(COMPARED, _group(name), "Effect", None, ("adjustment", "Adjusted"))
        report.add(result_id, place, [number("hazard_ratio", 1.5)])
        start = 0 if name.startswith("code") else 100 if name == "c" else 200
        report.add_parts(result_id, place, [part(0, n, start), part(1, 60, start)])
    found = shown(report.result(np.arange(1, 3000)))
    assert [found[name, "Effect", "hazard_ratio"] for name in ("code", "code or another")].count(HIDDEN) == 1
    assert list(found.values()).count(HIDDEN) == 2  # and not that one alone


@pytest.mark.parametrize("kind", ["sccs_controls", "case_control_controls", "case_crossover_controls"])
def test_a_control_of_a_design_around_cases_rests_on_all_its_counts(kind: str) -> None:
    ratio = "rate_ratio" if kind == "sccs_controls" else "odds_ratio"
    report = Report("test", "1")
    result_id = report.start(kind, "outcome_cohort_name", "true_ratio", "", {})
    for at, (name, few) in enumerate({"a": 30, "b": 30, "c": 5, "d": 30}.items()):
        place = Place("outcome_cohort_name", name, "exposed", "drug", ("true_ratio", "1"))
        report.add(result_id, place, [number(ratio, 1.2), number("standard_error", 0.2)])
        of = Place("outcome_cohort_name", name, "exposed", "drug")
        report.add_parts(result_id, of, [part(0, 40, 100 * at), part(1, few, 100 * at)])
    found = shown(report.result(np.arange(1, 3000)))
    assert {found[name, "exposed", "standard_error"] for name in "ac"} == {HIDDEN}
    assert found["b", "exposed", ratio] == "1.2"


def covariates(
    kind: str, names: Sequence[str], estimates: Sequence[Estimate], parts: Sequence[Sequence[Part]]
) -> StudyResult:
    """One line a covariate."""
    report = Report("test", "1")
    result_id = report.start(kind, COMPARED, "adjustment", "covariate_id", {"comparison": "primary"})
    for at, (name, own) in enumerate(zip(names, parts, strict=True)):
        additional = ("covariate_id", str(40162359410 + at))
        place = Place(COMPARED, _group("harm"), name, None, ("adjustment", "Adjusted"), additional)
        report.add(result_id, place, estimates)
        report.add_parts(result_id, place, own)
    return report.result(np.arange(1, 3000))


def test_a_covariate_of_a_few_leaves_no_line() -> None:
    said = [number("mean_target", 0.1), number("mean_comparator", 0.05), number("smd", 0.2)]
    parts = [[part(0, 100), part(1, 75)], [part(0, 100, 200), part(1, 5, 200)], [part(0, 300, 400), part(1, 0)], []]
    found = shown(covariates("compare_balance", ["asthma", "gout", "migraine", "number of visits"], said, parts))
    assert {variable for _, variable, _ in found} == {"asthma", "migraine"}
    assert HIDDEN not in found.values()


def test_a_coefficient_needs_persons_with_and_without_in_both_cohorts() -> None:
    said = [number("coefficient", 0.7)]
    parts = [[part(0, 100), part(1, 75)], [part(0, 995), part(1, 700, 100)], [part(0, 300, 400), part(1, 0)]]
    found = shown(covariates("compare_score", ["asthma", "one person dummy", "migraine"], said, parts))
    assert found == {("harm", "asthma", "coefficient"): "0.7"}


def test_a_score_with_nearly_as_many_coefficients_as_persons_is_not_told() -> None:
    """Each coefficient alone is of enough; together they say of everybody what they have."""
    arms = BitMap(range(40)), BitMap(range(40, 80))
    both = [((BitMap(range(14)), arms[0]), (BitMap(range(40, 54)), arms[1]))]
    for n, is_told in ((40, True), (68, True), (69, False), (79, False)):
        names = [f"covariate {at}" for at in range(n)]
        found = shown(covariates("compare_score", names, [number("coefficient", 0.7)], both * n))
        assert bool(found) is is_told, n


def test_covariates_that_differ_by_a_few_are_not_both_told() -> None:
    said = [number("mean_target", 0.1), number("mean_comparator", 0.05), number("smd", 0.2)]
    parts = [[part(0, 100), part(1, 75)], [part(0, 104), part(1, 400, 300)]]
    found = shown(covariates("compare_balance", ["in a month", "in a year"], said, parts))
    assert {variable for _, variable, _ in found} == {"in a year"}


def test_a_number_that_is_none_and_a_line_said_twice_are_refused() -> None:
    result = controls({"a": (20, 30), "b": (40, 25)})
    rows = result.table.to_pylist()
    for forged in (rows + rows[:1], [{**rows[0], "estimate_value": "person 17"}, *rows[1:]]):
        table = pa.Table.from_pylist(forged, result.table.schema)
        assert assess(StudyResult(table, result.settings, result.cells), K).safe is None


def test_estimates_without_persons_behind_them_stay_inside() -> None:
    result = controls({"a": (20, 30), "b": (40, 25)})
    bare = StudyResult(result.table, result.settings, ())
    assert set(shown(bare).values()) <= {HIDDEN}


def test_where_counts_are_rounded_models_keep_three_digits_and_balance_stays() -> None:
    rounding = Rounding(5, b"key", lambda numbers: numbers)
    said = [number("coefficient", 0.71704)]
    names, parts = ["asthma"], [[part(0, 100), part(1, 75)]]
    found = assess(covariates("compare_score", names, said, parts), K, rounding)
    assert found.safe is not None
    assert found.safe.table["estimate_value"].to_pylist() == ["0.717"]
    balanced = assess(covariates("compare_balance", names, [number("smd", 0.2)], parts), K, rounding)
    assert balanced.safe is None or HIDDEN in balanced.safe.table["estimate_value"].to_pylist()
