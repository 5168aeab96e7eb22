"""Under a confounder that nobody measured, intervals miss the truth; calibrated by negative controls they hold it.

Populations are drawn as rates of exposed and unexposed persons, a part of whom carry the confounder; each outcome is
tied to it with a strength of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from enclos.studies.calibration.model import Z_95, Control, ErrorModel, Estimate, Side
from enclos.studies.calibration.rules.error_model import calibrated_interval, fit_error_model
from enclos.studies.calibration.rules.null import calibrated_p, fit_null

N_CONTROLS, N_OUTCOMES = 40, 10
EFFECTS = (0.0, math.log(2), math.log(0.5))
CARRIERS = {True: 0.6, False: 0.25}
"""The share with the confounder, among the exposed and the others."""


def drawn(chance: np.random.Generator, true_log: float, strength: float, n: int) -> list[Estimate]:
    """Estimates of the crude rate ratio of so many outcomes, each in a population of its own counts."""
    risk = np.exp(chance.normal(strength, 0.4 * (strength > 0), n))
    time = {True: 20_000.0, False: 60_000.0}
    rate = chance.uniform(0.002, 0.02, n)
    events = {
        arm: np.maximum(chance.poisson(rate * time[arm] * (1 + CARRIERS[arm] * (risk - 1)) * np.exp(true_log * arm)), 1)
        for arm in (True, False)
    }
    logs = np.log(events[True] / time[True] / (events[False] / time[False]))
    errors = np.sqrt(1 / events[True] + 1 / events[False])
    return [Estimate(float(log), float(error)) for log, error in zip(logs, errors, strict=True)]


@dataclass
class Coverage:
    n: int = 0
    plain: int = 0
    calibrated: int = 0
    n_null: int = 0
    false_plain: int = 0
    false_calibrated: int = 0


def coverage(n_populations: int, strength: float, seed: int) -> Coverage:
    found = Coverage()
    for population in range(n_populations):
        chance = np.random.default_rng([seed, population])
        null = fit_null(drawn(chance, 0.0, strength, N_CONTROLS))
        assert null is not None
        model = ErrorModel.from_null(null)
        for true in EFFECTS:
            for estimate in drawn(chance, true, strength, N_OUTCOMES):
                interval = calibrated_interval(model, estimate)
                assert interval.lower is not None and interval.upper is not None
                missed = abs(estimate.log - true) > Z_95 * estimate.standard_error
                found.n += 1
                found.plain += not missed
                found.calibrated += interval.lower <= true <= interval.upper
                if true == 0:
                    p = calibrated_p(null, estimate)
                    found.n_null += 1
                    found.false_plain += missed
                    found.false_calibrated += p is not None and p < 0.05
    return found


def judge(found: Coverage, tolerance: float) -> None:
    assert found.plain / found.n < 0.5
    assert found.calibrated / found.n == pytest.approx(0.95, abs=tolerance)
    assert found.false_plain / found.n_null > 0.5
    assert found.false_calibrated / found.n_null == pytest.approx(0.05, abs=1.5 * tolerance)


def test_calibration_restores_coverage_under_unmeasured_confounding() -> None:
    """20 populations, 600 intervals: three standard errors of a share of 0.95 are 0.027."""
    judge(coverage(20, 0.9, 20261128), 0.03)


@pytest.mark.slow
def test_calibration_restores_coverage_in_many_populations() -> None:
    """200 populations: chance is 0.008; the null of 40 controls is itself uncertain, which costs about 0.01 more."""
    judge(coverage(200, 0.9, 7), 0.02)


def test_without_confounding_calibration_costs_little() -> None:
    found = coverage(20, 0.0, 3)
    assert found.plain / found.n == pytest.approx(0.95, abs=0.03)
    assert 0.93 < found.calibrated / found.n < 0.985


def test_positive_controls_show_a_design_that_is_biased_towards_no_effect() -> None:
    """A design that sees three quarters of each effect: the null alone is too narrow, the error model is not."""
    chance = np.random.default_rng(5)
    attenuated = 0.75
    trues = (0.0, math.log(1.5), math.log(2), math.log(4))
    controls = [Control(each, true) for true in trues for each in drawn(chance, attenuated * true, 0.9, N_CONTROLS)]
    null, model = fit_null([each.estimate for each in controls if each.true_log == 0]), fit_error_model(controls)
    assert null is not None and model is not None
    assert model.mean_slope == pytest.approx(attenuated, abs=0.08)
    true = math.log(4)
    estimates = drawn(chance, attenuated * true, 0.9, 200)
    held = {
        name: sum(
            (interval.lower or 0) <= true <= (interval.upper or 0)
            for interval in (calibrated_interval(each, estimate) for estimate in estimates)
        )
        for name, each in (("null", ErrorModel.from_null(null)), ("model", model))
    }
    assert held["null"] < 170
    assert held["model"] > 180
    harm = [calibrated_p(null, each, Side.UPPER) for each in estimates]
    assert sum(p is not None and p < 0.05 for p in harm) > 150
