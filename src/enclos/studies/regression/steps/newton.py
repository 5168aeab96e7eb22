"""Newton's method for a smooth log-likelihood with a prior that may have a kink at zero.

Each step looks only at the free columns: those that are not at zero, or that the slope would move off it. It solves the
second-order model of these, stops each coefficient of a Laplace prior where it would change its sign, and goes back
until the fit is better. Source: Andrew and Gao 2007, doi 10.1145/1273496.1273501 (free columns and the stop at zero).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from enclos.studies.regression.model import Floats, Mask, Status
from enclos.studies.regression.rules.likelihood import Local
from enclos.studies.regression.steps.curvature import Face
from enclos.studies.regression.steps.directions import conjugate, second_order, solved
from enclos.studies.regression.steps.kinked import Walk
from enclos.studies.regression.steps.problem import Problem

_MOST_FACTORED = 2000
"""Up to so many free columns without a kink, the information is made and factored."""
_SMALL = 1_000_000
"""Up to so many cells of free columns, it is so with a kink too, where conjugate gradients mostly do better."""
_MOST_HALVINGS, _MOST_TRIES = 40, 2
"""How often a step is halved that makes nothing better; and how many tries it has where it is stopped at zero."""
_LEAST_RISE = 1e-4
_FLIGHT = 0.1
"""A last step that still moves a predictor so far, where nothing is left to gain, goes to infinity."""
_LOOSE, _TIGHT = 0.1, 1e-5
"""How well the model is solved while the free columns still change, and in the end."""
_NEAR = 0.7
"""The share of a Laplace prior's pull from which a slope may soon be above it."""
_EASING = 3.0
"""How much weaker each prior is on the way to the one that is asked for."""
_GLANCE = 1.0
"""How little log-likelihood a step may gain on the way."""
_MOST_KNOWN = 3
"""How many first steps are taken with an information that is known from nearby."""
_MOST_IDLE = 2
"""A face is made anew where so many times more columns are in it than are near to being free."""


@dataclass(frozen=True, slots=True, eq=False)
class Summit:
    """Where the climb ended."""

    coefficients: Floats
    predictor: Floats
    local: Local
    status: Status
    n_iterations: int
    face: Face
    """The columns that were looked at last."""
    unbounded: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Slope:
    """How the fit changes with each coefficient."""

    kinked: Mask
    side: Floats
    """The sign that each coefficient has or would take."""
    drive: Floats
    """The derivative of log-likelihood and log prior on that side."""
    free: Mask
    near: Mask
    """The free columns, and those that may soon be."""


def _slope(problem: Problem, coefficients: Floats, local: Local, usable: Mask) -> _Slope:
    penalised = problem.penalised()
    rate = np.where(penalised, problem.prior.rate, 0.0)
    slope = problem.design.columns.T @ local.slope - np.where(penalised, problem.prior.precision, 0.0) * coefficients
    side = np.where(coefficients != 0, np.sign(coefficients), np.sign(slope))
    moved, steep = coefficients != 0, np.abs(slope)
    free = usable & (moved | (steep > rate))
    return _Slope(rate > 0, side, slope - rate * side, free, usable & (moved | (steep > _NEAR * rate)))


def climb(
    problem: Problem,
    start: Floats,
    usable: Mask,
    *,
    tolerance: float,
    max_iterations: int,
    face: Face | None = None,
    known: Floats | None = None,
) -> Summit:
    """Go to the maximum of log-likelihood and log prior over the usable columns.

    In: start — zero for other columns; tolerance — the gain of a last step, in units of log-likelihood; face — columns
    that will be looked at, where known; known — the information of all columns somewhere near, for the first steps
    """
    face = face or problem.design
    coefficients, predictor = start, problem.predictor(start)
    local = problem.likelihood.at(predictor)
    loss = problem.penalty(coefficients) - local.value
    before, forcing, stubborn = np.zeros_like(usable), _LOOSE, False
    for iteration in range(1, max_iterations + 1):
        slope = _slope(problem, coefficients, local, usable)
        if not slope.free.any():
            return Summit(coefficients, predictor, local, Status.CONVERGED, iteration - 1, face)
        forcing = max(forcing / 10, _TIGHT) if (slope.free == before).all() else _LOOSE
        before = slope.free
        face = _face(problem, slope, face)
        noise = 1e-14 * abs(loss)
        found = None
        if not stubborn:
            nearby = known if iteration <= _MOST_KNOWN else None
            step = _direction(problem, face, local, slope, forcing, nearby)
            gain = float(slope.drive @ step) / 2
            found = _better(problem, face, coefficients, step, slope, loss + noise)
            stubborn = found is None and bool(slope.kinked.any()) and gain > tolerance + noise
        if stubborn:
            step, gain = _walked(problem, face, local, coefficients, slope, forcing)
            found = _better(problem, face, coefficients, step, None, loss + noise - _LEAST_RISE * gain)
        last = gain <= tolerance + noise
        if found is None:
            status = Status.CONVERGED if last else Status.ITERATIONS
            return Summit(coefficients, predictor, local, status, iteration, face)
        moved, ahead, loss = found
        if last:
            flies = np.abs(ahead - predictor).max() > _FLIGHT
            unbounded = _unbounded(problem, moved - coefficients) if flies else ()
            status = Status.SEPARATED if unbounded else Status.CONVERGED
            return Summit(moved, ahead, problem.likelihood.at(ahead), status, iteration, face, unbounded)
        coefficients, predictor = moved, ahead
        local = problem.likelihood.at(predictor)
    return Summit(coefficients, predictor, local, Status.ITERATIONS, max_iterations, face)


