"""Looking at data as they come: how large a log-likelihood ratio must be, so that chance is not seen as harm.

The peer draws a million histories; here each history's chance is added up, look by look, so that the answer is exact.
Source: Kulldorff et al., A maximized sequential probability ratio test, Sequential Analysis 30 (2011) 58; the peer is
EmpiricalCalibration 3.1.4, computeCvPoisson and computeCvBinomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from enclos.studies.calibration.model import Floats

_TAIL = 1e-13
_ALMOST = 1e-9


@dataclass(frozen=True, slots=True)
class CriticalValue:
    """Reject when the log-likelihood ratio is above the value; ``alpha`` is how often chance gets there."""

    value: float
    alpha: float


def critical_value_poisson(expected: Sequence[float], *, minimum_events: int = 1, alpha: float = 0.05) -> CriticalValue:
    """The least conservative critical value below alpha for counts against what is expected at each look.

    In:      expected — events expected without effect since the look before
    Refuses: ValueError unless something is expected and 0 < alpha < 1
    """
    _check(expected, alpha)
    upto = math.ceil(sum(expected) + 12 * math.sqrt(sum(expected)) + 25)
    counts = np.arange(upto + 1)
    steps = [np.exp(xlogy(counts, mean) - mean - gammaln(counts + 1)) for mean in expected]
    ratios = []
    for mean in np.cumsum(expected):
        with np.errstate(divide="ignore"):
            ratio = xlogy(counts, counts / mean) - (counts - mean)
        ratios.append(np.where((counts >= minimum_events) & (counts >= mean), ratio, 0.0))
    return _critical(steps, ratios, alpha)


def critical_value_binomial(
    n_events: Sequence[int], z: float, *, minimum_events: int = 1, alpha: float = 0.05
) -> CriticalValue:
    """The least conservative critical value below alpha for how many of the events at each look fall in exposed time.

    In:      n_events — events since the look before; z — unexposed over exposed time (or controls for each case)
    Refuses: ValueError unless there are events, z is above 0 and 0 < alpha < 1
    """
    _check(n_events, alpha)
    if not z > 0:
        raise ValueError("the ratio of unexposed to exposed time is above zero")
    share, counts = 1 / (1 + z), np.arange(sum(n_events) + 1)
    steps = []
    for n in n_events:
        k = np.minimum(counts, n)
        log = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, share) + xlogy(n - k, 1 - share)
        steps.append(np.where(counts <= n, np.exp(log), 0.0))
    ratios = []
    for total in np.cumsum(n_events):
        k = np.minimum(counts, total)
        seen = k / total if total else np.zeros(len(counts))
        ratio = xlogy(k, seen / share) + xlogy(total - k, (1 - seen) / (1 - share))
        ratios.append(np.where((counts >= minimum_events) & (counts >= total * share) & (counts <= total), ratio, 0.0))
    return _critical(steps, ratios, alpha)


def _check(looks: Sequence[float], alpha: float) -> None:
    if not looks or min(looks) < 0 or sum(looks) <= 0 or not 0 < alpha < 1:
        raise ValueError("something is expected at the looks, and alpha lies between 0 and 1")


def _critical(steps: Sequence[Floats], ratios: Sequence[Floats], alpha: float) -> CriticalValue:
    """The smallest of the values that a history can reach whose chance to be passed is below alpha."""
    candidates = np.unique(np.round(np.concatenate(ratios), 12))
    chance = _chance_above(steps, ratios)
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        if chance(float(candidates[middle])) < alpha:
            high = middle
        else:
            low = middle + 1
    value = float(candidates[low])
    return CriticalValue(value, chance(value))


def _chance_above(steps: Sequence[Floats], ratios: Sequence[Floats]) -> Callable[[float], float]:
    def chance(value: float) -> float:
        inside = np.zeros(len(steps[0]))
        inside[0] = 1.0
        passed = 0.0
        for step, ratio in zip(steps, ratios, strict=True):
            spread = np.convolve(inside, step)[: len(inside)]
            above = ratio > value + _ALMOST
            passed += float(spread[above].sum())
            inside = np.where(above | (spread < _TAIL), 0.0, spread)
        return passed

    return chance
