"""Choose the variance of a prior by what it says of rows that were left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from enclos.studies.regression.model import Family, Fit, Floats, Ints, Likelihood, Prior, Ties, Trial
from enclos.studies.regression.steps.fitting import MAX_ITERATIONS, fit_problem, usable_columns
from enclos.studies.regression.steps.newton import ascend, climb
from enclos.studies.regression.steps.problem import CONDITIONAL, Problem, problem_of

_TOLERANCE = 1e-2
"""How well the fits of the folds are fitted, in log-likelihood."""
_FIRST_STEP = float(np.log(10.0))
_CLOSE = 0.05
"""The search ends where the best log variance moves less."""
_MOST_TRIALS = 30
_FARTHEST = float(np.log(1e7))
"""The search gives up so far from its start: the data do not choose."""


def cross_validate(
    design: sparse.csc_array,
    outcome: np.ndarray,
    *,
    likelihood: Likelihood,
    prior: Prior,
    time: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    ties: Ties | None = None,
    folds: int = 10,
    seed: int = 0,
    grid: Sequence[float] | None = None,
    by_stratum: bool = False,
) -> tuple[float, Fit]:
    """The variance of the prior that foretells left-out rows best, and the fit of all rows with it.

    In: prior — its family and exempt columns, its variance is where the search starts; grid — the variances to try
    instead; by_stratum — whether whole strata are left out (as always where the likelihood is conditional)
    Out: the variance, and the fit with what was tried (``Fit.trials``)
    Source: Genkin, Lewis and Madigan 2007, doi 10.1198/004017007000000245; Suchard et al. 2013
    """
    if prior.family is Family.NONE:
        raise ValueError("a prior without variance has nothing to choose")
    problem = problem_of(
        design,
        outcome,
        likelihood=likelihood,
        time=time,
        strata=strata,
        weights=weights,
        offset=offset,
        prior=prior,
        ties=ties,
    )
    together = by_stratum or likelihood in CONDITIONAL
    units = problem.rows.strata if together else np.arange(design.shape[0])
    parts = _folds(units, folds, seed)
    foretell = _foreteller(problem, parts, folds)
    if grid is None:
        told = _search(foretell, float(np.log(prior.variance)))
    else:
        told = {log: foretell(log) for log in sorted(float(np.log(variance)) for variance in grid)}
    best = max(told, key=lambda log: told[log].log_likelihood)
    trials = tuple(Trial(float(np.exp(log)), told[log].log_likelihood) for log in sorted(told))
    variance, start = float(np.exp(best)), told[best].coefficients
    return variance, fit_problem(replace(problem, prior=prior.with_variance(variance)), start, trials)


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What a log variance says of rows that were left out."""

    log_likelihood: float
    coefficients: Floats
    """About those of all rows."""
    empty: bool
    """Whether the prior leaves every coefficient at zero: a yet stronger one says the same."""


def _folds(units: Ints, folds: int, seed: int) -> Ints:
    """The fold of each row: units dealt at random, as evenly as they go."""
    n_units = int(units.max()) + 1
    if not 2 <= folds <= n_units:
        raise ValueError("there are at least two folds, and no more than rows or strata")
    dealt = np.random.default_rng(seed).permutation(np.arange(n_units) % folds)
    return dealt[units]


def _foreteller(problem: Problem, parts: Ints, folds: int) -> Callable[[float], _Told]:
    """From a log variance to the log-likelihood of what the folds leave out, each fitted from the fit of all rows."""
    taught = []
    for fold in range(folds):
        out = (parts == fold).astype(np.float64)
        rows = problem.rows.weighted(1 - out)
        inside = replace(problem, rows=rows, likelihood=rows.log_likelihood())
        taught.append((inside, problem.rows.weighted(out).log_likelihood(), usable_columns(inside)))
    start, usable_of_all = np.zeros(problem.n_columns), usable_columns(problem)

    believed = problem.penalised()

    def foretell(log_variance: float) -> _Told:
        nonlocal start
        prior = problem.prior.with_variance(float(np.exp(log_variance)))
        everything = ascend(
            replace(problem, prior=prior), start, usable_of_all, tolerance=_TOLERANCE, max_iterations=MAX_ITERATIONS
        )
        start, total = everything.coefficients, 0.0
        for inside, outside, usable in taught:
            begin = np.where(usable, start, 0.0)
            summit = climb(
                replace(inside, prior=prior),
                begin,
                usable,
                tolerance=_TOLERANCE,
                max_iterations=MAX_ITERATIONS,
                face=everything.face,
            )
            total += outside.value(summit.predictor)
        return _Told(total, start, not start[believed].any())

    return foretell


def _search(foretell: Callable[[float], _Told], start: float) -> dict[float, _Told]:
    """The log variances that were tried: steps of ten until the best lies between two worse, then parabolas.

    An empty fit is no evidence that there is nothing better on its other side.
    """
    told = {start: foretell(start), start - _FIRST_STEP: foretell(start - _FIRST_STEP)}
    if told[start - _FIRST_STEP].empty:
        told[start + _FIRST_STEP] = foretell(start + _FIRST_STEP)
    for _ in range(_MOST_TRIALS):
        places = sorted(told)
        best = max(places, key=lambda log: told[log].log_likelihood)
        here = places.index(best)
        if told[best].empty and told[places[-1]].empty:
            aim = places[-1] + _FIRST_STEP
        elif told[best].empty:
            aim = start + _FIRST_STEP / 2
            if aim in told:
                break
        elif here == 0:
            aim = best - _FIRST_STEP
        elif here == len(places) - 1:
            aim = best + _FIRST_STEP
        else:
            aim = _peak(places[here - 1 : here + 2], {log: said.log_likelihood for log, said in told.items()})
            if abs(aim - best) < _CLOSE:
                break
        if abs(aim - start) > _FARTHEST:
            break
        told[aim] = foretell(aim)
    return told


def _peak(places: list[float], known: dict[float, float]) -> float:
    """Where the parabola through three points is highest, kept away from the outer two."""
    low, middle, high = places
    left = (known[middle] - known[low]) / (middle - low)
    right = (known[high] - known[middle]) / (high - middle)
    bend = (right - left) / (high - low)
    peak = (low + middle) / 2 - left / (2 * bend) if bend < 0 else middle
    return min(max(peak, low + (middle - low) / 10), high - (high - middle) / 10)