def ascend(problem: Problem, start: Floats, usable: Mask, *, tolerance: float, max_iterations: int) -> Summit:
    """As climb; under a Laplace prior from zero, by way of stronger priors, under which few columns are free."""
    face, n_before = None, 0
    if problem.prior.rate and not start.any():
        for rate in _weaker(problem, start, usable):
            stronger = replace(problem, prior=problem.prior.with_variance(2 / rate**2))
            reached = climb(stronger, start, usable, tolerance=_GLANCE, max_iterations=max_iterations, face=face)
            start, face, n_before = reached.coefficients, reached.face, n_before + reached.n_iterations
    found = climb(problem, start, usable, tolerance=tolerance, max_iterations=max_iterations, face=face)
    return replace(found, n_iterations=found.n_iterations + n_before)


def _weaker(problem: Problem, start: Floats, usable: Mask) -> list[float]:
    """Rates of ever weaker Laplace priors, from one that leaves most columns at zero, down to the problem's own."""
    exempt = usable & ~problem.penalised()
    alone = climb(problem, start, exempt, tolerance=_GLANCE, max_iterations=_MOST_HALVINGS)
    slope = problem.design.columns.T @ alone.local.slope
    rate = float(np.abs(slope[problem.penalised()]).max(initial=0.0)) / _EASING
    rates = []
    while rate > problem.prior.rate * 1.2:
        rates.append(rate)
        rate /= _EASING
    return rates


def _direction(
    problem: Problem, face: Face, local: Local, slope: _Slope, forcing: float, known: Floats | None = None
) -> Floats:
    """About the Newton step of the free columns, zero for the others."""
    step, free, shown = np.zeros_like(slope.drive), slope.free, face.numbers
    precision = np.where(problem.penalised(), problem.prior.precision, 0.0)
    n_free = int(free.sum())
    few = n_free * len(local.slope) <= _SMALL if slope.kinked.any() else n_free <= _MOST_FACTORED
    if few:
        if known is not None and not slope.kinked.any():
            information = known[np.ix_(free, free)]
        elif slope.kinked.any():
            information = face.only(np.flatnonzero(free)).information(local)
        else:  # nearly all columns are free, and to take some of many dense rows lasts longer than to multiply all
            some = np.flatnonzero(free[shown])
            information = face.information(local)[np.ix_(some, some)]
        step[free] = solved(information + np.diag(precision[free]), slope.drive[free])
    else:
        alone = ~slope.kinked[shown]
        gain = second_order(face, local, free[shown], alone, slope.drive[shown], precision[shown])
        step[shown] = conjugate(gain, forcing)
    return step


def _walked(
    problem: Problem, face: Face, local: Local, coefficients: Floats, slope: _Slope, forcing: float
) -> tuple[Floats, float]:
    """About the step of the highest second-order gain under a Laplace prior, and that gain."""
    step, shown = np.zeros_like(slope.drive), face.numbers
    rate = np.where(slope.kinked, problem.prior.rate, 0.0)[shown]
    smooth = slope.drive[shown] + rate * slope.side[shown]
    near, alone = slope.near[shown], ~slope.kinked[shown]
    gain = second_order(face, local, near, alone, smooth, np.zeros_like(smooth))
    step[shown], risen = Walk(gain, rate, coefficients[shown]).until(forcing)
    return step, risen + gain.eliminated


def _better(
    problem: Problem, face: Face, coefficients: Floats, step: Floats, slope: _Slope | None, loss: float
) -> tuple[Floats, Floats, float] | None:
    """Coefficients, predictor and loss after as much of a step as makes the fit better; nothing where none does.

    In: slope — where given, coefficients stop at zero rather than leave their side. If columns say nearly the same, a
    step that is stopped may lead down, and no smaller part of it is much better: under a kink few are tried.
    """
    size = 1.0
    for _ in range(_MOST_TRIES if slope is not None and slope.kinked.any() else _MOST_HALVINGS):
        moved = coefficients + size * step
        bound = loss
        if slope is not None:
            moved[slope.kinked & (moved * slope.side <= 0)] = 0.0
            bound -= _LEAST_RISE * max(0.0, float(slope.drive @ (moved - coefficients)))
        ahead = np.asarray(face.rows @ moved[face.numbers] + problem.rows.offset)
        with np.errstate(over="ignore", invalid="ignore"):
            new = problem.penalty(moved) - problem.likelihood.value(ahead)
        if new <= bound:
            return moved, ahead, new
        size /= 2
    return None


def _face(problem: Problem, slope: _Slope, known: Face) -> Face:
    """The known face where it holds the free columns and few others; else one of the columns near to being free."""
    inside = np.zeros(problem.n_columns, dtype=bool)
    inside[known.numbers] = True
    if not inside[slope.free].all():
        return problem.design.only(np.flatnonzero(slope.near))
    if _MOST_IDLE * slope.near.sum() > len(known.numbers):
        return known
    return known.only(np.flatnonzero(slope.near & inside))


def _unbounded(problem: Problem, step: Floats) -> tuple[int, ...]:
    """The columns whose own part of a step moves a predictor far."""
    reach = abs(problem.design.columns).max(axis=0).toarray()
    return tuple(np.flatnonzero(np.abs(step) * reach > _FLIGHT).tolist())
