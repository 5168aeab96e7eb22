"""Curves of comparisons leave as life tables of wider steps where each entry counts once, not where it is weighed."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study
from factories.compare import World, study_text, world_cdm

K = 11
OPTIONS = "      propensity: {variance: 0.1}\n      covariates: {windows: long_term}\n"


@cache
def compared(adjustment: str) -> StudyResult:
    text = study_text(f"{OPTIONS}      {adjustment}\n")
    return run_study(study_from_yaml(text), world_cdm(World(n_persons=1200, hazard_ratio=2.0, base_hazard=0.15), 3, 2))


def counts(table: list[dict[str, str]], arm: str, name: str) -> dict[int, int]:
    rows = [row for row in table if (row["variable_name"], row["estimate_name"]) == (arm, name)]
    return {int(row["additional_level"]): int(row["estimate_value"]) for row in rows}


@pytest.mark.parametrize("arm", ["Target", "Comparator"])
def test_matched_curves_leave_by_steps_of_enough_and_as_their_life_table(arm: str) -> None:
    result = compared("match: {ratio: 1}")
    found = assess(result, K)
    assert found.safe is not None, found.reasons
    table = found.safe.of_type("compare_survival_events").to_pylist()
    at_risk, events, lost = (counts(table, arm, f"n_{name}_count") for name in ("risk", "events", "censor"))
    days = sorted(at_risk)
    assert len(days) > 2
    assert all(n == 0 or n >= K for n in (*events.values(), *lost.values(), *at_risk.values()))
    share, shares = 1.0, {0: 1.0}
    for before, day in pairwise(days):
        assert at_risk[day] == at_risk[before] - events[day] - lost[day]
        share *= 1 - events[day] / (at_risk[before] - lost[day] / 2)
        shares[day] = share
    drawn = [row for row in found.safe.of_type("compare_survival").to_pylist() if row["variable_name"] == arm]
    told = {int(row["additional_level"]): row["estimate_value"] for row in drawn if row["estimate_name"] == "estimate"}
    assert told.keys() == shares.keys()
    assert all(float(told[day]) == pytest.approx(shares[day], abs=6e-4) for day in shares)
    own = result.of_type("compare_survival").to_pylist()
    exact = {
        int(row["additional_level"]): float(row["estimate_value"])
        for row in own
        if (row["variable_name"], row["estimate_name"]) == (arm, "estimate") and row["estimate_value"]
    }
    assert all(abs(float(told[day]) - exact[day]) < 0.02 for day in days if day in exact)
    assert {row["strata_level"] for row in (*table, *drawn)} == {"Adjusted"}


def test_the_counts_of_an_arm_are_those_of_the_estimate() -> None:
    result = compared("match: {ratio: 1}")
    rows = result.of_type("compare_survival_events").to_pylist()
    said = result.of_type("compare_estimates").to_pylist()
    for arm in ("Target", "Comparator"):
        own = [row for row in said if (row["variable_name"], row["strata_level"]) == (arm, "Adjusted")]
        whole = {row["estimate_name"]: row["estimate_value"] for row in own}
        assert counts(rows, arm, "n_risk_count")[0] == int(whole["n_persons"])
        assert sum(counts(rows, arm, "n_events_count").values()) == int(whole["n_events"])


def test_curves_of_weighted_entries_stay_inside() -> None:
    result = compared("weight: {}")
    assert result.of_type("compare_survival").num_rows
    assert not result.of_type("compare_survival_events").num_rows
    found = assess(result, K)
    assert found.safe is not None
    assert not found.safe.of_type("compare_survival").num_rows
    assert HIDDEN not in {row["estimate_value"] for row in found.safe.of_type("compare_estimates").to_pylist()[:1]}
