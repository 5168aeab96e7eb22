"""Observation that ends because of the outcome: time weighed by how likely it is that observation ends when it did.

Where an outcome makes the end of observation come sooner, late time of those observed for long counts for too little.
How long observation lasts after a first outcome is a mixture of two kinds of ends: soon after the outcome
(exponential), and at an age or after an interval of their own (Weibull or gamma). Each moment of a case's time counts
by the density of its end had the outcome come then, or by the chance to be still observed where the data end first.

Units: years of age.
Source: Farrington, Anaya-Izquierdo, Whitaker, Hocine, Douglas and Smeeth, Journal of the American Statistical
        Association 106 (2011) 417; the four mixtures and the choice among them by Akaike's criterion are those of the
        R package SCCS and of SelfControlledCaseSeries 6.1.4 (eventDependentObservation).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from enclos.studies.sccs.intervals import Bools, Floats, Ints, People

_DAYS_PER_YEAR = 365.25
_LEAST = 0.5 / _DAYS_PER_YEAR
_N_PARAMETERS, _N_NODES, _PIECES_AT_ONCE = 7, 24, 50_000
_IMPOSSIBLE = 1e100
_NEVER = -1e5
"""The log density where a shape is so far out that no number holds it: none."""
_FLOOR = 1e-9
"""No piece counts for less than this share of a case's time: time is positive."""


class Ending(Enum):
    """The second kind of end."""

    WEIBULL_AGE = "exponential and Weibull by age"
    WEIBULL_INTERVAL = "exponential and Weibull by interval"
    GAMMA_AGE = "exponential and gamma by age"
    GAMMA_INTERVAL = "exponential and gamma by interval"

    @property
    def by_age(self) -> bool:
        """Whether it comes at an age, rather than after an interval."""
        return self in {Ending.WEIBULL_AGE, Ending.GAMMA_AGE}

    @property
    def is_weibull(self) -> bool:
        """Whether it is Weibull, rather than gamma."""
        return self in {Ending.WEIBULL_AGE, Ending.WEIBULL_INTERVAL}


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """When observation of cases starts and ends, and whether it ends because the data do."""

    start: Floats
    end: Floats
    of_data: Bools

    def take(self, case: Ints) -> Ends:
        """Those of some cases, in any order and number."""
        return Ends(self.start[case], self.end[case], self.of_data[case])


@dataclass(frozen=True, slots=True, eq=False)
class EndModel:
    """How observation ends after an outcome."""

    ending: Ending
    parameters: Floats
    aic: float


def log_density(ending: Ending, parameters: Floats, ends: Ends, at: Floats) -> Floats:
    """The log density of each end had the outcome come at an age, or the log chance to be observed where the data end.

    In: parameters — log mean of the soon ends; log scale of the others and its slope by the log of age; log odds of a
        soon end and its slope by age; log shape and its slope by the log of age
    """
    with np.errstate(all="ignore"):
        return np.nan_to_num(_log_density(ending, parameters, ends, at), nan=_NEVER, neginf=_NEVER)


def _log_density(ending: Ending, parameters: Floats, ends: Ends, at: Floats) -> Floats:
    from scipy.special import gammaincc, gammaln

    soon, scale, scale_slope, odds, odds_slope, shape, shape_slope = parameters
    since = np.maximum(ends.end - at, _LEAST)
    log_age = np.log(np.maximum(ends.start if ending.by_age else at, _LEAST))
    rate = -(scale + scale_slope * log_age)
    log_nu = shape + shape_slope * log_age
    nu = np.exp(log_nu)
    reached = np.maximum(ends.end, _LEAST) if ending.by_age else since
    first = -since * np.exp(-soon) - np.where(ends.of_data, 0.0, soon)
    if ending.is_weibull:
        left = np.exp(nu * (np.log(np.maximum(at, _LEAST)) + rate)) if ending.by_age else 0.0
        second = left - np.exp(nu * (np.log(reached) + rate))
        second = second + np.where(ends.of_data, 0.0, log_nu + rate + (nu - 1) * (np.log(reached) + rate))
    else:
        by_time = nu * np.exp(rate)
        density = nu * (log_nu + rate) + (nu - 1) * np.log(reached) - by_time * reached - gammaln(nu)
        survival = np.log(np.maximum(gammaincc(nu, by_time * reached), 1e-300))
        second = np.where(ends.of_data, survival, density)
        if ending.by_age:
            second = second - np.log(np.maximum(gammaincc(nu, by_time * np.maximum(at, _LEAST)), 1e-300))
    second = np.where(np.isnan(second), -np.inf, second)
    log_odds = odds + odds_slope * at
    return np.asarray(np.logaddexp(first - np.logaddexp(0, -log_odds), second - np.logaddexp(0, log_odds)))


