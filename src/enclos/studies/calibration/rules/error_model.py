"""Negative and positive controls: how the systematic error depends on the true effect, and intervals that allow for it.

Source: Schuemie et al., Empirical confidence interval calibration, PNAS 115 (2018) 2571; the peer is
EmpiricalCalibration 3.1.4 (its present model, not the legacy one), whose estimates and limits are where R's searches
stop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from enclos.studies.calibration.model import Control, ErrorModel, Estimate, Floats, Interval
from enclos.studies.calibration.rules.null import fit_null
from enclos.studies.calibration.rules.searches import root, variable_metric

_IMPOSSIBLE = 99_999.0
_NO_SPREAD = 1e-6
_START = (0.0, 1.0, 0.1, 0.0)
_ASTRAY = 0.1
"""A search that ends so much log-likelihood below another has not arrived."""
_BOUND = 100.0
"""Log effects are looked for between -100 and 100."""


def fit_error_model(controls: Sequence[Control]) -> ErrorModel | None:
    """The model of the systematic error that is most likely given what controls of known effects gave.

    Where the peer's search ends far from any maximum, one that starts from the controls' own mean and spread answers.
    Empty: None when fewer than two true effects are among the usable controls, since a slope needs two
    """
    kept = [each for each in controls if each.estimate.is_usable]
    if len({each.true_log for each in kept}) < 2:
        return None
    logs, errors = (np.array([getattr(each.estimate, name) for each in kept]) for name in ("log", "standard_error"))
    true = np.array([each.true_log for each in kept])

    def objective(theta: Floats) -> float:
        sds = theta[2] + theta[3] * np.abs(true)
        if (sds < 0).any():
            return _IMPOSSIBLE
        variances = errors**2 + np.where(sds < _NO_SPREAD, 0, sds) ** 2
        distances = logs - theta[0] - theta[1] * true
        value = float((0.5 * np.log(2 * np.pi * variances) + distances**2 / (2 * variances)).sum())
        return value if math.isfinite(value) else _IMPOSSIBLE

    found = variable_metric(objective, _START)
    distances = logs - true
    again = variable_metric(objective, (float(distances.mean()), 1.0, float(distances.std()), 0.0))
    # Controls that spread widely throw the peer's search far out, where it ends without having arrived.
    best = again if objective(again) < objective(found) - _ASTRAY else found
    return ErrorModel(*(float(each) for each in best))


def error_model_of(controls: Sequence[Control]) -> ErrorModel | None:
    """The model that positive controls tell, or where there are none that of the negative ones alone.

    Empty: None where no control without an effect is usable either
    """
    found = fit_error_model(controls)
    if found is not None:
        return found
    null = fit_null([each.estimate for each in controls if each.true_log == 0])
    return None if null is None else ErrorModel.from_null(null)


def calibrated_interval(model: ErrorModel, estimate: Estimate, level: float = 0.95) -> Interval:
    """The true effects that an estimate is compatible with, systematic error allowed for.

    Empty: an end that no effect between -100 and 100 reaches is None, and so is all of an estimate that is not usable
    """
    if not estimate.is_usable:
        return Interval(None, None, None, level)
    z = float(ndtri((1 + level) / 2))
    log, lower, upper = (_reached(model, estimate, each) for each in (0.0, z, -z))
    return Interval(log, lower, upper, level)


def _reached(model: ErrorModel, estimate: Estimate, z: float) -> float | None:
    def above(true: float) -> float:
        distance = model.mean_intercept + model.mean_slope * true - estimate.log
        return z + distance / math.hypot(model.sd_intercept + model.sd_slope * abs(true), estimate.standard_error)

    if above(-_BOUND) * above(_BOUND) > 0:
        return None
    return root(above, -_BOUND, _BOUND)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often intervals of a level held the true effect, were below it or above it."""

    true_log: float
    n_controls: int
    below: float
    """Share whose interval lies above the true effect."""
    within: float
    above: float
    uncalibrated: float
    """Share whose interval held it before calibration."""


def left_out_coverage(controls: Sequence[Control], level: float = 0.95) -> list[Coverage]:
    """For each true effect, the coverage of intervals calibrated by the controls of all other groups.

    Controls without a group stand for themselves.
    Source: EmpiricalCalibration, evaluateCiCalibration
    """
    kept = [each for each in controls if each.estimate.is_usable]
    groups = [each.group or f"\0{index}" for index, each in enumerate(kept)]
    places: dict[float, list[int]] = {}
    plain: dict[float, int] = {}
    z = float(ndtri((1 + level) / 2))
    for group in dict.fromkeys(groups):
        model = error_model_of([each for each, name in zip(kept, groups, strict=True) if name != group])
        for each in (each for each, name in zip(kept, groups, strict=True) if name == group):
            interval = Interval(None, None, None) if model is None else calibrated_interval(model, each.estimate, level)
            # An end that does not exist leaves the interval open on its side.
            below = interval.lower is not None and each.true_log < interval.lower
            above = interval.upper is not None and each.true_log > interval.upper
            places.setdefault(each.true_log, []).append(-1 if below else int(above))
            held = abs(each.estimate.log - each.true_log) <= z * each.estimate.standard_error
            plain[each.true_log] = plain.get(each.true_log, 0) + held
    return [
        Coverage(true, n := len(at), at.count(-1) / n, at.count(0) / n, at.count(1) / n, plain[true] / n)
        for true, at in sorted(places.items())
    ]


def share_held(coverages: Sequence[Coverage]) -> float:
    """The share of all controls whose interval held; not a number without any."""
    n = sum(each.n_controls for each in coverages)
    return sum(each.within * each.n_controls for each in coverages) / n if n else math.nan
