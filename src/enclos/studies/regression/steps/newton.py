"""Newton's method for a smooth log-likelihood with a prior that may have a kink at zero.

Each step looks only at the free columns: those that are not at zero, or that the slope would move off it. It solves the
second-order model of these (a Cholesky factor where they are few, conjugate gradients on the sparse columns where they
are many), stops each coefficient of a Laplace prior where it would change its sign, and goes back until the fit is
better. Source: Andrew and Gao 2007, doi 10.1145/1273496.1273501 (the free columns and the stop at zero).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from enclos.studies.regression.model import Floats, Status
from enclos.studies.regression.rules.likelihood import Local
from enclos.studies.regression.steps.curvature import Face
from enclos.studies.regression.steps.problem import Problem

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]

FEW = 300
"""Up to so many free columns, the information is made and factored."""
_MOST_HALVINGS = 40
_MOST_INNER = 500
_FLIGHT = 0.1
"""A last step that still moves a predictor so far, where nothing is left to gain, goes to infinity."""


@dataclass(frozen=True, slots=True, eq=False)
class Summit:
    """Where the climb ended."""

    coefficients: Floats
    predictor: Floats
    local: Local
    status: Status
    n_iterations: int
    unbounded: tuple[int, ...] = ()


def _solved(information: Floats, slope: Floats) -> Floats:
    """The Newton step; where the information is all but singular, the nearest one that exists."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = information * scale[:, None] * scale
    ridge = 0.0
    while True:
        try:
            factor = linalg.cho_factor(scaled + ridge * np.eye(len(scaled)), lower=True)
        except linalg.LinAlgError:
            ridge = max(1e-14, ridge * 100)
            continue
        step: Floats = scale * linalg.cho_solve(factor, scale * slope)
        return step


def _conjugate(face: Face, local: Local, free: Mask, slope: Floats, precision: Floats, forcing: float) -> Floats:
    """About the Newton step of the free columns of a face (zero for the others), by conjugate gradients."""
    diagonal = face.diagonal(local) + precision
    inverse = np.where(free & (diagonal > 0), 1 / np.where(diagonal > 0, diagonal, 1.0), 0.0)
    step = np.zeros_like(slope)
    left = np.where(free, slope, 0.0)
    towards = inverse * left
    along = towards.copy()
    size = left @ towards
    enough = forcing**2 * size
    for _ in range(_MOST_INNER):
        if size <= enough or size == 0:
            break
        curved = np.where(free, face.times(local, along) + precision * along, 0.0)
        bend = along @ curved
        if bend <= 1e-14 * (along @ (diagonal * along)):
            break
        rate = size / bend
        step += rate * along
        left = left - rate * curved
        towards = inverse * left
        before, size = size, left @ towards
        along = towards + (size / before) * along
    return step


def climb(
    problem: Problem,
    start: Floats,
    usable: Mask,
    *,
    tolerance: float,
    max_iterations: int,
) -> Summit:
    """Go to the maximum of log-likelihood and log prior over the usable columns.

    In: start — zero for other columns; tolerance — the gain of a last step, in units of log-likelihood
    """
    coefficients = start.copy()
    penalised = problem.penalised()
    rate = np.where(penalised, problem.prior.rate, 0.0)
    precision = np.where(penalised, problem.prior.precision, 0.0)
    kinked = rate > 0
    predictor = problem.predictor(coefficients)
    local = problem.likelihood.at(predictor)
    loss = problem.penalty(coefficients) - local.value
    face: Face | None = None
    forcing = 0.1
    for iteration in range(1, max_iterations + 1):
        slope = problem.columns.T @ local.slope - precision * coefficients
        side = np.where(coefficients != 0, np.sign(coefficients), np.sign(slope))
        drive = slope - rate * side
        resting = kinked & (coefficients == 0) & (np.abs(slope) <= rate)
        free = usable & ~resting
        if not free.any():
            return Summit(coefficients, predictor, local, Status.CONVERGED, iteration - 1)
        face = _face(problem, free, face)
        inside = free[face.numbers]
        if len(face.numbers) <= FEW:
            information = face.information(local)[np.ix_(inside, inside)] + np.diag(precision[free])
            step = np.zeros(len(face.numbers))
            step[inside] = _solved(information, drive[free])
        else:
            step = _conjugate(face, local, inside, drive[face.numbers], precision[face.numbers], forcing)
        full = np.zeros_like(coefficients)
        full[face.numbers] = step
        gain = float(drive @ full) / 2
        noise = 1e-14 * abs(loss)
        last = gain <= tolerance + noise
        moved = coefficients
        ways = _ways(face, local, full, np.where(free & kinked.any(), drive, 0.0), precision)
        for way in ways:
            moved = coefficients + way
            moved[kinked & (moved * side <= 0)] = 0.0
            ahead = np.asarray(face.rows @ moved[face.numbers] + problem.rows.offset)
            with np.errstate(over="ignore", invalid="ignore"):
                new = problem.penalty(moved) - problem.likelihood.value(ahead)
            if new <= loss - 1e-4 * float(drive @ (moved - coefficients)) + noise:
                break
        else:
            return Summit(coefficients, predictor, local, Status.CONVERGED if last else Status.ITERATIONS, iteration)
        flight = np.abs(ahead - predictor).max() if last else 0.0
        before, coefficients, predictor, loss = coefficients, moved, ahead, new
        local = problem.likelihood.at(predictor)
        if last:
            unbounded = _unbounded(problem, coefficients - before) if flight > _FLIGHT else ()
            status = Status.SEPARATED if unbounded else Status.CONVERGED
            return Summit(coefficients, predictor, local, status, iteration, unbounded)
        forcing = float(min(0.1, max(1e-4, np.sqrt(gain / abs(loss)))))
    return Summit(coefficients, predictor, local, Status.ITERATIONS, max_iterations)


def _ways(face: Face, local: Local, full: Floats, drive: Floats, precision: Floats) -> Iterator[Floats]:
    """The Newton step, halved again and again; then, if there are kinks, the step of each column by itself.

    Where columns say nearly the same, the Newton step takes from one what it gives to the other; stopped at zero it may
    lead down. The second step leads up whatever is stopped.
    """
    for n_halvings in range(_MOST_HALVINGS):
        yield 0.5**n_halvings * full
    if drive.any():
        alone = np.zeros_like(full)
        curved = face.diagonal(local) + precision[face.numbers]
        alone[face.numbers] = np.divide(drive[face.numbers], curved, out=np.zeros(len(curved)), where=curved > 0)
        for n_halvings in range(_MOST_HALVINGS):
            yield 0.5**n_halvings * alone


def _face(problem: Problem, free: Mask, known: Face | None) -> Face:
    """The free columns, or a known face that holds them and little else."""
    (numbers,) = np.nonzero(free)
    if known is not None and 2 * len(numbers) > len(known.numbers):
        inside = np.zeros(problem.n_columns, dtype=bool)
        inside[known.numbers] = True
        if inside[numbers].all():
            return known
    return Face.of(problem.columns, numbers)


def _unbounded(problem: Problem, step: Floats) -> tuple[int, ...]:
    """The columns whose own part of a step moves a predictor far."""
    reach = abs(problem.columns).max(axis=0).toarray()
    return tuple(np.flatnonzero(np.abs(step) * reach > _FLIGHT).tolist())
