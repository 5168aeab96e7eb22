"""Which sets of a pool share too many persons to be added: by the persons of a target with the smallest numbers.

Of sets that add up to a target but for fewer than k persons, no two share k or more: each person in two of them is
counted twice. Some hundred persons of the target, those to whom a fixed spread gives the smallest numbers, are looked
for in each set; two sets that share k of these share k for sure, so nothing is ruled out that could be a part.

Units: distinct persons; k is the minimum count.
Check: tests/unit/release/test_decoys.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from enclos.release.allowance import Allowance
from enclos.release.sets import Bits, Persons, bits_of

Places = npt.NDArray[np.int64]
IsApart = npt.NDArray[np.bool_]

_N_LOOKED_FOR = 512
"""Persons of a target that are looked for."""
_N_KEPT = _N_LOOKED_FOR + 512
"""Persons that are kept of each set: all of those looked for that it may have, if it lies within but for a few."""
_MOST_KEPT = 16_384
"""Sets of which these are kept: 134 MB."""
_PER_SET, _PAIRS_PER, _PERSONS_PER = 16, 8, 4
"""What it costs to look for them in a set; pairs of sets, and persons of one in full, that cost as much as a place."""


class Sketches:
    """The persons of each set with the smallest numbers, reckoned when they are first asked for."""

    def __init__(self, persons: Callable[[int], Persons], sizes: Places) -> None:
        self._persons, self._sizes = persons, sizes
        self._kept: dict[int, Bits] = {}

    def apart(self, target: Bits, pool: Places, k: int, allowance: Allowance) -> IsApart | None:
        """Which two sets of a pool may share fewer than k persons (n, n); None where the allowance is short.

        In:  target — the smallest bits of the one they lie within (``smallest``)
        """
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        unknown = [place for place in pool.tolist() if place not in self._kept]
        cost = _PER_SET * len(pool) + len(pool) ** 2 // _PAIRS_PER + int(self._sizes[unknown].sum()) // _PERSONS_PER
        if not allowance.spend(cost):
            return None
        for place in unknown:
            self._kept[place] = smallest(self._persons(place))
        own = target[:_N_LOOKED_FOR]
        theirs = [self._kept[place] for place in pool.tolist()]
        theirs = [each[: np.searchsorted(each, own[-1], side="right")] for each in theirs]
        rows = np.repeat(np.arange(len(pool)), [len(each) for each in theirs])
        found = np.concatenate(theirs)
        at = np.searchsorted(own, found)
        is_own = own[at] == found
        holds = np.zeros((len(pool), len(own)), np.float32)
        holds[rows[is_own], at[is_own]] = 1.0
        is_apart: IsApart = holds @ holds.T < k
        return is_apart


def smallest(persons: Persons) -> Bits:
    """The smallest bits of some persons, ascending."""
    bits = bits_of(persons)
    return np.sort(np.partition(bits, _N_KEPT)[:_N_KEPT] if len(bits) > _N_KEPT else bits)
