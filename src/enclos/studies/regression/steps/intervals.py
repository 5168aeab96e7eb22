"""How far the data allow a coefficient to go: profiles of the log-likelihood and the intervals they give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize, special

from enclos.studies.regression.model import Fit, Floats, Interval, Mask, Status
from enclos.studies.regression.steps.fitting import MAX_ITERATIONS, TOLERANCE, usable_columns
from enclos.studies.regression.steps.newton import climb
from enclos.studies.regression.steps.problem import Problem

_FAR = 50.0
"""A log ratio so far away is infinite: e to the 50."""
_ROOT_TOLERANCE = 1e-10
_CLOSE = 1e-4
"""How near a root is to the one wanted for the next step to be the last: it errs by the square."""
_MOST_STEPS = 8
_LARGE = 4_000_000
"""From so many values that are not zero, the information at the fit serves for the first steps of every search."""
_MOST_DRIFTING = 500
"""Up to so many other columns are moved along beforehand."""


class _Profile:
    """The log-likelihood plus log prior at a value of one coefficient, the others at their best."""

    def __init__(self, fitted: Fit, column: int, covariance: Floats | None = None) -> None:
        problem = fitted.problem
        if not isinstance(problem, Problem) or fitted.status is Status.NO_EVENTS or column in fitted.unidentified:
            raise ValueError("a profile is of a column that was fitted")
        self.problem, self.column = problem, column
        self.usable = _others(problem, fitted, column)
        self.best = float(fitted.coefficients[column])
        self.top = fitted.log_likelihood + fitted.log_prior
        self.place = self.best
        self.others = self.first = np.where(self.usable, np.nan_to_num(fitted.coefficients), 0.0)
        self.drift, self.error = self._drift(fitted, covariance)
        self.known = self._known() if problem.design.columns.nnz > _LARGE else None

    def _known(self) -> Floats | None:
        """The information at the fit; nothing where a prior or many columns make another way shorter."""
        problem = self.problem
        if problem.prior.rate or problem.n_columns > _MOST_DRIFTING:
            return None
        own = np.zeros(problem.n_columns)
        own[self.column] = self.best
        return problem.design.information(problem.likelihood.at(problem.predictor(self.first + own)))

    def _drift(self, fitted: Fit, covariance: Floats | None) -> tuple[Floats, float]:
        """How the others go along with the coefficient, near its best value; and its standard error.

        In: covariance — of the fit's own columns, where it is at hand
        """
        drift = np.zeros(self.problem.n_columns)
        if self.column not in fitted.columns or fitted.unbounded:
            return drift, np.nan
        together = list(fitted.columns)
        if len(together) > _MOST_DRIFTING:
            return drift, float(np.sqrt(fitted.covariance([self.column])[0, 0]))
        with_it = (fitted.covariance() if covariance is None else covariance)[together.index(self.column)]
        own = float(with_it[together.index(self.column)])
        if not np.isfinite(with_it).all():
            return drift, np.nan
        drift[together] = with_it / own
        return np.where(self.usable, drift, 0.0), float(np.sqrt(own))

    def at(self, coefficient: float) -> float:
        """Its value there; the next search of the others starts where this one ends."""
        fixed = self.problem.fixing(self.column, coefficient)
        start = self.others + (coefficient - self.place) * self.drift
        summit = climb(fixed, start, self.usable, tolerance=TOLERANCE, max_iterations=MAX_ITERATIONS, known=self.known)
        self.place, self.others = coefficient, summit.coefficients
        own = np.zeros(self.problem.n_columns)
        own[self.column] = coefficient
        return summit.local.value - fixed.penalty(summit.coefficients) - self.problem.penalty(own)

    def root_afresh(self, coefficient: float) -> float:
        """The same whatever was looked at before: the search of the others starts from where they are best."""
        self.place, self.others = self.best, self.first
        return self.root(coefficient)

    def root(self, coefficient: float) -> float:
        """The square root of twice the fall from the top: all but straight in the coefficient, on either side."""
        return float(np.sqrt(max(0.0, 2 * (self.top - self.at(coefficient)))))


def _others(problem: Problem, fitted: Fit, column: int) -> Mask:
    """The columns that are at their best beside a fixed one."""
    if fitted.unidentified:
        return usable_columns(problem, without=column)
    usable = np.ones(problem.n_columns, dtype=bool)
    usable[column] = False
    return usable


def log_likelihood_profile(fitted: Fit, column: int, grid: Floats) -> Floats:
    """The log-likelihood (plus log prior) at each value of a coefficient, the others at their best.

    Out: one value per value of the grid
    """
    profile = _Profile(fitted, column)
    values = np.empty(len(grid))
    for place in np.argsort(grid):
        values[place] = profile.at(float(grid[place]))
    return values


def profile_interval(fitted: Fit, column: int, level: float = 0.95) -> Interval:
    """The values of a coefficient that a likelihood ratio test does not reject.

    Out: an end is infinite where the likelihood never falls so far
    Source: Venzon and Moolgavkar 1988
    """
    (found,) = profile_intervals(fitted, [column], level)
    return found


def profile_intervals(fitted: Fit, columns: Sequence[int], level: float = 0.95) -> list[Interval]:
    """The intervals of several coefficients; the covariance that all searches start from is taken once."""
    many = len(columns) > 1 and not fitted.unbounded and len(fitted.columns) <= _MOST_DRIFTING
    covariance = fitted.covariance() if many else None
    return [_interval(_Profile(fitted, column, covariance), level) for column in columns]


def _interval(profile: _Profile, level: float) -> Interval:
    wanted = float(special.ndtri((1 + level) / 2))
    guess = wanted * profile.error
    first = guess if np.isfinite(guess) and guess < _FAR / 4 else 0.5
    ends = [_end(profile, side * first, wanted) for side in (-1, 1)]
    return Interval(ends[0], ends[1], level)


def _end(profile: _Profile, step: float, wanted: float) -> float:
    """Where the root is as wanted: along the line through its last two values, or else between two that hold it."""
    before, root_before, place = profile.best, 0.0, profile.best + step
    for _ in range(_MOST_STEPS):
        root = profile.root(place)
        slope = (root - root_before) / (place - before)
        further = (wanted - root) / slope if slope * step > 0 else np.inf
        if abs(root - wanted) < _CLOSE:
            return place + further if np.isfinite(further) else place
        if abs(place + further - profile.best) > _FAR:
            break
        before, root_before, place = place, root, place + further
    return _searched(profile, step, wanted)


def _searched(profile: _Profile, step: float, wanted: float) -> float:
    inside = profile.best
    while True:
        outside = profile.best + step
        if profile.root_afresh(outside) > wanted:
            break
        inside, step = outside, 2 * step
        if abs(step) > _FAR:
            return float(np.copysign(np.inf, step))
    between = optimize.brentq(lambda value: profile.root_afresh(value) - wanted, inside, outside, xtol=_ROOT_TOLERANCE)
    return float(between)
