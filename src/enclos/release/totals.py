"""Sums, means, deviations and counts of records that left, and what a new one tells beside them.

Two sums over persons of whom enough differ can differ by one large value. A number that is no count of persons is
therefore kept with what it owes to its persons: the sum of their parts, and the two largest parts. Of whom one set has
beside another the largest part is at most the largest of the whole. So their sum, which is a subtraction away, is
proven to be of several when the two largest parts of the whole would not dominate it; where the sets are the same but
for a few, as rows of one day more are, it is proven to be of enough when it is more than one less than the minimum
could have. What is not proven is refused. A sum and a mean tell the same here, and conditions on rows are no excuse.

Combinations are one number less another whose persons lie within its own but for a few, one less two that share nobody,
and one less as many as fit, the largest first: of many, those of the largest sets within it, and within the smallest
that hold it; what is left out then is said, longer sums among it. Numbers whose persons cross by the minimum or more
both ways tell no sum of anybody's and are not compared.

Units: parts in the unit of the number; persons distinct; k is the permit's minimum count.
Source: Hundepool and others 2012, Statistical Disclosure Control, 4.2, applied to what a difference leaves.
Check: tests/unit/release/test_totals.py adds the values of persons up itself.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from enclos.release.allowance import MOST_PARTS, Allowance, Sought, Untried
from enclos.release.ranges import combined

Persons = npt.NDArray[np.int64]
Counts = npt.NDArray[np.integer]
Places = npt.NDArray[np.int64]
Sums = npt.NDArray[np.float64]

MOST_WHOLES = 12
"""Earlier numbers of which the new one and others are taken: those of the smallest sets that hold its persons."""
_ALL_TRIED = 3
"""Parts of which all sums are tried: each, every two, and all where they share nobody. Of more, some threes are not."""
_AT_ONCE = 1 << 14
"""Twos whose classes are looked at together."""
_PER_PAIR, _PERSONS_PER = 8, 4
"""What it costs to look at the classes of two, and how many persons in full cost as much as a place."""
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


def telling(
    new: Sequence[Total], old: Sequence[Total], k: int, dominates: Dominates, sought: Sought
) -> Iterator[tuple[int, int]]:
    """New numbers that with earlier ones tell a sum that is not proven to be of enough.

    In:  sought — what may be done, and what was left out
    Out: the place of the new number, and of an earlier one that takes part: the first that is found for each new one.
    """
    by_words: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(old):
        by_words[each.of].append(place)
    allowance, left_out = Allowance(len(new), sought.left), Counter[Untried]()
    pools = {of: _Earlier([old[at] for at in places], k, dominates, allowance) for of, places in by_words.items()}
    for number, total in enumerate(new) if k > 1 else ():
        if total.of in pools:
            allowance.begin()
            pool = pools[total.of]
            found = next(pool.found(total), None)
            left_out.update(pool.left_out)
            if found is not None:
                yield number, by_words[total.of][found]
    sought.left -= allowance.spent
    for what, n in left_out.items():
        sought.leave_out(what, n)


class _Earlier:
    """Earlier numbers of what is the same to add up."""

    def __init__(self, totals: Sequence[Total], k: int, dominates: Dominates, allowance: Allowance) -> None:
        self._totals, self._k, self._dominates, self._allowance = totals, k, dominates, allowance
        self._counts = np.stack([each.counts for each in totals]).astype(np.int64)
        self._sizes = self._counts.sum(axis=1)
        self._sums = np.array([each.total for each in totals])
        self._first = np.array([each.largest[0] for each in totals])
        self._within_whole: dict[int, list[int]] = {}
        self._left_out: set[Untried] = set()

    @property
    def left_out(self) -> set[Untried]:
        """What of the last one was not tried."""
        return self._left_out | ({Untried.WORK} if self._allowance.is_short else set())

    def found(self, new: Total) -> Iterator[int]:
        """Places of those that take part in telling."""
        self._left_out = set()
        apart = np.abs(self._sums - new.total)
        most = np.maximum(self._first, new.largest[0])
        near: list[int] = np.flatnonzero((apart <= self._least(most)) | (new.around is not None)).tolist()
        for at in near if self._allowance.spend(_PER_PAIR * len(near)) else ():
            other = self._totals[at]
            whole, part = (new, other) if new.total >= other.total else (other, new)
            if not new.is_same(other) and self._tells(whole, [part]):
                yield at
        if new.around is None:  # what two deviations leave of a third is no sum of squares
            yield from self._rests_of_it(new)
            yield from self._rests_beside_it(new)

    def _least(self, largest: Sums) -> Sums:
        """A sum above this, beside its largest part, is of enough, and no two of its parts dominate it by far."""
        return (max(self._k, _FAR) - 1) * largest

    def _rests_of_it(self, new: Total) -> Iterator[int]:
        """What earlier numbers leave of the new one."""
        within = [at for at in self._within(new.counts) if not self._totals[at].is_same(new)]
        if len(within) > MOST_PARTS:
            self._left_out.add(Untried.PARTS)
        if len(within) > _ALL_TRIED:
            self._left_out.add(Untried.RESTS)
        places = np.array(within[:MOST_PARTS], dtype=np.int64)
        sums, largest, counts = self._sums[places], self._first[places], self._counts[places]
        first, second = combined(len(places), 2)
        if not self._allowance.spend(len(first)):
            return
        twos = self._may_tell(
            new,
            sums[first] + sums[second],
            np.maximum(largest[first], largest[second]),
            lambda some: counts[first[some]] + counts[second[some]],
        )
        for parts in (*zip(first[twos].tolist(), second[twos].tolist(), strict=True), *_fitting(new.counts, counts, 3)):
            if self._tells(new, [self._totals[within[at]] for at in parts]):
                yield within[parts[0]]

    def _rests_beside_it(self, new: Total) -> Iterator[int]:
        """What the new number and others leave of an earlier one."""
        around = np.flatnonzero(np.maximum(new.counts - self._counts, 0).sum(axis=1) < self._k)
        around = around[np.argsort(self._sizes[around], kind="stable")]
        wholes = [at for at in around.tolist() if not self._totals[at].is_same(new)]
        if len(wholes) > MOST_WHOLES:
            self._left_out.add(Untried.RESTS)
        for at in wholes[:MOST_WHOLES]:
            whole = self._totals[at]
            if at not in self._within_whole:
                self._within_whole[at] = self._within(whole.counts)
            others = [each for each in self._within_whole[at] if each != at and not self._totals[each].is_same(new)]
            if len(others) >= _ALL_TRIED:
                self._left_out.add(Untried.RESTS)
            places = np.array(others[:MOST_PARTS], dtype=np.int64)
            counts = self._counts[places] + new.counts
            largest = np.maximum(self._first[places], new.largest[0])
            ones = self._may_tell(whole, self._sums[places] + new.total, largest, counts.__getitem__)
            rest = whole.counts.astype(np.int64) - new.counts
            for parts in (*([one] for one in ones.tolist()), *_fitting(rest, self._counts[places], 2)):
                if self._tells(whole, [new, *(self._totals[others[each]] for each in parts)]):
                    yield at

    def _may_tell(self, whole: Total, sums: Sums, largest: Sums, counts: Callable[[Places], Counts]) -> Places:
        """Which of some sums, by their largest parts and classes, may lie within a whole and leave what is of few."""
        near = np.flatnonzero(whole.total - sums <= self._least(np.maximum(largest, whole.largest[0])))
        if not self._allowance.spend(_PER_PAIR * len(near)):
            return near[:0]
        found = [near[:0]]
        for start in range(0, len(near), _AT_ONCE):
            some = near[start : start + _AT_ONCE]
            found.append(some[np.maximum(counts(some) - whole.counts, 0).sum(axis=1) < self._k])
        return np.concatenate(found)

    def _within(self, counts: Counts) -> list[int]:
        """Those whose persons can lie within a set but for a few, the largest first."""
        places = np.flatnonzero(np.maximum(self._counts - counts, 0).sum(axis=1) < self._k)
        found: list[int] = places[np.argsort(-self._sizes[places], kind="stable")].tolist()
        return found

    def _tells(self, whole: Total, parts: Sequence[Total]) -> bool:
        """Whether what parts leave of a whole is not proven to be of enough persons, and they do lie within it."""
        k = self._k
        rest, largest = _rest(whole, parts)
        if rest > (k - 1) * largest[0] and not self._dominates(largest, rest):
            return False
        together = sum((each.counts.astype(np.int64) for each in parts), np.zeros(len(whole.counts), np.int64))
        if _over(together, whole.counts) >= k:
            return False
        sizes = sum(int(each.counts.sum()) for each in parts)
        if not self._allowance.spend((sizes + int(whole.counts.sum())) // _PERSONS_PER):
            return False
        theirs = [each.persons() for each in parts]
        union = np.unique(np.concatenate(theirs))
        if sizes - len(union) >= k or len(np.setdiff1d(union, whole.persons(), assume_unique=True)) >= k:
            return False  # they share persons, or lie elsewhere: their sum tells nothing of the rest
        n_left = len(np.setdiff1d(whole.persons(), union, assume_unique=True))
        if n_left < k:
            return rest <= (k - 1) * largest[0] and (n_left > 0 or abs(rest) > _SAME * max(1.0, whole.total))
        return rest <= 0 or self._dominates(largest, rest)


def _fitting(left: Counts, parts: Counts, least: int) -> Iterator[tuple[int, ...]]:
    """As many parts as fit into what is left, the first of them first: so many, and each longer row of them."""
    chosen: list[int] = []
    places = np.arange(len(parts))
    while len(places := places[(left - parts[places] >= 0).all(axis=1)]):
        left, chosen, places = left - parts[places[0]], [*chosen, int(places[0])], places[1:]
        if len(chosen) >= least:
            yield tuple(chosen)


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
