"""Rate ratios of simulated case series are those they were made with: no bias, and intervals that hold the truth.

Each population has a second drug that doubles the rate and often comes with the first.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from enclos.studies.sccs.diagnostics import all_hold, rare_outcome
from enclos.studies.sccs.model import Sccs
from enclos.studies.sccs.steps import analyse
from factories.case_series import simulated

TRUTHS = {"null": 1.0, "harmful": 2.0, "protective": 0.5}
ADJUSTED = Sccs(("drug", "other"), ("bleed",))
UNADJUSTED = Sccs(("drug",), ("bleed",))


def errors(truth: float, n_populations: int, asked: Sccs = ADJUSTED) -> tuple[np.ndarray, float]:
    """The error of each log ratio, and the share of intervals that hold the truth."""
    found, n_covered, n_held = [], 0, 0
    for seed in range(n_populations):
        series = simulated(seed, truth)
        eras = series.eras.only(series.eras.kind < len(asked.exposures))
        result = analyse(asked, series.people, eras, series.persons, rare_outcome(1, 100, 0.1, first_only=False))
        effect = result.model.effects[0]
        found.append(effect.log_ratio - math.log(truth))
        n_covered += effect.lower <= math.log(truth) <= effect.upper
        n_held += all_hold(result.diagnostics)
    assert n_held >= 0.75 * n_populations, "diagnostics fail where every assumption holds"
    return np.array(found), n_covered / n_populations


def check_recovered(truth: float, n_populations: int) -> None:
    found, share_covered = errors(truth, n_populations)
    monte_carlo = 3 * found.std(ddof=1) / math.sqrt(n_populations)
    assert abs(found.mean()) < monte_carlo
    assert abs(share_covered - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / n_populations)


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_ratios_are_recovered(truth: float) -> None:
    check_recovered(truth, 20)


def test_without_the_other_drug_the_first_is_blamed() -> None:
    found, _ = errors(1.0, 20, UNADJUSTED)
    assert found.mean() > 6 * found.std(ddof=1) / math.sqrt(20)


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_ratios_are_recovered_in_two_hundred_populations(truth: float) -> None:
    check_recovered(truth, 200)
