"""Calibration and pooling by brute force: likelihoods written out, highest points found by trying.

Written to judge searches and closed forms; it shares no code with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

Pair = tuple[float, float]
"""An estimate and its standard error."""


def highest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one top is highest, by ever finer trying."""
    while high - low > 1e-11 * (1 + abs(low)):
        step = (high - low) / 20
        best = max((low + step * number for number in range(21)), key=function)
        low, high = best - step, best + step
    return (low + high) / 2


def null_log_likelihood(pairs: Sequence[Pair], mean: float, sd: float) -> float:
    """How likely the estimates of negative controls are: each is normal about the mean, with both variances."""
    return sum(math.log(NormalDist(mean, math.hypot(sd, error)).pdf(log)) for log, error in pairs)


def likeliest_null(pairs: Sequence[Pair]) -> Pair:
    """Mean and standard deviation of the systematic error, spread by spread."""

    def best_mean(sd: float) -> float:
        weights = [1 / (sd**2 + error**2) for _, error in pairs]
        return sum(w * log for w, (log, _) in zip(weights, pairs, strict=True)) / sum(weights)

    sd = highest(lambda sd: null_log_likelihood(pairs, best_mean(abs(sd)), abs(sd)), 0.0, 5.0)
    return best_mean(abs(sd)), abs(sd)


def mean_absolute(mean: float, sd: float) -> float:
    """The mean distance from zero of a normal number, added up in small steps."""
    n = 40_000
    width = 24 * sd / n
    at = (mean - 12 * sd + width * (number + 0.5) for number in range(n))
    return sum(abs(x) * NormalDist(mean, sd).pdf(x) * width for x in at)


def restricted_log_likelihood(pairs: Sequence[Pair], tau2: float) -> float:
    """The restricted log-likelihood of the variance between sites, up to a constant."""
    weights = [1 / (error**2 + tau2) for _, error in pairs]
    mean = sum(w * log for w, (log, _) in zip(weights, pairs, strict=True)) / sum(weights)
    squares = sum(w * (log - mean) ** 2 for w, (log, _) in zip(weights, pairs, strict=True))
    return (sum(map(math.log, weights)) - math.log(sum(weights)) - squares) / 2


def reml_tau2(pairs: Sequence[Pair]) -> float:
    """The variance between sites that the restricted likelihood finds likeliest."""
    found = highest(lambda tau2: restricted_log_likelihood(pairs, max(tau2, 0.0)), 0.0, 20.0)
    return (
        max(found, 0.0)
        if restricted_log_likelihood(pairs, max(found, 0)) > restricted_log_likelihood(pairs, 0)
        else 0.0
    )


def stratified_poisson(sites: Sequence[Sequence[tuple[int, float, bool]]]) -> Callable[[float], float]:
    """The log-likelihood of a log rate ratio on the rows of all sites, each with a rate of its own at its best.

    In: sites — rows of events, time and whether exposed
    """

    def at(log_ratio: float) -> float:
        total = 0.0
        for rows in sites:
            n_events = sum(events for events, _, _ in rows)
            time = sum(t * math.exp(log_ratio * exposed) for _, t, exposed in rows)
            rate = n_events / time
            if n_events:
                total += sum(
                    events * math.log(rate * t * math.exp(log_ratio * exposed))
                    - rate * t * math.exp(log_ratio * exposed)
                    for events, t, exposed in rows
                )
        return total

    return at
