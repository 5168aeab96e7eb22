"""Newton directions: a Cholesky factor where columns are few, conjugate gradients where they are many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from enclos.studies.regression.model import Floats, Mask
from enclos.studies.regression.rules.likelihood import Local, times
from enclos.studies.regression.steps.curvature import Face

_MOST_INNER = 500
_MOST_ELIMINATED = 50
"""Up to so many columns without a kink are solved for exactly; an intercept is all but parallel to many columns."""
_LEAST_SHARE = 1e-3
_FLAT = 1e-14
"""A direction that bends so much less than its columns by themselves is flat."""

_NOTHING = 1e-200


def solved(information: Floats, slope: Floats) -> Floats:
    """The Newton step of a slope, or of each of some columns; if there is all but none, the nearest one that exists."""
    diagonal = np.diag(information)
    # A column whose information has vanished stays where it is.
    scale = np.where(diagonal > _NOTHING, 1 / np.sqrt(np.maximum(diagonal, _NOTHING)), 0.0)
    scaled = information * scale[:, None] * scale + np.diag((scale == 0).astype(np.float64))
    ridge = 0.0
    while True:
        try:
            factor = linalg.cho_factor(scaled + ridge * np.eye(len(scaled)), lower=True)
        except linalg.LinAlgError:
            ridge = max(1e-14, ridge * 100)
            continue
        return times(scale, linalg.cho_solve(factor, times(scale, slope)))


@dataclass(frozen=True, slots=True, eq=False)
class SecondOrder:
    """The gain of a step as far as slope and curvature tell it; zero for the columns that it is not about."""

    slope: Floats
    curve: Callable[[Floats], Floats]
    diagonal: Floats
    complete: Callable[[Floats], Floats]
    """A step, with the best one of the columns that were eliminated."""
    eliminated: float = 0.0
    """What these gain by themselves."""

    @property
    def inverse(self) -> Floats:
        """One over the diagonal, zero where that is zero."""
        return np.divide(1.0, self.diagonal, out=np.zeros_like(self.diagonal), where=self.diagonal > 0)


def second_order(face: Face, local: Local, free: Mask, alone: Mask, slope: Floats, precision: Floats) -> SecondOrder:
    """The second-order gain around where a fit is.

    In: free — the columns of the face that may move; alone — those without a kink, eliminated where they are few
    """
    diagonal = face.diagonal(local) + precision
    out = np.flatnonzero(free & alone)
    if not 0 < len(out) <= _MOST_ELIMINATED:
        return SecondOrder(
            np.where(free, slope, 0.0),
            lambda along: np.where(free, face.times(local, along) + precision * along, 0.0),
            np.where(free, diagonal, 0.0),
            lambda step: step,
        )
    within = free & ~alone
    cross = face.columns.T @ local.curve(face.columns[:, out].toarray())
    own = cross[out] + np.diag(precision[out])
    back = solved(own, cross.T)
    rest = np.maximum(diagonal - (cross * back.T).sum(axis=1), _LEAST_SHARE * diagonal)

    def curve(along: Floats) -> Floats:
        bent = face.times(local, along) + precision * along - cross @ (back @ along)
        return np.where(within, bent, 0.0)

    def complete(step: Floats) -> Floats:
        whole = step.copy()
        whole[out] = solved(own, slope[out]) - back @ step
        return whole

    first = solved(own, slope[out])
    reduced = np.where(within, slope - cross @ first, 0.0)
    return SecondOrder(reduced, curve, np.where(within, rest, 0.0), complete, float(slope[out] @ first) / 2)


def conjugate(gain: SecondOrder, forcing: float) -> Floats:
    """About the step of the highest gain, by conjugate gradients scaled by the diagonal.

    In: forcing — the share of the slope that may be left
    """
    inverse, left = gain.inverse, gain.slope
    step = np.zeros_like(left)
    towards = inverse * left
    along, size = towards, left @ towards
    enough = forcing**2 * size
    for _ in range(_MOST_INNER):
        if size <= enough or size == 0:
            break
        curved = gain.curve(along)
        bend = along @ curved
        if bend <= _FLAT * (along @ (gain.diagonal * along)):
            break
        rate = size / bend
        step = step + rate * along
        left = left - rate * curved
        towards = inverse * left
        before, size = size, left @ towards
        along = towards + (size / before) * along
    return gain.complete(step)
