"""Sets of persons that were released, and which of them a new one differs from by a few.

Whoever holds two tables can subtract them. A number that was released is therefore kept with the persons it counts,
and a new one is compared with every earlier one, of every permit: it may equal it, or differ by the minimum or more.
So may it be with the sums of earlier ones, and with what they leave of a larger one.

What is compared is who is in, not how many: two sets of one size can differ by two persons. Each set is told by how
many of its persons fall into each of 64 classes. For any sum of sets these counts differ by at most as many as the
persons do; what they leave open is compared person by person, so that nothing is refused for a coincidence. What is
equal to the person, as most sums of the strata of one table are, is told by a sum of 64 bits over all persons.

Units: distinct persons, under numbers of the warehouse; k is the permit's minimum count.
Check: tests/oracle/differencing.py tries every combination in plain Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

Persons = npt.NDArray[np.int64]
"""Numbers of persons, ascending and distinct."""
Counts = npt.NDArray[np.int32]
Sums = npt.NDArray[np.uint64]

N_CLASSES = 64
_N_COARSE = 8
_MOST_AT_ONCE = 1 << 21
"""Combinations that are looked at together: some 128 MB of coarse counts."""
MOST_IN_TRIPLES = 64
"""Sets within the new one of which three are added: the largest. All of them are tried one by one and in pairs."""
MOST_WHOLES = 12
"""Sets that hold the new one and from which several are taken: the smallest. One is taken from all of them."""
MOST_IN_FOURS = 20
"""Sets of which four are added, three are taken from one, or two are added and one is taken: the largest."""


@dataclass(frozen=True, slots=True)
class Collision:
    """A new set that a combination of others misses by a few persons: ``plus`` less ``minus``."""

    new: int
    plus: tuple[int, ...]
    minus: tuple[int, ...]
    n_persons: int

    @property
    def others(self) -> tuple[int, ...]:
        """All that take part beside the new set."""
        return (*self.plus, *self.minus)


@dataclass(frozen=True, slots=True, repr=False)
class Sets:
    """Sets of persons by the counts of their classes; ``persons`` gives one of them in full.

    Shapes: counts (n sets, N_CLASSES), sums (n sets).
    """

    counts: Counts
    sums: Sums
    persons: Callable[[int], Persons]

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"Sets({len(self)})"


def told_by(persons: Persons) -> tuple[Counts, int]:
    """How many of a set's persons fall into each class, and their sum, by a spread of numbers that never changes."""
    mixed = persons.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)  # without it, person 0 would weigh nothing
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    counts = np.bincount((mixed >> np.uint64(58)).astype(np.int64), minlength=N_CLASSES).astype(np.int32)
    return counts, int(mixed.sum(dtype=np.uint64))


def collisions(new: Sets, old: Sets, k: int) -> Iterator[Collision]:
    """New sets that differ by 1 to k - 1 persons from a combination of others in which an earlier set takes part.

    In:  combinations are one set; up to four that are added; one less up to three; two less one, as of a union or an
         intersection; any number of sets that share nobody, and what they leave of one. Numbers of sets below
         ``len(old)`` are earlier sets, the others are new ones.
         Equal sets are one, and the new set itself takes no part.
    Out: the first that is found for each new set.
    """
    if k <= 1 or not len(old) or not len(new):
        return
    search = _Search(new, old, k)
    for number in range(len(new)):
        found = search.first(number)
        if found is not None:
            yield found


