"""The searches that R's ``optim`` and ``uniroot`` make: what peers give lies where these stop, not where they head.

R's defaults are kept: a simplex with reflection 1, contraction 0.5 and expansion 2, and a variable metric with
differences of 0.001, both until the value falls by less than the square root of the precision; a root to its fourth.
Source: Nash, Compact Numerical Methods for Computers, 2nd edition 1990, algorithms 19 and 21; Brent, Algorithms for
Minimization without Derivatives, 1973, chapter 4; R, optim and uniroot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Objective: TypeAlias = Callable[[Floats], float]

_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))
_UNUSABLE = 1e35
"""What a point counts as whose value is not finite."""
_MAX_SIMPLEX, _MAX_METRIC = 500, 100


def simplex(objective: Objective, start: Sequence[float]) -> Floats:
    """Where Nelder and Mead's search for a minimum stops.

    In: start — a point with a finite value
    """

    def at(point: Floats) -> float:
        value = objective(point)
        return value if np.isfinite(value) else _UNUSABLE

    first = np.asarray(start, dtype=np.float64)
    n = len(first)
    points = np.tile(first, (n + 1, 1))
    step = 0.1 * float(np.abs(first).max()) or 0.1
    points[1:] += np.eye(n) * step
    values = np.array([at(point) for point in points])
    enough = _TOLERANCE * (abs(values[0]) + _TOLERANCE)
    n_calls, spread = n + 1, n * step
    low = 0
    while True:
        low = _first(values, low, values < values[low], np.argmin)
        high = _first(values, low, values > values[low], np.argmax)
        if values[high] <= values[low] + enough or n_calls > _MAX_SIMPLEX:
            return np.asarray(points[low])
        middle = (points.sum(axis=0) - points[high]) / n
        reflected = 2 * middle - points[high]
        value = at(reflected)
        n_calls += 1
        if value < values[low]:
            further = 2 * reflected - middle
            value_further = at(further)
            n_calls += 1
            better = value_further < value
            points[high], values[high] = (further, value_further) if better else (reflected, value)
            continue
        improves = value < values[high]
        if improves:
            points[high], values[high] = reflected, value
        nearer = (points[high] + middle) / 2
        value_nearer = at(nearer)
        n_calls += 1
        if value_nearer < values[high]:
            points[high], values[high] = nearer, value_nearer
        elif not improves:
            others = np.arange(n + 1) != low
            points[others] = (points[others] - points[low]) / 2 + points[low]
            size = float(np.abs(points[others] - points[low]).sum())
            if size >= spread:
                return np.asarray(points[low])
            spread = size
            values[others] = [at(point) for point in points[others]]
            n_calls += n


def _first(values: Floats, low: int, beyond: npt.NDArray[np.bool_], pick: Callable[[Floats], np.intp]) -> int:
    """The corner that the value picks, and the lowest one so far where none is beyond it."""
    return int(pick(values)) if beyond.any() else low


def variable_metric(objective: Objective, start: Sequence[float]) -> Floats:
    """Where Fletcher's variable metric search for a minimum (BFGS) stops, slopes taken by central differences.

    In: start — a point with a finite value
    """
    point: Floats = np.asarray(start, dtype=np.float64)
    value, slope = objective(point), _slope(objective, point)
    inverse = np.eye(len(point))
    made_at = n_slopes = 1
    while n_slopes < _MAX_METRIC:
        if made_at == n_slopes:
            inverse = np.eye(len(point))
        before, direction = point, -inverse @ slope
        descent = float(direction @ slope)
        progresses = False
        if descent < 0:
            point, new, moved = _line(objective, before, direction, value, descent)
            progresses = moved and abs(new - value) > _TOLERANCE * (abs(value) + _TOLERANCE)
            value = new if moved else value
        if not progresses and made_at == n_slopes:
            break
        if not progresses:
            # Once more, straight down along the slope that is known.
            made_at = n_slopes
            continue
        slope_before, slope = slope, _slope(objective, point)
        n_slopes += 1
        updated = _updated(inverse, point - before, slope - slope_before)
        made_at = n_slopes if updated is None or n_slopes - made_at > 2 * len(point) else made_at
        inverse = inverse if updated is None else updated
    return point


def _updated(inverse: Floats, step: Floats, change: Floats) -> Floats | None:
    """The inverse curvature after a step that changed the slope; None where it curves the wrong way."""
    curvature = float(step @ change)
    if curvature <= 0:
        return None
    turned = inverse @ change
    crossed = np.outer(step, turned)
    scale = 1 + float(change @ turned) / curvature
    return np.asarray(inverse + (scale * np.outer(step, step) - crossed - crossed.T) / curvature)


def _line(
    objective: Objective, start: Floats, direction: Floats, value: float, descent: float
) -> tuple[Floats, float, bool]:
    """The first of ever shorter steps whose value falls enough, and whether there is one."""
    length = 1.0
    while True:
        point = start + length * direction
        if (point + 10.0 == start + 10.0).all():
            return start, value, False
        new = objective(point)
        if np.isfinite(new) and new <= value + 1e-4 * length * descent:
            return point, new, True
        length *= 0.2


def _slope(objective: Objective, point: Floats) -> Floats:
    steps = np.eye(len(point)) * 1e-3
    return np.array([(objective(point + step) - objective(point - step)) / 2e-3 for step in steps])


_ROOT_TOLERANCE = float(np.finfo(np.float64).eps) ** 0.25
_EPSILON = float(np.finfo(np.float64).eps)


def root(function: Callable[[float], float], lower: float, upper: float) -> float:
    """Where Brent's search for a zero stops.

    In: function — of opposite sign at both ends, or zero at one
    """
    before, here, across = lower, upper, lower
    f_before, f_here, f_across = function(lower), function(upper), function(lower)
    if f_before == 0:
        return lower
    while True:
        moved = here - before
        if abs(f_across) < abs(f_here):
            before, here, across = here, across, here
            f_before, f_here, f_across = f_here, f_across, f_here
        enough = 2 * _EPSILON * abs(here) + _ROOT_TOLERANCE / 2
        step = (across - here) / 2
        if abs(step) <= enough or f_here == 0:
            return here
        if abs(moved) >= enough and abs(f_before) > abs(f_here):
            step = _interpolated((before, here, across), (f_before, f_here, f_across), step, moved=moved, enough=enough)
        if abs(step) < enough:
            step = enough if step > 0 else -enough
        before, f_before = here, f_here
        here += step
        f_here = function(here)
        if (f_here > 0) == (f_across > 0) and f_here != 0 and f_across != 0:
            across, f_across = before, f_before


def _interpolated(
    at: tuple[float, float, float], values: tuple[float, float, float], halving: float, *, moved: float, enough: float
) -> float:
    """The step that a line, or an inverse parabola, through the last points gives; half the way where it is wild."""
    (before, here, across), (f_before, f_here, f_across) = at, values
    width = across - here
    if before == across:
        ratio = f_here / f_before
        over, under = width * ratio, 1 - ratio
    else:
        q, r, s = f_before / f_across, f_here / f_across, f_here / f_before
        over = s * (width * q * (q - r) - (here - before) * (r - 1))
        under = (q - 1) * (r - 1) * (s - 1)
    if over > 0:
        under = -under
    else:
        over = -over
    tame = over < 0.75 * width * under - abs(enough * under) / 2 and over < abs(moved * under / 2)
    return over / under if tame else halving
