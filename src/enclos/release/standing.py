"""Which sets lie within a new one, by those of their persons who stand for them.

Classes tell large sets apart by little more than their sizes: of a hundred thousand sets tens of thousands could lie
within a larger one by their classes alone, and those that do would be lost among them. Of each set the sixteen persons
stand for it to whom a fixed spread gives the smallest numbers. Nobody chooses them, since nobody outside knows the
numbers; of a set that lies within another but for a few persons, nearly all of them are in it.

Units: distinct persons.
Check: tests/unit/release/test_decoys.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from enclos.release.ranges import written_out
from enclos.release.sets import N_DRAWN, NOBODY, Drawn

Places = npt.NDArray[np.int64]
Met = npt.NDArray[np.int8]
"""How many of those who stand for each set are among some persons."""
_LEAST_WITHIN = 12
"""Of those who stand for a set that lies within another but for a few, so many are in it or more: fewer would be a
chance of one in a thousand where ten of two hundred are not."""
_MOST_BESIDE = 4
"""Of those who stand for a set that shares nobody with another but for a few, so many are in it or fewer."""
_SOME = 3
"""So many who stand for a set and not for a whole say that it does not lie within."""
_LEAST_EXPECTED = 6.0
"""Who stands for a whole says whether it holds a part where so many are expected in it."""


class Standing:
    """Who stands for each of many sets, found by their numbers."""

    def __init__(self, drawn: Drawn, sizes: npt.NDArray[np.int64]) -> None:
        flat = drawn.reshape(-1)
        known = np.flatnonzero(flat != NOBODY)
        order = known[np.argsort(flat[known])]
        numbers, self._owners = flat[order], order // N_DRAWN
        self._sizes, self._drawn = sizes, drawn
        is_first = np.concatenate([[True], numbers[1:] != numbers[:-1]]) if len(order) else np.zeros(0, np.bool_)
        self._starts = np.concatenate([np.flatnonzero(is_first), [len(order)]])
        self.bits = numbers[is_first]
        """Of all who stand for any set, ascending."""
        self._is_own = np.zeros(len(self.bits) + 1, np.bool_)
        """Who stands for a set that is looked at, among all who stand for any; the last is nobody."""
        is_smallest = order % N_DRAWN < _SOME
        smallest = np.full((_SOME, len(drawn)), len(self.bits), np.int64)
        smallest[order[is_smallest] % N_DRAWN, self._owners[is_smallest]] = (np.cumsum(is_first) - 1)[is_smallest]
        self._smallest, self._last_of_smallest = smallest, drawn[:, _SOME - 1].copy()
        self.is_known = drawn[:, 0] != NOBODY if len(drawn) else np.zeros(0, np.bool_)
        self._last = np.where(self.is_known, drawn[:, -1], np.uint64(0))

    def met(self, places: Places) -> Met:
        """How many of those who stand for each set are among these, by their places in ``bits``."""
        at = written_out(self._starts[places], self._starts[places + 1])[1]
        return np.bincount(self._owners[at], minlength=len(self._sizes)).astype(np.int8)

    def within(self, met: Met) -> Places:
        """Sets that lie within the one that was met, but for a few; none of those that nobody stands for."""
        return np.flatnonzero(met >= _LEAST_WITHIN)

    def may_be_within(self, met: Met, k: int) -> npt.NDArray[np.bool_]:
        """Sets that may have fewer than k persons beside the one that was met: all others have them for sure."""
        may: npt.NDArray[np.bool_] = ~self.is_known | (met > N_DRAWN - k)
        return may

    def may_be_around(self, met: Met, own: Drawn, k: int) -> npt.NDArray[np.bool_]:
        """Sets that may lack fewer than k persons of the one that was met; all others lack them for sure.

        In: own — who stands for the one that was met
        Who has a smaller number than the last who stands for a set, and does not stand for it, is not in it.
        """
        if k > len(own) or own[k - 1] == NOBODY:
            return np.ones(len(met), np.bool_)
        may: npt.NDArray[np.bool_] = (self._last <= own[k - 1]) | (met > 0)
        return may

    def may_lie_beside(self, met: Met) -> npt.NDArray[np.bool_]:
        """Sets that may share nobody with the one that was met."""
        return met <= _MOST_BESIDE

    def may_hold(self, met: Met, size: int, start: int) -> Iterator[Places]:
        """Sets that may hold the one that was met, which has so many persons, from a place on: first those who were met
        as who holds it would be, then those of whom nothing is known.
        """
        some = np.flatnonzero(met[start:]) + start
        expected = N_DRAWN * np.minimum(1.0, size / np.maximum(self._sizes[some], 1))
        yield some[met[some] >= expected / 3]
        is_open = ~self.is_known[start:]
        is_open[max(0, int(self._sizes.searchsorted(N_DRAWN * size / _LEAST_EXPECTED, side="right")) - start) :] = True
        yield np.flatnonzero(is_open & (met[start:] == 0)) + start

    def may_lie_in(self, start: int, stop: int, whole: int) -> npt.NDArray[np.bool_]:
        """Which sets from a place up to another may lie within a whole: who stands for them, and has a smaller number
        than the last who stands for it, stands for it too, but for two.
        """
        if not self.is_known[whole]:
            return np.ones(stop - start, np.bool_)
        last, own = self._last[whole], self._drawn[whole]
        places = self.bits.searchsorted(own)
        may: npt.NDArray[np.bool_] = self._last_of_smallest[start:stop] >= last  # no more than two have a smaller one
        some = (~may).nonzero()[0] + start
        self._is_own[places] = True
        some = some[self._is_own.take(self._smallest.take(some, axis=1)).any(axis=0)]
        self._is_own[places] = False
        if len(some):
            theirs = self._drawn[some]
            is_own = own[np.minimum(own.searchsorted(theirs), N_DRAWN - 1)] == theirs
            may[some[((theirs < last) & ~is_own).sum(axis=1) < _SOME] - start] = True
        return may
