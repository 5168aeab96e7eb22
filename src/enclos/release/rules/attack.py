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

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_EPSILON = 1e-6
_MOST_TOGETHER = 500
"""Unknowns of components that are solved in one programme: a large programme takes longer than its parts."""
_OPTIONS: dict[str, str | int | bool] = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "simplex_strategy": 4,  # primal: what was a solution stays one when another number is looked for
    "presolve": "off",
}
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
    is_open = (at_stake & (_width(seen.up, seen.down) < system.required))[unknown]
    found = [_narrow(system, unknown[places], component[places], seen) for places in _batches(component, is_open)]
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
    part = system.matrix[:, unknown]
    used = np.flatnonzero(np.diff(part.indptr))
    reach = _Reach(
        csc_matrix(part[used]),
        system.is_equation[used],
        system.slack[used],
        np.where(system.signed[unknown], -system.reach[unknown], -np.minimum(system.values, system.reach)[unknown]),
        system.reach[unknown],
        seen.up[unknown],
        seen.down[unknown],
    )
    required = system.required[unknown]
    open_ones = np.flatnonzero((required > 0) & (reach.width() < required))
    if len(open_ones):
        reach.go_both_ways(open_ones)
    open_ones = open_ones[reach.width()[open_ones] < required[open_ones]]
    found: list[int] = []
    while len(open_ones):
        _, first = np.unique(component[open_ones], return_index=True)  # components do not touch: one of each at once
        chosen = open_ones[first]
        reach.go_both_ways(chosen)
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


class _Reach:
    """How far each unknown was seen to move from its true value in some solution.

    One solver goes from objective to objective: each begins at the corner where the last one ended, the first where
    all numbers have their true values.
    """

    def __init__(
        self,
        relations: csc_matrix,
        is_equation: Bools,
        slack: Floats,
        lowest: Floats,
        highest: Floats,
        up: Floats,
        down: Floats,
    ) -> None:
        self.up = up
        self.down = down
        self._columns = np.arange(len(up), dtype=np.int32)
        problem = highspy.HighsLp()
        problem.num_row_, problem.num_col_ = relations.shape
        problem.col_cost_ = np.zeros(len(up))
        problem.col_lower_, problem.col_upper_ = lowest, highest
        problem.row_lower_, problem.row_upper_ = np.where(is_equation, 0.0, -highspy.kHighsInf), slack
        problem.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        problem.a_matrix_.start_ = relations.indptr
        problem.a_matrix_.index_ = relations.indices
        problem.a_matrix_.value_ = relations.data
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in _OPTIONS.items():
            self._solver.setOptionValue(name, value)
        self._solver.passModel(problem)

    def go_both_ways(self, chosen: Ints) -> None:
        """Look for the solutions in which the chosen unknowns together move furthest, up and down, and note where all
        are.
        """
        for sign in (-1.0, 1.0):  # the solver looks for the least
            weights = np.zeros(len(self.up))
            weights[chosen] = sign
            self._solver.changeColsCost(len(weights), self._columns, weights)
            self._solver.run()
            # anything else proves nothing, so nothing counts as wide because of it
            if self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                found = np.array(self._solver.getSolution().col_value)
                self.up, self.down = np.maximum(self.up, found), np.minimum(self.down, found)

    def width(self) -> Floats:
        """As ``_width``, for each unknown."""
        return _width(self.up, self.down)


def _width(up: Floats, down: Floats) -> Floats:
    """The whole numbers between the lowest and the highest value seen."""
    width: Floats = np.floor(up + _EPSILON) + np.floor(-down + _EPSILON)
    return width
