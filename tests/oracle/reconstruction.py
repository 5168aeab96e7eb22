"""Reconstruct a town from what was released about it: integer programmes over all towns that fit.

The attacker lists every kind of person that the words of the tables allow. A town is so many persons of each kind.
Every shown number is an equation. For a group of kinds the smallest and the largest number that any town gives it are
found by HiGHS; where they are the same, the number is known. A register (who lives there, by sex and age) may be known
too.

Knows nothing of the rules, of what was hidden first or why, nor of the persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

Kinds = frozenset[int]
"""A group of kinds, by their numbers."""


@dataclass(frozen=True)
class Recovered:
    """Groups of 1 to k - 1 persons whose number is known, and how many groups were tried."""

    n_tried: int
    known: Mapping[Kinds, int]

    @property
    def n_persons(self) -> int:
        """Persons who stand in a group that is known."""
        return sum(self.known.values())


def reconstruct(n_kinds: int, shown: Mapping[Kinds, int], targets: Iterable[tuple[Kinds, int]], k: int) -> Recovered:
    """Which small groups are known to who solves everything that is shown.

    In: targets — groups with their true numbers; those of none and of k or more persons are no secret
    """
    secret = [(group, n) for group, n in targets if 0 < n < k]
    matrix = np.array([[float(kind in group) for kind in range(n_kinds)] for group in shown]).reshape(-1, n_kinds)
    values = np.array(list(shown.values()), dtype=float)
    known = {group: n for group, n in secret if _interval(matrix, values, group) == (n, n)}
    return Recovered(len(secret), known)


def _interval(matrix: np.ndarray, values: np.ndarray, group: Kinds) -> tuple[float, float]:
    weights = np.array([float(kind in group) for kind in range(matrix.shape[1])])
    ends = []
    for sign in (1.0, -1.0):
        found = milp(
            sign * weights,
            constraints=[LinearConstraint(matrix, values, values)] if len(values) else [],
            integrality=np.ones(len(weights)),
            bounds=Bounds(0, 10**6),
        )
        assert found.status in {0, 3}, "the released tables contradict each other"
        ends.append(sign * round(found.fun) if found.status == 0 else sign * np.inf)
    return ends[0], ends[1]


def union(groups: Sequence[Kinds]) -> Kinds:
    """All kinds of some groups."""
    return frozenset().union(*groups)
