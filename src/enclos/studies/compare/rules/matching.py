"""Sets of one entry of the target and the comparators nearest to it in score."""

from __future__ import annotations

import heapq
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.studies.compare.model import Match, Scale
from enclos.studies.compare.rules.scores import logit

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
UNMATCHED = -1
_ANY_DISTANCE = 9999.0


def caliper_of(score: Floats, asked: Match) -> tuple[Floats, float]:
    """The scale that distances are measured on, and the distance below which entries match.

    Source: CohortMethod, matchOnPs: a caliper of 0, or scores that are all alike, sets no bound.
    """
    if asked.caliper <= 0 or not len(score) or score.max() == score.min():
        return score, _ANY_DISTANCE
    if asked.scale is Scale.PROPENSITY:
        return score, asked.caliper
    values = logit(score) if asked.scale is Scale.STANDARDISED_LOGIT else score
    finite = values[np.isfinite(values)]
    spread = float(np.std(finite, ddof=1)) if len(finite) > 1 else 0.0
    return values, asked.caliper * spread


def matched(score: Floats, treated: Bools, asked: Match) -> Ints:
    """The set of each entry, numbered from 0 in the order in which sets are begun; UNMATCHED for those in none.

    Of all free pairs the nearest is taken first. Each round gives every entry of the target one comparator more, until
    nobody finds one within the caliper. Of pairs at one distance that of the lower score goes first; entries of one
    score stand in their order among the entries; of two comparators at one distance the one below is taken, and of
    several of one score the next in order. So the sets are the same whatever the order of computation.

    In:     entries in the order that breaks ties
    Source: CohortMethod, matchOnPs; Rassen et al. 2012. It leaves pairs at one distance to the order of its queue.
    """
    order = np.lexsort((np.arange(len(score)), score))
    values, caliper = caliper_of(score, asked)
    sets = _Sets(values[order].tolist(), treated[order].tolist(), caliper)
    for n_comparators in range(1, asked.ratio + 1):
        if not sets.fill(n_comparators):
            break
    found = np.full(len(score), UNMATCHED, dtype=np.int64)
    found[order] = sets.of
    if asked.fixed:
        sizes = np.array([0, *sets.sizes])
        found[sizes[found + 1] < asked.ratio] = UNMATCHED
    return found


class _Sets:
    """Sets as they grow; positions are by score."""

    def __init__(self, values: list[float], treated: list[bool], caliper: float) -> None:
        self.of = [UNMATCHED] * len(values)
        self.sizes: list[int] = []
        """Comparators in each set."""
        self._values, self._treated, self._caliper = values, treated, caliper
        n = len(values)
        # Each position points to itself while it is a free comparator, else to its neighbour; ends mean nobody.
        self._down = [at if at and not treated[at - 1] else max(at - 1, 0) for at in range(n + 1)]
        self._up = [at if at == n or not treated[at] else at + 1 for at in range(n + 1)]

    def _below(self, at: int) -> int:
        """The nearest free comparator below a position, or -1."""
        return _root(self._down, at) - 1

    def _above(self, at: int) -> int:
        """The nearest free comparator above a position, or the number of entries."""
        return _root(self._up, at + 1)

    def _take(self, comparator: int) -> None:
        self._down[comparator + 1] = comparator
        self._up[comparator] = comparator + 1

    def _distance(self, one: int, other: int) -> float:
        return abs(self._values[one] - self._values[other])

    def fill(self, n_comparators: int) -> int:
        """Give each entry of the target a comparator until it has so many; how many found one."""
        n = len(self._values)
        heap: list[tuple[float, int, int]] = []
        for at in range(n):
            if self._treated[at] and self._size(at) == n_comparators - 1:
                self._offer(heap, at)
        heapq.heapify(heap)
        n_found = 0
        while heap:
            distance, at, comparator = heapq.heappop(heap)
            if not distance < self._caliper:
                break
            if self.of[comparator] != UNMATCHED:
                self._push(heap, at)
                continue
            self._take(comparator)
            if self.of[at] == UNMATCHED:
                self.of[at] = len(self.sizes)
                self.sizes.append(0)
            self.of[comparator] = self.of[at]
            self.sizes[self.of[at]] += 1
            n_found += 1
        return n_found

    def _size(self, at: int) -> int:
        return 0 if self.of[at] == UNMATCHED else self.sizes[self.of[at]]

    def _nearest(self, at: int) -> tuple[float, int, int] | None:
        below, above = self._below(at), self._above(at)
        pairs = [(self._distance(at, each), at, each) for each in (below, above) if 0 <= each < len(self._values)]
        return min(pairs, default=None)

    def _offer(self, heap: list[tuple[float, int, int]], at: int) -> None:
        if (pair := self._nearest(at)) is not None:
            heap.append(pair)

    def _push(self, heap: list[tuple[float, int, int]], at: int) -> None:
        if (pair := self._nearest(at)) is not None:
            heapq.heappush(heap, pair)


def _root(next_of: list[int], at: int) -> int:
    """Follow the pointers to a position that points to itself, and shorten the way for the next time."""
    end = at
    while next_of[end] != end:
        end = next_of[end]
    while next_of[at] != end:
        next_of[at], at = end, next_of[at]
    return end
