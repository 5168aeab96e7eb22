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
from scipy.sparse import csr_matrix

from enclos.release.rules.arrays import Bools, Floats, Ints
from enclos.release.rules.programme import Programme
from enclos.release.rules.reach import Reach, components, width_of

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
    is_open = (at_stake & (width_of(seen.up, seen.down) < system.required))[unknown]
    found = [_narrow(system, unknown[places], seen) for places in _batches(component, is_open)]
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


def _narrow(system: System, unknown: Ints, seen: Seen) -> Ints:
    """The numbers of some components whose interval is narrower than they require; what is seen of all is noted.

    In: unknown — the numbers that are not shown
    """
    part = system.matrix[:, unknown]
    used = np.flatnonzero(np.diff(part.indptr))
    programme = Programme(
        csr_matrix(part[used]),
        system.is_equation[used],
        system.slack[used],
        np.where(system.signed[unknown], -system.reach[unknown], -np.minimum(system.values, system.reach)[unknown]),
        system.reach[unknown],
    )
    reach = Reach(programme, system.required[unknown], seen.up[unknown], seen.down[unknown])
    narrow = unknown[reach.narrow()]
    seen.up[unknown], seen.down[unknown] = reach.up, reach.down
    return narrow
