"""The model: outcomes of a case are shared out over its time by what the case was exposed to, and when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from enclos.studies.calibration.model import PROFILE_POINTS, Effect
from enclos.studies.regression.model import Fit, Likelihood, Prior, Status
from enclos.studies.regression.steps import fit, log_likelihood_profile, profile_intervals
from enclos.studies.sccs.intervals import Floats, Ints, Rows

LEVEL = 0.95
_REACH, _LEAST_POINTS = 3.0, 4
"""How many half widths of the interval a profile reaches to either side, and how many points at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted model: an effect per window, a coefficient per component of the splines."""

    effects: tuple[Effect, ...]
    splines: Floats
    log_likelihood: float
    status: str
    profiles: Mapping[int, tuple[Floats, Floats]] = field(default_factory=dict)
    """By window: log ratios around the estimate, and how far below its highest the log-likelihood is at each."""


def fit_rows(rows: Rows, values: Floats, wanted: int | None = None, n_profiled: int = 0) -> Model:
    """The conditional Poisson model of the rows; each case is a stratum of its own.

    Intervals are those of the profile likelihood, as the peer's; the components of splines have none.

    In:    values — of the splines, one row per moment; wanted — the only window whose ratio is asked for; None: all
           n_profiled — of so many windows, the first ones, the likelihood is told on the grid that sites share
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
        time=rows.time[kept],
        strata=rows.case[kept],
        prior=Prior.none(),
    )
    if found.status not in {Status.CONVERGED, Status.NOT_IDENTIFIED}:
        return replace(nothing, status=found.status.value)
    effects = [Effect() for _ in range(n_windows)]
    asked = [at for at, column in enumerate(columns.tolist()) if wanted in {None, column}]
    for at, effect in zip(asked, effects_of(found, asked), strict=True):
        effects[int(columns[at])] = effect
    profiles = {
        column: _profile(found, at, effects[column])
        for at, column in enumerate(columns.tolist())
        if column < n_profiled and effects[column].known
    }
    return Model(tuple(effects), found.coefficients[len(columns) :], found.log_likelihood, found.status.value, profiles)


def _profile(found: Fit, at: int, effect: Effect) -> tuple[Floats, Floats]:
    """The likelihood of a ratio on the shared grid, as far from its estimate as a pooled one could lie."""
    reach = _REACH * (effect.upper - effect.lower) / 2
    grid = np.array(PROFILE_POINTS)
    near = np.abs(grid - effect.log_ratio) <= max(reach, _LEAST_POINTS * (grid[1] - grid[0]))
    heights = log_likelihood_profile(found, at, grid[near]) - found.log_likelihood
    return grid[near], heights


def effects_of(found: Fit, columns: Sequence[int]) -> list[Effect]:
    """Coefficients with the ends of their profile likelihood intervals.

    Empty: not numbers for a column that is not identified
    """
    known = [each for each in columns if each not in found.unidentified]
    intervals = dict(zip(known, profile_intervals(found, known, LEVEL), strict=True))
    return [
        Effect(float(found.coefficients[each]), intervals[each].lower, intervals[each].upper)
        if each in intervals
        else Effect()
        for each in columns
    ]


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
