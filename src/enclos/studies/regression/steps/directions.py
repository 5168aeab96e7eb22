"""Newton directions: a Cholesky factor where columns are few, conjugate gradients where they are many."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg

from enclos.studies.regression.model import Floats, Mask
from enclos.studies.regression.rules.likelihood import Local, times
from enclos.studies.regression.steps.curvature import Face

_MOST_INNER = 500
_MOST_ELIMINATED = 50
"""Up to so many columns without a kink are solved for exactly; an intercept is all but parallel to many columns."""
_LEAST_SHARE = 1e-3


def solved(information: Floats, slope: Floats) -> Floats:
    """The Newton step of a slope, or of each of some columns; if there is all but none, the nearest one that exists."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = information * scale[:, None] * scale
    ridge = 0.0
    while True:
        try:
            factor = linalg.cho_factor(scaled + ridge * np.eye(len(scaled)), lower=True)
        except linalg.LinAlgError:
            ridge = max(1e-14, ridge * 100)
            continue
        return times(scale, linalg.cho_solve(factor, times(scale, slope)))


def conjugate(
    face: Face, local: Local, free: Mask, alone: Mask, slope: Floats, precision: Floats, forcing: float
) -> Floats:
    """About the Newton step of the free columns of a face, zero for its others.

    In: alone — the columns without a kink; forcing — the share of the first residual that may be left
    """
    diagonal = face.diagonal(local) + precision
    out = np.flatnonzero(free & alone)
    if not 0 < len(out) <= _MOST_ELIMINATED:
        return _gradients(
            lambda along: np.where(free, face.times(local, along) + precision * along, 0.0),
            np.where(free, diagonal, 0.0),
            np.where(free, slope, 0.0),
            forcing,
        )
    within = free & ~alone
    cross = face.columns.T @ local.curve(face.columns[:, out].toarray())
    own = cross[out] + np.diag(precision[out])
    back = solved(own, cross.T)
    rest = np.where(within, diagonal - (cross * back.T).sum(axis=1), 0.0)
    rest = np.where(within, np.maximum(rest, _LEAST_SHARE * diagonal), 0.0)
    target = np.where(within, slope - cross @ solved(own, slope[out]), 0.0)

    def curved(along: Floats) -> Floats:
        bent = face.times(local, along) + precision * along - cross @ (back @ along)
        return np.where(within, bent, 0.0)

    step = _gradients(curved, rest, target, forcing)
    step[out] = solved(own, slope[out]) - back @ step
    return step


def _gradients(times: Callable[[Floats], Floats], diagonal: Floats, target: Floats, forcing: float) -> Floats:
    """About the solution of a positive semidefinite system, by conjugate gradients scaled by its diagonal."""
    inverse = np.where(diagonal > 0, 1 / np.where(diagonal > 0, diagonal, 1.0), 0.0)
    step, left = np.zeros_like(target), target
    towards = inverse * left
    along, size = towards, left @ towards
    enough = forcing**2 * size
    for _ in range(_MOST_INNER):
        if size <= enough or size == 0:
            break
        curved = times(along)
        bend = along @ curved
        if bend <= 1e-14 * (along @ (diagonal * along)):
            break
        rate = size / bend
        step = step + rate * along
        left = left - rate * curved
        towards = inverse * left
        before, size = size, left @ towards
        along = towards + (size / before) * along
    return step