def fit_ends(ends: Ends, outcome: Floats) -> EndModel:
    """The mixture that tells best when observation ended.

    In:      outcome — the age at each case's first outcome
    """
    return min((_fitted(ending, ends, outcome) for ending in Ending), key=lambda each: each.aic)


def _fitted(ending: Ending, ends: Ends, outcome: Floats) -> EndModel:
    from scipy.optimize import minimize

    log_age = np.log(np.maximum(ends.start if ending.by_age else outcome, _LEAST))
    # Slopes are sought about the middle, so that no parameter stands for another.
    turn = np.eye(_N_PARAMETERS)
    for level, slope, values in ((1, 2, log_age), (3, 4, outcome), (5, 6, log_age)):
        spread = max(float(values.std()), 1e-3)
        turn[slope, slope] = 1 / spread
        turn[level, slope] = -float(values.mean()) / spread

    def loss(sought: Floats) -> float:
        with np.errstate(all="ignore"):
            value = -float(_log_density(ending, turn @ sought, ends, outcome).mean())
        return value if np.isfinite(value) else _IMPOSSIBLE

    since = np.maximum(ends.end - outcome, _LEAST)
    typical = np.log(float(ends.end.mean() if ending.by_age else since.mean()))
    starts = [np.full(_N_PARAMETERS, 0.1)]
    starts.append(np.array([np.log(since.mean()) - 2, typical, 0, 0, 0, 0.3, 0]))
    found = [minimize(loss, start, method="BFGS", options={"gtol": 1e-5, "maxiter": 300}) for start in starts]
    best = min(found, key=lambda each: float(each.fun))
    return EndModel(ending, turn @ best.x, 2 * _N_PARAMETERS + 2 * len(outcome) * float(best.fun))


@dataclass(frozen=True, slots=True, eq=False)
class Weighing:
    """What each piece of the cases' time counts for."""

    model: EndModel
    people: People
    ends: Ends

    @staticmethod
    def of(people: People, of_data: Bools) -> Weighing:
        """Weights by how these cases' observation ended.

        In: of_data — whether a case is observed until the data, or the time asked for, end
        """
        start, end = ((each - people.born_day) / _DAYS_PER_YEAR for each in (people.first_day, people.last_day + 1))
        ends = Ends(start, end, of_data)
        first = np.full(len(people), np.iinfo(np.int64).max)
        np.minimum.at(first, people.outcome_case, people.outcome_day)
        age = (first + 0.5 - people.born_day) / _DAYS_PER_YEAR
        return Weighing(fit_ends(ends, age), people, ends)

    def days(self, case: Ints, day: Ints, n_days: Ints) -> Floats:
        """The days that pieces count for: as many for each case as it has.

        In: case, day, n_days — every piece of the time of some cases
        """
        parts = [
            self._weight(case[some], day[some], n_days[some])
            for some in (slice(at, at + _PIECES_AT_ONCE) for at in range(0, len(case), _PIECES_AT_ONCE))
        ]
        logs = np.concatenate([np.zeros(0), *parts])
        highest = np.full(len(self.people), -np.inf)
        np.maximum.at(highest, case, logs)
        weights = np.maximum(np.exp(logs - highest[case]), _FLOOR)
        own, whole = (np.bincount(case, each, len(self.people)) for each in (n_days, weights))
        return np.asarray(weights * (own / np.where(whole > 0, whole, 1.0))[case])

    def _weight(self, case: Ints, day: Ints, n_days: Ints) -> Floats:
        """The log of the integral over each piece, by nodes that lie closest where the end is near."""
        from scipy.special import logsumexp

        nodes, shares = np.polynomial.legendre.leggauss(_N_NODES)
        far, near = (np.sqrt((self.people.last_day[case] + 1 - each) / _DAYS_PER_YEAR) for each in (day, day + n_days))
        root = near[:, None] + (far - near)[:, None] * (nodes + 1) / 2
        own = self.ends.take(case)
        wide = Ends(own.start[:, None], own.end[:, None], own.of_data[:, None])
        logs = log_density(self.model.ending, self.model.parameters, wide, own.end[:, None] - root**2)
        return np.asarray(logsumexp(logs + np.log(root * shares), axis=1) + np.log(far - near))
