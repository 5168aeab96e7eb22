"""Sums, means, deviations and counts of records that left, and what a new one tells beside them.

Two sums over persons of whom enough differ can differ by one large value. A number that is no count of persons is
therefore kept with what it owes to its persons: the sum of their parts, and the two largest parts. Of whom one set has
beside another the largest part is at most the largest of the whole. So their sum, which is a subtraction away, is
proven to be of several when the two largest parts of the whole would not dominate it; where the sets are the same but
for a few, as rows of one day more are, it is proven to be of enough when it is more than one less than the minimum
could have. What is not proven is refused. A sum and a mean tell the same here, and conditions on rows are no excuse.

Combinations are one number less another whose persons lie within its own but for a few, one less two that share nobody,
and one less as many as fit, the largest first: of many, those of the largest sets within it, and within the smallest
that hold it. Numbers whose persons cross by the minimum or more both ways tell no
sum of anybody's and are not compared.

Units: parts in the unit of the number; persons distinct; k is the permit's minimum count.
Source: Hundepool and others 2012, Statistical Disclosure Control, 4.2, applied to what a difference leaves.
Check: tests/unit/release/test_totals.py adds the values of persons up itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
import numpy.typing as npt

Persons = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]

_MOST_PARTS = 64
"""Numbers within a whole of which two are taken from it: the largest."""
_MOST_WHOLES = 12
"""Earlier numbers of which the new one and others are taken: those of the smallest sets that hold its persons."""
_FAR = 23
"""So many parts as large as the largest are dominated by no two of them, by any policy that has sense."""
_SAME = 1e-9


class Dominates(Protocol):
    """Whether two largest parts make up too much of a sum."""

    def __call__(self, largest: tuple[float, float], total: float) -> bool:
        """Largest part first."""


@dataclass(frozen=True, slots=True, repr=False)
class Total:
    """One number by its parts; ``persons`` gives those behind it in full.

    Shapes: counts (N_CLASSES of ``history``)
    """

    of: str
    """What is added up: of numbers with other words here nothing follows."""
    total: float
    largest: tuple[float, float]
    counts: Counts
    sum: int
    persons: Callable[[], Persons]
    around: tuple[float, float] | None = None
    """Of a deviation: how many values, and their mean; its parts are squares of distances to it."""

    def __repr__(self) -> str:
        return f"Total({self.of})"

    def is_same(self, other: Total) -> bool:
        """Whether both are one number."""
        return self.sum == other.sum and abs(self.total - other.total) <= _SAME * max(1.0, abs(self.total))


def telling(new: Sequence[Total], old: Sequence[Total], k: int, dominates: Dominates) -> Iterator[tuple[int, int]]:
    """New numbers that with earlier ones tell a sum that is not proven to be of enough.

    Out: the place of the new number, and of an earlier one that takes part: the first that is found for each new one.
    """
    by_words: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(old):
        by_words[each.of].append(place)
    pools = {of: _Earlier([old[place] for place in places]) for of, places in by_words.items()}
    for number, total in enumerate(new) if k > 1 else ():
        if total.of in pools:
            found = next(pools[total.of].found(total, k, dominates), None)
            if found is not None:
                yield number, by_words[total.of][found]


class _Earlier:
    """Earlier numbers of what is the same to add up."""

    def __init__(self, totals: Sequence[Total]) -> None:
        self._totals = totals
        self._counts = np.stack([each.counts for each in totals]).astype(np.int64)
        self._sizes = self._counts.sum(axis=1)
        self._sums = np.array([each.total for each in totals])
        self._first = np.array([each.largest[0] for each in totals])

    def found(self, new: Total, k: int, dominates: Dominates) -> Iterator[int]:
        """Places of those that take part in telling."""
        apart = np.abs(self._sums - new.total)
        most = np.maximum(self._first, new.largest[0])
        # What is more than as many times the largest part is of enough, and no two dominate it by far.
        is_near = apart <= (max(k, _FAR) - 1) * most
        near: list[int] = np.flatnonzero(is_near | (new.around is not None)).tolist()
        for at in near:
            other = self._totals[at]
            whole, part = (new, other) if new.total >= other.total else (other, new)
            if not new.is_same(other) and _tells(whole, [part], k, dominates):
                yield at
        if new.around is None:  # what two deviations leave of a third is no sum of squares
            yield from self._rests_of_it(new, k, dominates)
            yield from self._rests_beside_it(new, k, dominates)

    def _rests_of_it(self, new: Total, k: int, dominates: Dominates) -> Iterator[int]:
        """What earlier numbers leave of the new one."""
        within = [at for at in self._within(new.counts, k) if not self._totals[at].is_same(new)]
        for parts in _several(new, [self._totals[at] for at in within]):
            if _tells(new, [self._totals[within[at]] for at in parts], k, dominates):
                yield within[parts[0]]

    def _rests_beside_it(self, new: Total, k: int, dominates: Dominates) -> Iterator[int]:
        """What the new number and others leave of an earlier one."""
        around = np.flatnonzero(np.maximum(new.counts - self._counts, 0).sum(axis=1) < k)
        for at in around[np.argsort(self._sizes[around], kind="stable")][:_MOST_WHOLES].tolist():
            whole = self._totals[at]
            if whole.is_same(new):
                continue
            others = (each for each in self._within(whole.counts, k) if each != at)
            beside = [new, *(self._totals[each] for each in others if not self._totals[each].is_same(new))]
            for parts in _several(whole, beside, first=True):
                if _tells(whole, [beside[each] for each in parts], k, dominates):
                    yield at

    def _within(self, counts: Counts, k: int) -> list[int]:
        """Those whose persons can lie within a set but for a few, the largest."""
        places = np.flatnonzero(np.maximum(self._counts - counts, 0).sum(axis=1) < k)
        most: list[int] = places[np.argsort(-self._sizes[places], kind="stable")][: 2 * _MOST_PARTS].tolist()
        return most


def _several(whole: Total, parts: Sequence[Total], *, first: bool = False) -> Iterator[tuple[int, ...]]:
    """Two parts, and as many as fit; with the first of them always where that is asked."""
    order = sorted(range(len(parts)), key=lambda at: -int(parts[at].counts.sum()))[:_MOST_PARTS]
    if first:
        order = [0, *(at for at in order if at)]
    yield from ((0, at) for at in order[1:]) if first else combinations(order, 2)
    left, chosen = whole.counts.astype(np.int64), list[int]()
    for at in order:
        if (left - parts[at].counts >= 0).all():
            left, chosen = left - parts[at].counts, [*chosen, at]
            if len(chosen) > 2:
                yield tuple(chosen)


def _tells(whole: Total, parts: Sequence[Total], k: int, dominates: Dominates) -> bool:
    """Whether what parts leave of a whole is not proven to be of enough persons, and they do lie within it."""
    rest, largest = _rest(whole, parts)
    if rest > (k - 1) * largest[0] and not dominates(largest, rest):
        return False
    together = sum((each.counts.astype(np.int64) for each in parts), np.zeros(len(whole.counts), np.int64))
    if _over(together, whole.counts) >= k:
        return False
    theirs, sizes = [each.persons() for each in parts], sum(int(each.counts.sum()) for each in parts)
    union = np.unique(np.concatenate(theirs))
    if sizes - len(union) >= k or len(np.setdiff1d(union, whole.persons(), assume_unique=True)) >= k:
        return False  # they share persons, or lie elsewhere: their sum tells nothing of the rest
    n_left = len(np.setdiff1d(whole.persons(), union, assume_unique=True))
    if n_left < k:
        return rest <= (k - 1) * largest[0] and (n_left > 0 or abs(rest) > _SAME * max(1.0, whole.total))
    return rest <= 0 or dominates(largest, rest)


def _rest(whole: Total, parts: Sequence[Total]) -> tuple[float, tuple[float, float]]:
    """What parts leave of a whole, and what its two largest parts are at most."""
    rest = whole.total - sum(each.total for each in parts)
    first = max(each.largest[0] for each in (whole, *parts))
    second = max(each.largest[1] for each in (whole, *parts))
    if whole.around is None or parts[0].around is None:
        return rest, (first, second)
    (n, mean), (n_part, mean_part) = whole.around, parts[0].around
    if (n_left := n - n_part) < 1 / 2:
        return 0.0, (first, second)
    mean_left = (n * mean - n_part * mean_part) / n_left
    apart, shift = n_part * n_left / n * (mean_part - mean_left) ** 2, abs(mean - mean_left)
    return rest - apart, ((math.sqrt(first) + shift) ** 2, (math.sqrt(second) + shift) ** 2)


def _over(one: npt.NDArray[np.integer], other: npt.NDArray[np.integer]) -> int:
    """At least how many persons one set has beside another, by their classes."""
    return int(np.maximum(one.astype(np.int64) - other, 0).sum())
