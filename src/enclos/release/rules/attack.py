"""The attacker: what can be computed about hidden numbers from everything that is shown.

Hidden numbers are variables; what is shown and how numbers belong together are linear equations and inequalities.
An attacker who solves them learns for each hidden number the smallest and largest value that it can have. A number is
exposed when that interval is too narrow. Linear programmes are solved around the true values: every row is written
in differences from them, so that it always has a solution and no large number loses its last digits.

Source: Fischetti and Salazar-González 2001 (cell suppression and attacker problems); the linear relaxation is what an
attacker without integer programming computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_EPSILON = 1e-6
_MOST_TOGETHER = 500
"""Unknowns of components that are solved in one programme: a large programme takes longer than its parts."""
_REACH = 4
"""How many times the required width a number is followed away from its true value: more changes nothing."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A linear relation that everybody knows: the weighted sum equals, or is at most, a constant.

    ``slack`` is what the true values leave up to the constant; 0 in an equation.
    """

    terms: tuple[tuple[int, int], ...]
    is_equation: bool
    slack: int = 0

    def __post_init__(self) -> None:
        if self.slack < 0 or (self.is_equation and self.slack):
            raise ValueError("the true values satisfy every relation")


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """All numbers of a result with the relations between them.

    ``required`` is the width that a number's interval needs when it is hidden; 0 for numbers that need none.
    ``signed`` numbers may be negative. ``reach`` is how far from its value a number is followed.
    """

    values: Ints
    required: Ints
    signed: Bools
    reach: Floats
    matrix: csr_matrix
    is_equation: Bools
    slack: Floats


def system_of(
    values: Sequence[int],
    required: Sequence[int],
    signed: Sequence[bool],
    steps: Sequence[int],
    relations: Sequence[Relation],
) -> System:
    """The system of numbers and relations.

    In: steps — how many units of a number one person can make (days of a window for a time, otherwise 1).
    """
    rows, columns, weights = [], [], []
    for row, relation in enumerate(relations):
        for column, weight in relation.terms:
            rows.append(row)
            columns.append(column)
            weights.append(float(weight))
    widest = max(required, default=0)
    return System(
        np.array(values, dtype=np.int64),
        np.array(required, dtype=np.int64),
        np.array(signed, dtype=np.bool_),
        np.maximum(np.array(steps, dtype=np.float64) * _REACH * widest, _REACH * np.array(required, dtype=np.float64)),
        csr_matrix((weights, (rows, columns)), shape=(len(relations), len(values))),
        np.array([relation.is_equation for relation in relations], dtype=np.bool_),
        np.array([relation.slack for relation in relations], dtype=np.float64),
    )


class Seen:
    """How far each number was seen to move from its true value in some solution.

    Hiding more numbers only gives an attacker less, so a solution stays one: what was seen to be wide stays wide, and
    is not asked again.
    """

    def __init__(self, n_numbers: int) -> None:
        self.up = np.zeros(n_numbers)
        self.down = np.zeros(n_numbers)

    def but_for(self, others: Bools) -> Seen:
        """What was seen of all numbers but some: of components in which something else is hidden nothing is known."""
        kept = Seen(len(self.up))
        kept.up[~others], kept.down[~others] = self.up[~others], self.down[~others]
        return kept


def exposed(system: System, hidden: Bools, seen: Seen | None = None) -> Ints:
    """The hidden numbers whose interval is narrower than they require.

    In: hidden — which numbers are not shown; all others are known exactly; seen — what calls with fewer hidden numbers
        of the same system found; this call adds to it.
    """
    seen = seen or Seen(len(system.values))
    at_stake = hidden & (system.required > 0)
    if not at_stake.any():
        return np.zeros(0, dtype=np.int64)
    unknown = np.flatnonzero(hidden)
    part = system.matrix[:, unknown]
    part = part[np.flatnonzero(np.diff(part.indptr))]
    component = components(part)
    width = np.floor(seen.up + _EPSILON) + np.floor(-seen.down + _EPSILON)
    is_open = (at_stake & (width < system.required))[unknown]
    found = [
        _narrow(system, unknown[places], component[places], seen) for places in _batches(component, is_open)
    ]  # fmt: skip
    return np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *found]))


def _batches(component: Ints, is_open: Bools) -> list[Ints]:
    """The unknowns of components in which some are open: small components together, each large one alone."""
    batches: list[list[Ints]] = []
    n_last = _MOST_TOGETHER
    order = np.argsort(component, kind="stable")
    bounds = np.flatnonzero(np.diff(component[order], prepend=-1, append=-1))
    for places in (order[begin:end] for begin, end in pairwise(bounds)):
        if is_open[places].any():
            if n_last + len(places) > _MOST_TOGETHER:
                batches.append([])
                n_last = 0
            batches[-1].append(places)
            n_last += len(places)
    return [np.sort(np.concatenate(parts)) for parts in batches]


def _narrow(system: System, unknown: Ints, component: Ints, seen: Seen) -> Ints:
    """The numbers of some components whose interval is narrower than they require; what is seen of all is noted.

    In: unknown — the numbers that are not shown; component — of each
    """
    part, used = _of_columns(system.matrix, unknown)
    is_equation, slack = system.is_equation[used], system.slack[used]
    reach = _Reach(
        part[is_equation],
        part[~is_equation],
        slack[~is_equation],
        np.where(system.signed[unknown], -system.reach[unknown], -np.minimum(system.values, system.reach)[unknown]),
        system.reach[unknown],
        seen.up[unknown],
        seen.down[unknown],
    )
    required = system.required[unknown]
    open_ones = np.flatnonzero((required > 0) & (reach.width() < required))
    for sign in (1.0, -1.0) if len(open_ones) else ():
        weights = np.zeros(len(unknown))
        weights[open_ones] = sign
        reach.go(weights)
    open_ones = open_ones[reach.width()[open_ones] < required[open_ones]]
    found: list[int] = []
    while len(open_ones):
        reach.look_at(np.isin(component, component[open_ones]))  # the others need no more answers
        _, first = np.unique(component[open_ones], return_index=True)  # components do not touch: one of each at once
        chosen = open_ones[first]
        for sign in (1.0, -1.0):
            weights = np.zeros(len(unknown))
            weights[chosen] = sign
            reach.go(weights)
        narrow = reach.width() < required
        found += unknown[chosen[narrow[chosen]]].tolist()
        open_ones = np.setdiff1d(open_ones, chosen)
        open_ones = open_ones[narrow[open_ones]]
    seen.up[unknown], seen.down[unknown] = reach.up, reach.down
    return np.array(found, dtype=np.int64)


def components(part: csr_matrix) -> Ints:
    """The component of each unknown: two are in one when a chain of relations joins them."""
    joined = abs(part.T) @ abs(part)
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)


def _of_columns(matrix: csr_matrix, columns: Ints) -> tuple[csr_matrix, Ints]:
    """The rows that speak of any of these columns, without the others; and which rows."""
    part = matrix[:, columns]
    rows = np.flatnonzero(np.diff(part.indptr))
    return part[rows], rows


class _Reach:
    """How far each unknown was seen to move from its true value in some solution."""

    def __init__(
        self,
        equations: csr_matrix,
        inequalities: csr_matrix,
        slack: Floats,
        lowest: Floats,
        highest: Floats,
        up: Floats,
        down: Floats,
    ) -> None:
        self._equations, self._inequalities, self._slack = equations, inequalities, slack
        self._bounds = np.column_stack((lowest, highest))
        self.up = up
        self.down = down
        self._all = (equations, inequalities, slack)
        self._places = np.arange(len(up))

    def look_at(self, places: Bools) -> None:
        """Solve for these unknowns only from here on: no relation joins them with others."""
        kept = np.flatnonzero(places)
        if len(kept) == len(self._places):
            return
        equations, inequalities, slack = self._all
        self._equations = _of_columns(equations, kept)[0]
        self._inequalities, rows = _of_columns(inequalities, kept)
        self._slack, self._places = slack[rows], kept

    def go(self, weights: Floats) -> None:
        """Look for the solution in which the weighted unknowns move furthest, and note where all of them are."""
        solved = linprog(
            -weights[self._places],
            A_ub=self._inequalities if self._inequalities.shape[0] else None,
            b_ub=self._slack if self._inequalities.shape[0] else None,
            A_eq=self._equations if self._equations.shape[0] else None,
            b_eq=np.zeros(self._equations.shape[0]) if self._equations.shape[0] else None,
            bounds=self._bounds[self._places],
            method="highs",
            options={"presolve": False},  # it takes longer than what it saves: the true values are where it begins
        )
        if solved.status == 0:  # anything else proves nothing, so nothing counts as wide because of it
            self.up[self._places] = np.maximum(self.up[self._places], solved.x)
            self.down[self._places] = np.minimum(self.down[self._places], solved.x)

    def width(self) -> Floats:
        """The whole numbers between the lowest and the highest value seen, for each unknown."""
        width: Floats = np.floor(self.up + _EPSILON) + np.floor(-self.down + _EPSILON)
        return width
