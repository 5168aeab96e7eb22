"""Log-likelihoods of regressions, as slowly and plainly as their definitions read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence


def _strata(strata: Sequence[int]) -> list[list[int]]:
    return [[i for i, s in enumerate(strata) if s == stratum] for stratum in sorted(set(strata))]


def logistic(eta, outcome, weights):
    return sum(
        w * math.log(1 / (1 + math.exp(-e)) if y else 1 / (1 + math.exp(e)))
        for e, y, w in zip(eta, outcome, weights, strict=True)
    )


def poisson(eta, outcome, weights):
    return sum(w * (y * e - math.exp(e) - math.lgamma(y + 1)) for e, y, w in zip(eta, outcome, weights, strict=True))


def conditional_poisson(eta, outcome, strata):
    total = 0.0
    for rows in _strata(strata):
        everything = sum(math.exp(eta[i]) for i in rows)
        total += sum(outcome[i] * math.log(math.exp(eta[i]) / everything) for i in rows)
    return total


def conditional_logistic(eta, outcome, strata):
    """Over every set of as many rows as there are cases."""
    total = 0.0
    for rows in _strata(strata):
        cases = [i for i in rows if outcome[i]]
        sets = itertools.combinations(rows, len(cases))
        everything = sum(math.exp(sum(eta[i] for i in chosen)) for chosen in sets)
        total += sum(eta[i] for i in cases) - math.log(everything)
    return total


def cox(eta, outcome, time, strata, weights, *, efron):
    total = 0.0
    for rows in _strata(strata):
        for moment in sorted({time[i] for i in rows if outcome[i]}):
            dying = [i for i in rows if outcome[i] and time[i] == moment]
            at_risk = sum(weights[i] * math.exp(eta[i]) for i in rows if time[i] >= moment)
            own = sum(weights[i] * math.exp(eta[i]) for i in dying)
            mean = sum(weights[i] for i in dying) / len(dying)
            total += sum(weights[i] * eta[i] for i in dying)
            for place in range(len(dying)):
                total -= mean * math.log(at_risk - (place / len(dying) * own if efron else 0))
    return total
