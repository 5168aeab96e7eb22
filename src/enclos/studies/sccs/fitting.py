"""The model: outcomes of a case are shared out over its time by what the case was exposed to, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from enclos.studies.regression.model import Fit, Likelihood, Prior, Status
from enclos.studies.regression.steps import fit, log_likelihood_profile, profile_interval
from enclos.studies.sccs.intervals import Floats, Ints, Rows

LEVEL = 0.95
_CLOSE = 1e-3
"""How near the signed root of an end is to the quantile for the next step to be the last: it errs by the square."""
_MOST_STEPS = 6
_FAR = 5.0
"""A standard error beyond which the likelihood is too flat to step along."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The logarithm of a rate ratio with its interval; not numbers where the data give none."""

    log_ratio: float = math.nan
    lower: float = math.nan
    upper: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there is an estimate with both ends of its interval."""
        return all(map(math.isfinite, (self.log_ratio, self.lower, self.upper)))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted model: an effect per window, a coefficient per component of the splines."""

    effects: tuple[Effect, ...]
    splines: Floats
    log_likelihood: float
    status: str


def fit_rows(rows: Rows, values: Floats) -> Model:
    """The conditional Poisson model of the rows; each case is a stratum of its own.

    Intervals are those of the profile likelihood, as the peer's; the components of splines have none.

    In:    values — of the splines, one row per moment
    Empty: rows without a window or an outcome give effects that are not numbers
    Source: Farrington 1995, Biometrics 51:228; SelfControlledCaseSeries 6.1.4, fitSccsModel without regularisation.
    """
    from scipy.sparse import csc_array, hstack

    n_windows = rows.within.shape[1]
    kept, columns = estimable(rows)
    no_splines = np.full(values.shape[1], np.nan)
    nothing = Model(tuple(Effect() for _ in range(n_windows)), no_splines, math.nan, Status.NO_EVENTS.value)
    if not rows.n_outcomes[kept].sum() or not len(columns) + values.shape[1]:
        return nothing
    parts = [csc_array(rows.within[np.ix_(kept, columns)].astype(np.float64)), csc_array(values[rows.moment[kept]])]
    found = fit(
        csc_array(hstack([part for part in parts if part.shape[1]], format="csc")),
        rows.n_outcomes[kept].astype(np.float64),
        likelihood=Likelihood.CONDITIONAL_POISSON,
        time=rows.n_days[kept].astype(np.float64),
        strata=rows.case[kept],
        prior=Prior.none(),
    )
    if found.status not in {Status.CONVERGED, Status.NOT_IDENTIFIED}:
        return replace(nothing, status=found.status.value)
    effects = [Effect() for _ in range(n_windows)]
    for column, effect in zip(columns.tolist(), effects_of(found, len(columns)), strict=True):
        effects[column] = effect
    return Model(tuple(effects), found.coefficients[len(columns) :], found.log_likelihood, found.status.value)


def effects_of(found: Fit, n_columns: int) -> list[Effect]:
    """The first columns' coefficients with the ends of their profile likelihood intervals.

    Empty: not numbers for a column that is not identified
    """
    errors = found.standard_errors().tolist()
    return [
        Effect() if at in found.unidentified else _effect(found, at, error)
        for at, error in enumerate(errors[:n_columns])
    ]


def _effect(found: Fit, column: int, error: float) -> Effect:
    """A coefficient with the ends of its interval.

    The signed root of the fall in likelihood is all but straight between the best value and an end: two steps along it
    find both ends where a search that halves takes many, each a fit of all rows with the coefficient held.
    """
    best = float(found.coefficients[column])
    top, wanted = found.log_likelihood + found.log_prior, NormalDist().inv_cdf((1 + LEVEL) / 2)
    sides = np.array([-1.0, 1.0])
    if not math.isfinite(error) or error > _FAR:
        return _searched(found, column)
    ends, before, roots_before = best + sides * wanted * error, np.full(2, best), np.zeros(2)
    for _ in range(_MOST_STEPS):
        falls = top - log_likelihood_profile(found, column, ends)
        if not np.isfinite(falls).all() or not (falls > 0).all():
            break
        roots = np.sqrt(2 * falls)
        slopes = (ends - before) / (roots - roots_before)
        if not np.isfinite(slopes).all() or not (slopes * sides > 0).all():
            break
        further = ends + (wanted - roots) * slopes
        if (np.abs(roots - wanted) < _CLOSE).all():
            return Effect(best, float(further[0]), float(further[1]))
        before, roots_before, ends = ends, roots, further
    return _searched(found, column)


def _searched(found: Fit, column: int) -> Effect:
    interval = profile_interval(found, column, LEVEL)
    return Effect(float(found.coefficients[column]), interval.lower, interval.upper)


def estimable(rows: Rows) -> tuple[Ints, Ints]:
    """The rows and windows from which finite ratios follow.

    A window without an outcome has a ratio of zero: its days expect none, and the other ratios are those of the rest of
    the time. One that holds all outcomes of every case that has it has an infinite ratio: those cases' other days
    expect none. Such a window has no estimate, and those rows are left out, which is where the likelihood is highest.

    Out: the places of rows, and of columns
    """
    kept = np.arange(len(rows))
    columns = np.arange(rows.within.shape[1])
    while len(columns):
        case, n_outcomes = rows.case[kept], rows.n_outcomes[kept]
        for column in columns.tolist():
            within = rows.within[kept, column]
            has_window = np.zeros(int(rows.case.max(initial=0)) + 1, dtype=np.bool_)
            has_window[case[within]] = True
            beside = has_window[case] & ~within
            if not n_outcomes[within].sum():
                kept = kept[~within]
            elif not n_outcomes[beside].sum():
                kept = kept[~beside]
            else:
                continue
            columns = columns[columns != column]
            break
        else:
            break
    return kept, columns


def two_rates(n_outcomes: Ints, n_days: Ints, case: Ints, second: Ints) -> tuple[float, float]:
    """The logarithm of the ratio of the rate in the second kind of row to that in the first, and its likelihood ratio.

    In:    one value per row; second — one for rows of the second kind, zero for the others
    Out:   the log ratio, and how much the log-likelihood falls when there is none
    Empty: not numbers where the data cannot tell
    """
    from scipy.sparse import csc_array

    if not n_outcomes.sum():
        return math.nan, math.nan
    found = fit(
        csc_array(second.reshape(-1, 1).astype(np.float64)),
        n_outcomes.astype(np.float64),
        likelihood=Likelihood.CONDITIONAL_POISSON,
        time=n_days.astype(np.float64),
        strata=case,
        prior=Prior.none(),
    )
    if not found.converged:
        return math.nan, math.nan
    (without,) = log_likelihood_profile(found, 0, np.zeros(1))
    return float(found.coefficients[0]), found.log_likelihood - float(without)
