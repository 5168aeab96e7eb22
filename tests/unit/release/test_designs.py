"""Ratios of designs around cases leave with all counts that they rest on, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from enclos.contracts.result import HIDDEN, EstimateType, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.studies.rules.report import Estimate, Place, Report

GROUP = "outcome_cohort_name"
N_PERSONS = 2000


def place(variable: str, level: str | None = None) -> Place:
    return Place(GROUP, "bleed", variable, level)


def counts(**values: int) -> list[Estimate]:
    return [Estimate(name, EstimateType.INTEGER, str(value)) for name, value in values.items()]


def series(cases: Mapping[str, int], *, told: bool = True, knots: int = 0) -> StudyResult:
    """A case series of persons with one outcome each: how many had it in each window and in the reference time."""
    report = Report("test", "1")
    everyone = BitMap(range(sum(cases.values())))
    diagnostics = report.start("sccs_diagnostics", GROUP, "", "", {"exposures": "drug"})
    said = [Estimate(name, EstimateType.NUMERIC, "1.1") for name in ("estimate", "most")]
    said.append(Estimate("verdict", EstimateType.CHARACTER, "pass"))
    report.add(diagnostics, place("pre_exposure_gain", "drug"), said)
    report.add_cell(diagnostics, place("pre_exposure_gain", "drug"), everyone, everyone)
    splines = {f"{name}_knots": str(knots) for name in ("age", "season", "calendar")} if knots else {}
    result_id = report.start("sccs", GROUP, "", "", {"exposures": "drug", **splines})
    first = 0
    for window, n in cases.items():
        having = BitMap(range(first, first + n))
        own = counts(n_persons=len(everyone), **({"n_events": n, "person_days": 5000} if told else {}))
        if told and window != "reference":
            own.append(Estimate("rate_ratio", EstimateType.NUMERIC, "2.5"))
        report.add(result_id, place(window, "drug"), own)
        report.add_cell(result_id, place(window, "drug"), having, everyone)
        first += n
    said = [
        *counts(n_cases=len(everyone), n_events=len(everyone)),
        Estimate("status", EstimateType.CHARACTER, "converged"),
        Estimate("blinded", EstimateType.LOGICAL, "FALSE" if told else "TRUE"),
        Estimate("log_likelihood", EstimateType.NUMERIC, "-812.5"),
    ]
    report.add(result_id, place("model"), said)
    report.add_cell(result_id, place("model"), everyone, everyone)
    return report.result(np.arange(1, N_PERSONS))


def shown(result: StudyResult, min_count: int = 11) -> dict[tuple[str, str], str | None]:
    found = assess(result, min_count)
    assert found.safe is not None, found.reasons
    return {(row["variable_name"], row["estimate_name"]): row["estimate_value"] for row in found.safe.table.to_pylist()}


def test_a_series_with_enough_in_every_window_leaves_whole() -> None:
    told = shown(series({"exposed": 40, "before": 15, "reference": 100}))
    assert HIDDEN not in told.values()
    assert told["exposed", "rate_ratio"] == "2.5"
    assert told["pre_exposure_gain", "verdict"] == "pass"


@pytest.mark.parametrize(("knots", "is_told"), [(0, True), (45, True), (46, False), (50, False)])
def test_a_series_with_nearly_as_many_coefficients_as_cases_tells_no_ratio(knots: int, *, is_told: bool) -> None:
    """Of 155 cases three splines of 46 knots, with two more each, and two windows leave nine degrees."""
    told = shown(series({"exposed": 40, "before": 15, "reference": 100}, knots=knots))
    for place in (("exposed", "rate_ratio"), ("model", "log_likelihood")):
        assert (told[place] != HIDDEN) is is_told
    assert told["exposed", "n_events"] == "40"


def test_one_small_window_is_not_hidden_alone_and_takes_what_measured_all_windows() -> None:
    told = shown(series({"exposed": 40, "before": 5, "after": 12, "reference": 100}))
    # all outcomes less those of the other windows and of the reference would be the five
    assert told["before", "n_events"] == told["after", "n_events"] == told["after", "rate_ratio"] == HIDDEN
    assert (told["exposed", "rate_ratio"], told["exposed", "n_events"]) == ("2.5", "40")
    assert told["pre_exposure_gain", "estimate"] == told["model", "log_likelihood"] == HIDDEN
    assert told["pre_exposure_gain", "verdict"] == "pass"
    assert told["model", "n_cases"] == "157"


def test_two_small_windows_are_hidden_with_a_third_where_they_are_too_few_together() -> None:
    told = shown(series({"exposed": 40, "before": 4, "after": 3, "later": 30, "reference": 100}))
    assert [told[window, "n_events"] for window in ("before", "after", "later")] == [HIDDEN] * 3
    assert told["exposed", "rate_ratio"] == "2.5"
    told = shown(series({"exposed": 40, "before": 6, "after": 7, "later": 30, "reference": 100}))
    assert told["later", "rate_ratio"] == "2.5"


def test_no_ratio_without_enough_in_the_reference_time() -> None:
    told = shown(series({"exposed": 40, "before": 60, "reference": 9}))
    assert {told[window, "rate_ratio"] for window in ("exposed", "before")} == {HIDDEN}


def test_what_a_blinded_series_measured_of_small_windows_is_hidden_too() -> None:
    told = shown(series({"exposed": 40, "before": 5, "reference": 100}, told=False))
    assert told["pre_exposure_gain", "estimate"] == HIDDEN
    assert told["model", "blinded"] == "TRUE"


def controls(*ways: tuple[int, int, int, int]) -> StudyResult:
    """By way of asking cases exposed and not, controls exposed and not; each a person of their own."""
    report = Report("test", "1")
    for at, n in enumerate(ways):
        with report.asked_as(f"way_{at}" if at else "primary"):
            add_controls(report, n)
    return report.result(np.arange(1, N_PERSONS))


def add_controls(report: Report, n: tuple[int, int, int, int]) -> None:
    result_id = report.start("case_control", GROUP, "", "", {})
    edges = np.cumsum([0, *n]).tolist()
    parts = [BitMap(range(a, b)) for a, b in pairwise(edges)]
    cases, others = parts[0] | parts[1], parts[2] | parts[3]
    own = counts(
        n_cases=len(cases), n_cases_exposed=n[0], n_controls=len(others), n_controls_exposed=n[2]
    )  # each person once
    report.add(result_id, place("exposed", "drug"), [*own, Estimate("odds_ratio", EstimateType.NUMERIC, "1.7")])
    names = ("exposed", "unexposed cases", "controls", "unexposed controls")
    for name, having, among in zip(names, parts, (cases, cases, others, others), strict=True):
        report.add_cell(result_id, place(name, "drug"), having, among)


@pytest.mark.parametrize("larger", [1, 0])
def test_of_two_ways_of_asking_that_differ_by_a_few_the_primary_one_leaves(larger: int) -> None:
    ways = [(30, 60, 100, 300), (33, 60, 100, 300)]
    result = controls(ways[1 - larger], ways[larger])
    found = assess(result, 11)
    assert found.safe is not None, found.reasons
    ratios = [row for row in found.safe.table.to_pylist() if row["estimate_name"] == "odds_ratio"]
    assert [row["estimate_value"] for row in ratios] == ["1.7", HIDDEN]
    apart = assess(controls((30, 60, 100, 300), (45, 77, 151, 420)), 11).safe
    assert apart is not None
    assert HIDDEN not in apart.table["estimate_value"].to_pylist()


@pytest.mark.parametrize("small", range(4))
def test_one_small_cell_of_the_four_hides_the_odds_ratio_with_all_counts(small: int) -> None:
    n = [30, 60, 100, 300]
    told = shown(controls((n[0], n[1], n[2], n[3])))
    assert (told["exposed", "odds_ratio"], told["exposed", "n_controls_exposed"]) == ("1.7", "100")
    n[small] = 7
    found = assess(controls((n[0], n[1], n[2], n[3])), 11)
    values = [] if found.safe is None else found.safe.table["estimate_value"].to_pylist()
    assert set(values) <= {HIDDEN}


def test_a_count_that_its_persons_do_not_bear_out_is_refused() -> None:
    result = controls((30, 60, 100, 300))
    at = result.table["estimate_name"].to_pylist().index("n_cases_exposed")
    values = result.table["estimate_value"].to_pylist()
    values[at] = "29"
    place_of = result.table.schema.get_field_index("estimate_value")
    forged = result.table.set_column(place_of, "estimate_value", pa.array(values, pa.string()))
    found = assess(StudyResult(forged, result.settings, result.cells), 11)
    assert found.safe is None