class _Search:
    """All sets in the order of their sizes, so that what could make up a difference is a range."""

    def __init__(self, new: Sets, old: Sets, k: int) -> None:
        self._new, self._old, self._k = new, old, k
        sums = np.concatenate([old.sums, new.sums])
        self._order = np.unique(sums, return_index=True)[1]  # equal sets once, as earlier ones where they are
        counts = np.concatenate([old.counts, new.counts])[self._order]
        sizes = counts.sum(axis=1)
        by_size = np.argsort(sizes, kind="stable")
        self._order, self._counts, self._sizes = self._order[by_size], counts[by_size], sizes[by_size]
        self._sums = sums[self._order]
        self._coarse = _coarse(self._counts)
        self._is_old = self._order < len(old)

    def first(self, number: int) -> Collision | None:
        """A combination that a new set collides with."""
        counts = self._new.counts[number]
        persons: Persons | None = None
        for plus, minus in self._candidates(counts, self._new.sums[number]):
            if not any(self._is_old[place] for place in (*plus, *minus)):
                continue
            persons = self._new.persons(number) if persons is None else persons
            n = self._n_different(persons, plus, minus)
            if 0 < n < self._k:
                names = [tuple(sorted(int(self._order[place]) for place in side)) for side in (plus, minus)]
                return Collision(number, names[0], names[1], n)
        return None

    def _candidates(self, target: Counts, total: np.uint64) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Combinations whose classes differ by less than k: places of those added and of those taken away."""
        others = self._sums != total
        within = np.flatnonzero(others & self._is_within(target))
        yield from ((each, ()) for each in self._adding_up(target, total, within, 1))
        yield from ((each, ()) for each in self._adding_up(target, total, within, 2))
        wholes = np.flatnonzero(others & self._holds(target))
        yield from self._rests(target, total, wholes)
        yield from ((each, ()) for each in self._adding_up(target, total, within[-MOST_IN_TRIPLES:], 3))
        yield from ((each, ()) for each in self._adding_up(target, total, within[-MOST_IN_FOURS:], 4))
        yield from ((each, ()) for each in self._filling(target, within[-MOST_IN_TRIPLES:]))
        for other in (*within[-MOST_WHOLES:], *wholes[:MOST_WHOLES]):
            both, total_of = target + self._counts[other], _plus(total, self._sums[other])
            pool = np.flatnonzero(others & self._is_within(both))
            pool = pool[pool != other][-MOST_IN_FOURS:]
            yield from ((each, (int(other),)) for each in self._adding_up(both, total_of, pool, 2))
        for whole in wholes[:MOST_WHOLES]:
            rest, total_of = self._counts[whole] - target, _less(self._sums[whole], total)
            pool = np.flatnonzero(others & self._is_within(rest))
            pool = pool[pool != whole]
            yield from (((int(whole),), each) for each in self._adding_up(rest, total_of, pool[-MOST_IN_TRIPLES:], 2))
            yield from (((int(whole),), each) for each in self._adding_up(rest, total_of, pool[-MOST_IN_FOURS:], 3))
            yield from (((int(whole),), each) for each in self._filling(rest, pool[-MOST_IN_TRIPLES:]))

    def _filling(self, target: Counts, pool: npt.NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
        """Sets that share nobody and fill the target but for a few, the largest first."""
        left = target.astype(np.int64)
        chosen: list[int] = []
        for place in pool[::-1].tolist():
            after = left - self._counts[place]
            if np.minimum(after, 0).sum() > -self._k:
                left, chosen = after, [place, *chosen]
        if len(chosen) > 1 and 0 < np.abs(left).sum() < self._k:
            yield tuple(chosen)

    def _rests(
        self, target: Counts, total: np.uint64, wholes: npt.NDArray[np.int64]
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """What any of the larger sets leaves when one other is taken away."""
        missing = self._sizes[wholes] - int(target.sum())
        low = np.searchsorted(self._sizes, missing - self._k + 1, side="left")
        high = np.searchsorted(self._sizes, missing + self._k - 1, side="right")
        coarse_target = _coarse(target[None])[0]
        for rows, others in _expanded(low, high):
            larger = wholes[rows]
            kept = (larger != others) & (self._sums[others] != total)
            larger, smaller = larger[kept], others[kept]
            near = _distance(self._coarse[larger] - self._coarse[smaller], coarse_target) < self._k
            larger, smaller = larger[near], smaller[near]
            near = _distance(self._counts[larger] - self._counts[smaller], target) < self._k
            near &= self._sums[larger] - self._sums[smaller] != total
            yield from (
                ((one,), (other,)) for one, other in zip(larger[near].tolist(), smaller[near].tolist(), strict=True)
            )

    def _adding_up(
        self, target: Counts, total: np.uint64, pool: npt.NDArray[np.int64], n_terms: int
    ) -> Iterator[tuple[int, ...]]:
        """Combinations of so many of the pool, in ascending places, that add up to the target nearly, but not quite."""
        goal, coarse_goal = int(target.sum()), _coarse(target[None])[0]
        sizes = self._sizes[pool]
        for chosen in self._by_size(sizes, goal, n_terms):
            places = pool[chosen]
            near = _distance(self._coarse[places].sum(axis=1), coarse_goal) < self._k
            places = places[near]
            near = _distance(self._counts[places].sum(axis=1), target) < self._k
            near &= self._sums[places].sum(axis=1, dtype=np.uint64) != total
            yield from (tuple(each) for each in places[near].tolist())

    def _by_size(self, sizes: npt.NDArray[np.int64], goal: int, n_terms: int) -> Iterator[npt.NDArray[np.int64]]:
        """Ascending combinations of places whose sizes add up to the goal within k - 1, many at a time: (n, terms)."""
        first = np.zeros((1, 0), dtype=np.int64)
        if n_terms > 1:
            ascending = combinations(range(len(sizes)), n_terms - 1)
            first = np.array(list(ascending), dtype=np.int64).reshape(-1, n_terms - 1)
        missing = goal - sizes[first].sum(axis=1)
        low = np.searchsorted(sizes, missing - self._k + 1, side="left")
        high = np.searchsorted(sizes, missing + self._k - 1, side="right")
        if n_terms > 1:
            low = np.maximum(low, first[:, -1] + 1)
        for rows, last in _expanded(low, high):
            yield np.column_stack([first[rows], last])

    def _is_within(self, target: Counts) -> npt.NDArray[np.bool_]:
        """Sets that have fewer than k persons more than the target in any classes."""
        return self._excess(target, 1)

    def _holds(self, target: Counts) -> npt.NDArray[np.bool_]:
        """Sets that lack fewer than k of the target's persons."""
        return self._excess(target, -1)

    def _excess(self, target: Counts, sign: int) -> npt.NDArray[np.bool_]:
        found = np.zeros(len(self._sizes), dtype=np.bool_)
        edge = np.searchsorted(self._sizes, int(target.sum()) + sign * self._k)
        part = slice(0, edge) if sign > 0 else slice(edge, None)
        over = np.maximum(sign * (self._coarse[part] - _coarse(target[None])), 0).sum(axis=1) < self._k
        places = np.flatnonzero(over) + (0 if sign > 0 else edge)
        fine = np.maximum(sign * (self._counts[places] - target), 0).sum(axis=1) < self._k
        found[places[fine]] = True
        return found

    def _n_different(self, persons: Persons, plus: Sequence[int], minus: Sequence[int]) -> int:
        """How many persons the combination counts otherwise than the set does; one counted twice too often is two."""
        parts = [persons, *(self._persons(place) for place in (*plus, *minus))]
        signs = [1, *(-1 for _ in plus), *(1 for _ in minus)]
        everyone, position = np.unique(np.concatenate(parts), return_inverse=True)
        weights = np.repeat(signs, [len(part) for part in parts])
        return int(np.abs(np.bincount(position, weights, minlength=len(everyone))).sum())

    def _persons(self, place: int) -> Persons:
        number = int(self._order[place])
        n_old = len(self._old)
        return self._old.persons(number) if number < n_old else self._new.persons(number - n_old)


def _expanded(
    low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Every place of every range, many at a time: which range, and the place."""
    widths = np.maximum(high - low, 0)
    ends = np.cumsum(widths)
    start = 0
    while start < len(low):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _MOST_AT_ONCE, side="right")))
        part = widths[start:stop]
        if part.any():
            rows = np.repeat(np.arange(start, stop), part)
            offsets = np.arange(len(rows)) - np.repeat(np.cumsum(part) - part, part)
            yield rows, low[rows] + offsets
        start = stop


def _coarse(counts: Counts) -> Counts:
    coarse: Counts = counts.reshape(len(counts), _N_COARSE, -1).sum(axis=2, dtype=np.int32)
    return coarse


def _plus(one: np.uint64, other: np.uint64) -> np.uint64:
    return np.uint64((int(one) + int(other)) % 2**64)


def _less(one: np.uint64, other: np.uint64) -> np.uint64:
    return np.uint64((int(one) - int(other)) % 2**64)


def _distance(counts: Counts, target: Counts) -> Counts:
    distance: Counts = np.abs(counts - target).sum(axis=1)
    return distance
