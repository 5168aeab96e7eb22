"""Negative controls: what a design finds where there is nothing to find.

Source: Schuemie et al., Interpreting observational studies, Statistics in Medicine 33 (2014) 209; the peer is
EmpiricalCalibration 3.1.4, whose estimates are where R's simplex search stops from mean 0 and precision 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from enclos.studies.calibration.model import Estimate, Floats, Null, Side
from enclos.studies.calibration.rules.searches import simplex

MAX_LOG = math.log(100)
"""Estimates beyond a hundredfold are left out of the distribution. Source: the peer."""
_NO_SPREAD = 1e-6
_IMPOSSIBLE = 99_999.0


def usable(estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates that a distribution is fitted to: finite ones within a hundredfold."""
    return [each for each in estimates if each.is_usable and abs(each.log) <= MAX_LOG]


def fit_null(estimates: Sequence[Estimate]) -> Null | None:
    """The distribution of the systematic error that is most likely given what negative controls gave.

    Empty: None when no estimate is usable
    """
    kept = usable(estimates)
    if not kept:
        return None
    logs, errors = _columns(kept)

    def objective(theta: Floats) -> float:
        mean, precision = theta
        if precision <= 0:
            return _IMPOSSIBLE
        variances = errors**2 + _spread(1 / math.sqrt(precision)) ** 2
        value = float((0.5 * np.log(2 * np.pi * variances) + (logs - mean) ** 2 / (2 * variances)).sum())
        return _IMPOSSIBLE if value == 0 or value > 1e10 else value

    mean, precision = simplex(objective, (0.0, 1.0))
    return Null(float(mean), 1 / math.sqrt(precision))


@dataclass(frozen=True, slots=True, eq=False)
class NullPosterior:
    """The systematic error as a distribution over distributions: nodes and their weights, which add up to one."""

    means: Floats
    sds: Floats
    weights: Floats

    @property
    def null(self) -> Null:
        """The medians of mean and precision, each by itself."""
        return Null(self.quantile(self.means, 0.5), self.quantile(self.sds, 0.5))

    def quantile(self, values: Floats, share: float) -> float:
        """The value, one for each node, below which that share of the weight lies."""
        distinct, which = np.unique(values, return_inverse=True)
        weights = np.bincount(which, self.weights)
        return float(np.interp(share, np.cumsum(weights) - weights / 2, distinct))

    def calibrated_p(self, estimate: Estimate, side: Side = Side.TWO) -> tuple[float, float, float]:
        """The median p-value and its 95 % credible interval."""
        p = _p_values(estimate.log - self.means, np.sqrt(self.sds**2 + estimate.standard_error**2), side)
        return self.quantile(p, 0.5), self.quantile(p, 0.025), self.quantile(p, 0.975)

    def ease(self) -> tuple[float, float, float]:
        """The median expected absolute systematic error and its 95 % credible interval."""
        found = np.array([ease(Null(mean, sd)) for mean, sd in zip(self.means, self.sds, strict=True)])
        return self.quantile(found, 0.5), self.quantile(found, 0.025), self.quantile(found, 0.975)


_N_MEANS, _N_SDS = 121, 241
_NEGLIGIBLE = 20.0
"""Log weights so far below the highest one do not matter."""


def null_posterior(estimates: Sequence[Estimate]) -> NullPosterior | None:
    """The posterior distribution of the systematic error, summed over a grid and so the same every time.

    The priors are the peer's: flat for the mean, gamma (0.0001, 0.0001) for the precision; the peer samples them.
    Empty: None when no estimate is usable
    """
    kept = usable(estimates)
    if not kept:
        return None
    logs, errors = _columns(kept)
    spread = max(float(np.std(logs)), float(errors.min()))
    sds = np.exp(np.linspace(math.log(1e-4 * spread), math.log(20 * spread + 1), _N_SDS))
    log_weights, _, _ = _of_sds(logs, errors, sds)
    matters = np.flatnonzero(log_weights > log_weights.max() - _NEGLIGIBLE)
    sds = np.exp(
        np.linspace(math.log(sds[max(matters[0] - 1, 0)]), math.log(sds[min(matters[-1] + 1, _N_SDS - 1)]), _N_SDS)
    )
    log_weights, centres, spreads = _of_sds(logs, errors, sds)
    # For a given spread the mean is normal; its nodes follow it, so that a narrow one is not missed.
    steps = np.linspace(-6, 6, _N_MEANS)
    weights = np.exp(log_weights - log_weights.max())[:, None] * np.exp(-(steps**2) / 2)
    means = centres[:, None] + spreads[:, None] * steps
    return NullPosterior(means.ravel(), np.repeat(sds, _N_MEANS), (weights / weights.sum()).ravel())


def _of_sds(logs: Floats, errors: Floats, sds: Floats) -> tuple[Floats, Floats, Floats]:
    """How much each standard deviation weighs in steps of its logarithm; mean and deviation of the mean given it."""
    variances = errors**2 + sds[:, None] ** 2
    precision = (1 / variances).sum(axis=1)
    centres, spreads = (logs / variances).sum(axis=1) / precision, 1 / np.sqrt(precision)
    likelihood = -0.5 * (np.log(variances) + (logs - centres[:, None]) ** 2 / variances).sum(axis=1) + np.log(spreads)
    # The prior of the precision p is p ** (0.0001 - 1) * exp(-0.0001 p); a step of log sd holds 2p steps of p.
    return likelihood - 2e-4 * np.log(sds) - 1e-4 / sds**2, centres, spreads


def calibrated_p(null: Null, estimate: Estimate, side: Side = Side.TWO) -> float | None:
    """How often this design finds so much where there is nothing.

    Empty: None when the estimate is not usable
    """
    if not estimate.is_usable:
        return None
    return float(
        _p_values(np.array(estimate.log - null.mean), np.array(math.hypot(null.sd, estimate.standard_error)), side)
    )


def traditional_p(estimate: Estimate, side: Side = Side.TWO) -> float | None:
    """The p-value of a design without systematic error.

    Empty: None when the estimate is not usable
    """
    return calibrated_p(Null(0.0, 0.0), estimate, side)


def _p_values(distances: Floats, errors: Floats, side: Side) -> Floats:
    upper, lower = ndtr(-distances / errors), ndtr(distances / errors)
    if side is Side.TWO:
        return np.asarray(2 * np.minimum(upper, lower))
    return np.asarray(upper if side is Side.UPPER else lower)


def ease(null: Null) -> float:
    """The expected absolute systematic error of a design, on the log scale: its mean and its spread in one number."""
    if null.sd == 0:
        return abs(null.mean)
    z = null.mean / null.sd
    within = null.sd * math.sqrt(2 / math.pi) * math.exp(-(z**2) / 2)
    return within + null.mean * float(1 - 2 * ndtr(-z))


def left_out_p(estimates: Sequence[Estimate], side: Side = Side.TWO) -> list[float | None]:
    """The p-value of each negative control, calibrated by all others: uniform if calibration holds."""
    found: list[float | None] = []
    for index, each in enumerate(estimates):
        null = fit_null([*estimates[:index], *estimates[index + 1 :]])
        found.append(None if null is None else calibrated_p(null, each, side))
    return found


def _columns(estimates: Sequence[Estimate]) -> tuple[Floats, Floats]:
    return np.array([each.log for each in estimates]), np.array([each.standard_error for each in estimates])


def _spread(sd: float) -> float:
    return 0.0 if sd < _NO_SPREAD else sd
