"""Conditional logistic, exactly: which rows of a stratum are the cases, given how many there are.

The sum over all sets of cases is a recursion over the rows: after each row, the log of the sum over the sets of each
size. Read backwards it is a chain that decides row by row whether the row is in the set; its probabilities are the
slope, their derivative along a direction the curvature. Everything stays in logs and shares, so nothing overflows.
Source: Gail, Lubin and Rubinstein 1981, doi 10.1093/biomet/68.3.703.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enclos.studies.regression.model import Floats, Ints
from enclos.studies.regression.rules.likelihood import Local, times
from enclos.studies.regression.rules.segments import segments_of


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Strata of the same number of rows and cases: one row of row numbers each."""

    rows: Ints
    n_cases: int


def _chain(predictor: Floats, n_cases: int) -> tuple[Floats, Floats]:
    """The log of the sum over sets, and per row and size the chance that a set of that size of the rows so far has it.

    In: predictor — strata times rows; Out: per stratum; rows times strata times sizes 0 to n_cases
    """
    n_strata, n_rows = predictor.shape
    logs = np.full((n_strata, n_cases + 1), -np.inf)
    logs[:, 0] = 0.0
    chances = np.zeros((n_rows, n_strata, n_cases + 1))
    for row in range(n_rows):
        taken = logs[:, :-1] + predictor[:, row, None]
        new = np.logaddexp(logs[:, 1:], taken)
        possible = new > -np.inf
        chances[row, :, 1:][possible] = np.exp(taken[possible] - new[possible])
        logs[:, 1:] = new
    return logs[:, n_cases], chances


def _backwards(chances: Floats) -> tuple[Floats, Floats]:
    """Per row, the chance of each size before the choice on it, and the chance that it is a case (by stratum)."""
    n_rows, n_strata, n_sizes = chances.shape
    sizes = np.zeros_like(chances)
    shares = np.zeros((n_strata, n_rows))
    now = np.zeros((n_strata, n_sizes))
    now[:, -1] = 1.0
    for row in range(n_rows - 1, -1, -1):
        sizes[row] = now
        taken = now * chances[row]
        shares[:, row] = taken.sum(axis=1)
        now = now - taken
        now[:, :-1] += taken[:, 1:]
    return sizes, shares


def _along(chances: Floats, sizes: Floats, direction: Floats) -> Floats:
    """The derivative of every row's chance of being a case along a direction (strata times rows)."""
    n_rows, n_strata, n_sizes = chances.shape
    by_log = np.zeros((n_strata, n_sizes))
    by_chance = np.zeros_like(chances)
    for row in range(n_rows):
        chance = chances[row, :, 1:]
        step = direction[:, row, None] + by_log[:, :-1] - by_log[:, 1:]
        by_chance[row, :, 1:] = chance * (1.0 - chance) * step
        by_log[:, 1:] += chance * step
    slopes = np.zeros_like(direction)
    now = np.zeros((n_strata, n_sizes))
    for row in range(n_rows - 1, -1, -1):
        taken = now * chances[row] + sizes[row] * by_chance[row]
        slopes[:, row] = taken.sum(axis=1)
        now = now - taken
        now[:, :-1] += taken[:, 1:]
    return slopes


@dataclass(frozen=True, slots=True, eq=False)
class CaseSets:
    """The exact conditional likelihood; strata without case or without control are not in it."""

    outcome: Floats
    batches: tuple[Batch, ...]

    @property
    def n_events(self) -> float:
        """The cases of strata that also have a control."""
        return float(sum(len(batch.rows) * batch.n_cases for batch in self.batches))

    @property
    def n_cells(self) -> int:
        """How many chances are held at once."""
        return sum(batch.rows.size * (batch.n_cases + 1) for batch in self.batches)

    def value(self, predictor: Floats) -> float:
        """The conditional log-likelihood."""
        return float(
            sum(
                (self.outcome[batch.rows] * predictor[batch.rows]).sum()
                - _chain(predictor[batch.rows], batch.n_cases)[0].sum()
                for batch in self.batches
            )
        )

    def at(self, predictor: Floats) -> Local:
        """Value, slope and curvature."""
        value, shares = 0.0, np.zeros_like(predictor)
        outcome = np.zeros_like(predictor)
        chains: list[tuple[Ints, Floats, Floats]] = []
        for batch in self.batches:
            logs, chances = _chain(predictor[batch.rows], batch.n_cases)
            sizes, shares[batch.rows] = _backwards(chances)
            chains.append((batch.rows, chances, sizes))
            outcome[batch.rows] = self.outcome[batch.rows]
            value += float((outcome[batch.rows] * predictor[batch.rows]).sum() - logs.sum())
        slope = outcome - shares

        def curve(direction: Floats) -> Floats:
            if direction.ndim > 1:
                return np.column_stack([curve(column) for column in direction.T])
            result = np.zeros_like(direction)
            for rows, chances, sizes in chains:
                result[rows] = _along(chances, sizes, direction[rows])
            return result

        return Local(value, slope, curve, shares * (1 - shares), lambda x: times(slope, x))


def case_sets(outcome: Floats, strata: Ints) -> CaseSets:
    """The exact likelihood of rows, in whatever order they come."""
    order = np.argsort(strata, kind="stable")
    runs = segments_of(strata[order])
    lengths, n_cases = runs.lengths, runs.sums(outcome[order]).astype(np.int64)
    informative = (n_cases > 0) & (n_cases < lengths)
    batches = []
    for length, cases in sorted(set(zip(lengths[informative].tolist(), n_cases[informative].tolist(), strict=True))):
        starts = runs.starts[informative & (lengths == length) & (n_cases == cases)]
        batches.append(Batch(order[starts[:, None] + np.arange(length)], cases))
    return CaseSets(outcome, tuple(batches))
