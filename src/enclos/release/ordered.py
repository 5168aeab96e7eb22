"""Distinct sets in the order of their sizes: which of them can meet, and which combinations come near a target.

What could make up a difference has sizes of a range. What of a range meets is asked by how much more sets have in one
half of the classes than in the other, then by other halves, before all classes are looked at.

Units: distinct persons; places are those in the order of sizes; k is the minimum count.
Check: tests/generative/test_differencing.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.release.allowance import Allowance
from enclos.release.ranges import expanded, marked
from enclos.release.sets import N_CLASSES, Counts, Persons, Sets, coarse

Places: TypeAlias = npt.NDArray[np.int64]

_MOST_STEPS = 256
"""Places of a range that are looked at one after another, all ranges together; what is left is written out."""
_LEAST_A_STEP, _LEAST_SHARE = 1024, 6
"""Ranges that are looked at so, and which share of all they are; fewer are written out."""
_MANY = 256
"""Combinations of which a few classes are looked at before all."""
_N_LEAST = 8
"""Classes in which a target has the fewest persons: those in which what is not within it has too many."""


class Ordered:
    """Earlier and new sets, equal ones once: as earlier ones where they are.

    Shapes: counts (n, N_CLASSES), coarse (n, N_CLASSES / 8); others (n).
    """

    def __init__(self, new: Sets, old: Sets, k: int) -> None:
        self._new, self._old, self._k = new, old, k
        sums = np.concatenate([old.sums, new.sums])
        sizes = np.concatenate([each.counts.sum(axis=1, dtype=np.int32).astype(np.int64) for each in (old, new)])
        numbers = np.unique(sums, return_index=True)[1]
        self.numbers = numbers[np.argsort(sizes[numbers], kind="stable")]
        self.sizes, self.sums, self.is_old = sizes[self.numbers], sums[self.numbers], self.numbers < len(old)
        self.counts: Counts = np.concatenate([old.counts, new.counts]).take(self.numbers, axis=0)
        self._by_class = np.ascontiguousarray(self.counts.T)
        self.coarse = coarse(self.counts)
        self._leaning = [_leaning(self._by_class, by) for by in range(2)]
        self._power, self._marks = marked(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def at(self, size: Any) -> Any:
        """The first place whose set has so many persons or more."""
        return self.sizes.searchsorted(size, side="left")

    def between(self, sizes: npt.NDArray[np.int64]) -> tuple[Places, Places]:
        """Places from which and up to which sets have so many persons or fewer than k more or less, and some beside."""
        least = sizes - (self._k - 1)
        most = least + 2 * (self._k - 1)
        if self._power:
            least, most = least >> self._power, most >> self._power
        most += 1
        return self._marks.take(least, mode="clip"), self._marks.take(most, mode="clip")

    def persons(self, place: int) -> Persons:
        """One set in full."""
        number, n_old = int(self.numbers[place]), len(self._old)
        return self._old.persons(number) if number < n_old else self._new.persons(number - n_old)

    def may_lie_within(self, target: Counts, start: int, stop: int) -> npt.NDArray[np.bool_]:
        """Which sets from a place up to another may have fewer than k persons beside a target, by a few classes."""
        least = np.argsort(target)[:_N_LEAST]
        over = self._by_class[least, start:stop]
        over -= target[least, None]
        near: npt.NDArray[np.bool_] = np.maximum(over, 0, out=over).sum(axis=0, dtype=np.int32) < self._k
        return near

    def lie_within(self, target: Counts, places: Places) -> Places:
        """Those of some sets that have fewer than k persons beside a target by all classes."""
        over = self.counts.take(places, axis=0)
        over -= target
        found: Places = places[np.maximum(over, 0, out=over).sum(axis=1, dtype=np.int32) < self._k]
        return found

    def meeting(
        self, target: Counts, first: Places, low: Places, high: Places, sign: int, allowance: Allowance
    ) -> tuple[Places, Places]:
        """Places of each range that fit its first set by two halves of classes: which range, and the place.

        In:  sign — 1 where they are taken from the first set, -1 where they are added to it
        Out: the first of each range before the second, longer ranges before others, however they were looked at
        """
        widths = np.maximum(high - low, 0)
        if not allowance.spend(len(first) + int(widths.sum())):
            return first[:0], first[:0]
        aims, span = [int(_leaning(target[:, None], by)[0]) for by in range(2)], np.uint32(2 * self._k - 1)
        column, second = self._leaning[0].view(np.uint32), self._leaning[1]
        goals = sign * (self._leaning[0].take(first) - np.int32(aims[0]))
        aimed = (goals + np.int32(self._k - 1)).view(np.uint32)  # modulo 2^32: less than k either way is less
        n_steps = _steps(widths)
        met: list[tuple[Places, Places]] = []
        for step in range(n_steps):
            near = (aimed - column[step:].take(low, mode="clip") < span).nonzero()[0]
            places = low[near] + step
            is_one = places < high[near]
            met.append((near[is_one], places[is_one]))
        longer = (widths > n_steps).nonzero()[0]
        for some, theirs in expanded(low[longer] + n_steps, high[longer]):
            rows = longer[some]
            near = np.flatnonzero(aimed.take(rows) - column.take(theirs) < span)
            met.append((rows[near], theirs[near]))
        if not met:
            return first[:0], first[:0]
        rows, places = (np.concatenate(each) for each in zip(*met, strict=True))
        near = np.flatnonzero(np.abs(sign * (second[first[rows]] - aims[1]) - second[places]) < self._k)
        rows, places = rows[near], places[near]
        order = np.lexsort((-rows, -widths[rows], places - low[rows]))
        return rows[order], places[order]

    def near(self, target: Counts, total: np.uint64, places: Places, signs: Places) -> Iterator[tuple[int, ...]]:
        """Those of some combinations that come near the target in all classes, but are not it.

        In:  signs — 1 of each column of places that is added, of the first always, and -1 of those that are taken
        """
        if not len(places):
            return
        is_many = len(places) > _MANY
        for counts, aim in (*([(self.coarse, coarse(target[None])[0])] if is_many else []), (self.counts, target)):
            apart = counts.take(places[:, 0], axis=0)
            apart -= aim
            for at, sign in enumerate(signs.tolist()[1:], start=1):
                (np.add if sign > 0 else np.subtract)(apart, counts.take(places[:, at], axis=0), out=apart)
            places = places[np.abs(apart, out=apart).sum(axis=1, dtype=np.int32) < self._k]
        taken = signs.astype(np.uint64)  # modulo 2^64, as the sums
        sums = (self.sums[places] * taken).sum(axis=1, dtype=np.uint64)
        yield from (tuple(each) for each in places[sums != total].tolist())


def _leaning(by_class: Counts, by: int) -> Counts:
    """How many more persons sets have in one half of the classes than in the other, as one of two bits says.

    A person more or less changes it by one, as it does a size; but it spreads more than the size of any few classes.
    """
    halves = by_class.reshape(2, 2, N_CLASSES // 4, -1).sum(axis=2, dtype=np.int32)
    one, other = halves.sum(axis=1 - by, dtype=np.int32)
    found: Counts = one - other
    return found


def _steps(widths: npt.NDArray[np.int64]) -> int:
    """How many places of all ranges are looked at step by step: as long as enough of them go on."""
    n_left = len(widths) - np.cumsum(np.bincount(widths))  # whose range has more places than so many
    return min(_MOST_STEPS, int(np.count_nonzero(n_left >= max(_LEAST_A_STEP, len(widths) // _LEAST_SHARE))))
