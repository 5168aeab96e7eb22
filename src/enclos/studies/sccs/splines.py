"""B-splines over age, season and the calendar.

Each is quadratic, constant within a calendar month, and has its knots where the data are.

Source: SelfControlledCaseSeries 6.1.4, createAgeCovariateSettings, createSeasonalityCovariateSettings and
        createCalendarTimeCovariateSettings; R 4, splines::bs; mgcv, cSplineDes for the cyclic one.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_DEGREE = 2
_LEAST_KNOTS = 3
_LOWEST, _HIGHEST = 0.01, 0.99
_FIRST_MONTH, _LAST_MONTH = 0.005, 0.995


def age_knots(ages: Ints, n_knots: int) -> Floats:
    """Ages at which the curve may bend: percentiles 1 to 99 of the ages at the outcomes, evenly spread.

    In:    ages — days since birth, one per outcome
    Empty: ages that lie too close together give fewer knots; no outcome gives none
    """
    if not len(ages):
        return np.zeros(0)
    found: Floats = np.quantile(ages, np.linspace(_LOWEST, _HIGHEST, n_knots))
    return found[np.concatenate(([True], np.diff(found) > 0))]


def month_knots(first_months: Ints, last_months: Ints, n_knots: int) -> Floats:
    """Months at which the curve may bend: equal shares of the months in which cases are observed.

    In: first_months, last_months — of each case, as year * 12 + month - 1
    """
    if not len(first_months):
        return np.zeros(0)
    start = int(first_months.min())
    changes = np.zeros(int(last_months.max()) - start + 2, dtype=np.int64)
    np.add.at(changes, first_months - start, 1)
    np.add.at(changes, last_months - start + 1, -1)
    total = changes.cumsum()[:-1].cumsum()
    cutoffs = total[-1] * np.linspace(_FIRST_MONTH, _LAST_MONTH, n_knots)
    return np.unique(np.searchsorted(total, cutoffs) + start).astype(np.float64)


def curve(knots: Floats) -> Floats:
    """The components of a spline at each whole step from its first knot to its last, zero at the first.

    Out:   one row per step, one column per component: as many as there are knots
    Empty: no column where there are too few knots to bend a curve
    """
    from scipy.interpolate import BSpline

    if len(knots) < _LEAST_KNOTS:
        return np.zeros((1, 0))
    steps = np.arange(int(np.floor(knots[-1] - knots[0])) + 1) + knots[0]
    whole = np.concatenate(([knots[0]] * _DEGREE, knots, [knots[-1]] * _DEGREE))
    basis: Floats = BSpline.design_matrix(steps, whole, _DEGREE).toarray()
    return basis[:, 1:]


def season(n_knots: int) -> Floats:
    """The components of a spline that ends where it began, at each month of the year.

    The components add up to one in every month, so that one of them is no more than the person's own level; the last
    is left out, which changes no other estimate.

    Out: twelve rows, two columns fewer than knots
    """
    from scipy.interpolate import BSpline

    knots = 0.5 + np.linspace(0, 12, n_knots)
    whole = np.concatenate((knots[0] - (knots[-1] - knots[-1 - _DEGREE : -1]), knots))
    months = np.arange(1.0, 13.0)
    columns = []
    for at in range(len(whole) - _DEGREE - 1):
        one = BSpline.basis_element(whole[at : at + _DEGREE + 2], extrapolate=False)
        # What reaches beyond the year belongs to its beginning.
        columns.append(np.nan_to_num(one(months)) + np.nan_to_num(one(months - 12)))
    return np.column_stack(columns[:-1])
