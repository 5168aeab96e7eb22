"""A rate weighted by a standard population, and its interval, from sums and bisection alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def gamma_share(shape: float, x: float) -> float:
    """The share of a gamma distribution (of that shape, scale 1) below x, by its series."""
    if x <= 0:
        return 0.0
    term = total = 1.0
    n = 0
    while term > total * 1e-17:
        n += 1
        term *= x / (shape + n)
        total += term
    return math.exp(shape * math.log(x) - x - math.lgamma(shape + 1)) * total


def _where(share: float, of: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    while of(high) < share:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if of(middle) < share else (low, middle)
    return (low + high) / 2


def gamma_interval(mean: float, variance: float, widest: float) -> tuple[float, float]:
    """The 95 % interval of Fay and Feuer: gamma distributions of the moments of the rate, and of one more event in the
    age group where one event weighs most."""

    def end(share: float, mean: float, variance: float) -> float:
        shape, scale = mean**2 / variance, variance / mean
        return _where(share, lambda x: gamma_share(shape, x / scale))

    lower = end(0.025, mean, variance) if mean else 0.0
    return lower, end(0.975, mean + widest, variance + widest**2)


def standardised(n_events: Sequence[int], years: Sequence[float], weights: Sequence[int]) -> tuple[float, float, float]:
    """The rate with its interval, in the unit of the years."""
    shares = [weight / sum(weights) for weight in weights]
    mean = variance = widest = 0.0
    for share, n, time in zip(shares, n_events, years, strict=True):
        mean += share * n / time
        variance += (share / time) ** 2 * n
        widest = max(widest, share / time)
    return mean, *gamma_interval(mean, variance, widest)
