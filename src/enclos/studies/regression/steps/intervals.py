"""How far the data allow a coefficient to go: profiles of the log-likelihood and the intervals they give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special

from enclos.studies.regression.model import Fit, Floats, Interval, Status
from enclos.studies.regression.steps.fitting import MAX_ITERATIONS, TOLERANCE, usable_columns
from enclos.studies.regression.steps.newton import climb
from enclos.studies.regression.steps.problem import Problem

_FAR = 50.0
"""A log ratio so far away is infinite: e to the 50."""
_ROOT_TOLERANCE = 1e-10


def _profile(fitted: Fit, column: int) -> Callable[[float], float]:
    """The log-likelihood plus log prior at a value of the column's coefficient, the others at their best."""
    problem = fitted.problem
    if not isinstance(problem, Problem) or fitted.status is Status.NO_EVENTS or column in fitted.unidentified:
        raise ValueError("a profile is of a column that was fitted")
    usable = usable_columns(problem, without=column)
    start = np.where(usable, np.nan_to_num(fitted.coefficients), 0.0)

    def at(coefficient: float) -> float:
        nonlocal start
        fixed = problem.fixing(column, coefficient)
        summit = climb(fixed, start, usable, tolerance=TOLERANCE, max_iterations=MAX_ITERATIONS)
        start = summit.coefficients
        own = np.zeros(problem.n_columns)
        own[column] = coefficient
        return summit.local.value - fixed.penalty(summit.coefficients) - problem.penalty(own)

    return at


def log_likelihood_profile(fitted: Fit, column: int, grid: Floats) -> Floats:
    """The log-likelihood (plus log prior) at each value of a coefficient, the others at their best.

    Out: one value per value of the grid
    """
    profile = _profile(fitted, column)
    order = np.argsort(grid)
    values = np.empty(len(grid))
    for place in order:
        values[place] = profile(float(grid[place]))
    return values


def profile_interval(fitted: Fit, column: int, level: float = 0.95) -> Interval:
    """The values of a coefficient that a likelihood ratio test does not reject.

    Out: an end is infinite where the likelihood never falls so far
    Source: Venzon and Moolgavkar 1988
    """
    profile = _profile(fitted, column)
    best = float(fitted.coefficients[column])
    top = fitted.log_likelihood + fitted.log_prior
    drop = float(special.chdtri(1, 1 - level)) / 2
    error = fitted.standard_errors()[column] if column in fitted.columns else np.nan
    guess = float(np.sqrt(2 * drop) * error)
    first = guess if np.isfinite(guess) and guess < _FAR / 4 else 0.5
    ends = [_end(profile, best, side * first, top - drop) for side in (-1, 1)]
    return Interval(ends[0], ends[1], level)


def _end(profile: Callable[[float], float], best: float, step: float, floor: float) -> float:
    inside = best
    while True:
        outside = best + step
        if profile(outside) < floor:
            break
        inside, step = outside, 2 * step
        if abs(step) > _FAR:
            return float(np.copysign(np.inf, step))
    root = optimize.brentq(lambda value: profile(value) - floor, inside, outside, xtol=_ROOT_TOLERANCE)
    return float(root)
