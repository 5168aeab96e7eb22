"""Three or four sets of a pool that add up to a target but for a few persons, all of them, without trying each.

The largest of three has a third of the target or more, the next half of what is left, and the last has what is left:
of a few hundred sets few are so large and fit beside each other in all classes. Each is chosen among those that are as
large as they must be, all choices of one step together; where they are many, of those that share too few persons with
those chosen before to rule them out (``sketches``).

Only where choices are many, as among tiny sets, two sets and what they leave of the target meet by their sizes; where
sets are so small that everything meets, by classes: fewer than k persons differ, so fewer than k classes do, and of k
groups of classes one at least is as it should be. In that group two sets and the rest of the target are equal numbers,
which are found by sorting. What meets is looked at again in all classes.

Units: distinct persons; k is the minimum count.
Check: tests/unit/release/test_decoys.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from enclos.release.allowance import Allowance
from enclos.release.ranges import adding_to, every_combination, written_out
from enclos.release.sets import N_CLASSES, Counts, coarse
from enclos.release.sketches import IsApart

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.integer]

MOST_IN_TRIPLES, MOST_IN_FOURS = 64, 20
"""Sets of which every three, or every four, are tried at once: all of fewer; of more, the largest where the allowance
is short. The search takes no more either where three are taken from one, or two are added and one is taken."""
_LARGEST = {3: MOST_IN_TRIPLES, 4: MOST_IN_FOURS}
_MOST_CHOICES = 1 << 19
"""Choices of one step, of all before it together, that are looked at; of more, pairs are put in order."""
_MANY_CHOICES = 1 << 17
"""Choices of one step before which it is asked which sets share persons."""
_AT_ONCE = 1 << 15
"""Of these, so many together."""
_MANY = 256
"""Of these, so many are looked at by a few classes at once."""
_PER_CHOICE = 4
"""What it costs to look at one."""
_MOST_GROUPS = 32
_N_FIRST = 8
"""Classes whose sum is asked of what meets by size."""
_MOST_BY_SIZE = 1 << 17
"""What meets by size before classes are asked."""
_MOST_MET = 1 << 18
"""What meets in one group of classes by chance, as it does among tiny sets: of more, the first are looked at."""
_PER_PAIR, _PER_MET = 4, 64
"""What a pair costs that is put in order, and one that meets and is looked at again."""


def adding_up(
    target: Counts, counts: Counts, k: int, allowance: Allowance, apart: Callable[[], IsApart | None] = lambda: None
) -> Iterator[Places]:
    """Places of a pool's sets that may add up to a target: rows of three, then of four, each ascending.

    In:  counts — classes of the pool's sets, in the order of their sizes
         apart — which two of them may share fewer than k persons; asked where choices are many
    Out: all of them, or those of the largest, and the allowance is short
    """
    if len(counts) < 3:
        return
    sizes, size = counts.sum(axis=1, dtype=np.int64), int(target.sum())
    pool = _Pool(target, counts, coarse(counts), sizes, k, cache(apart))
    for n_terms in (3, 4):
        if len(counts) < n_terms or not sum(sizes[:n_terms].tolist()) - k < size < sum(sizes[-n_terms:].tolist()) + k:
            continue
        if len(counts) <= _LARGEST[n_terms]:
            yield np.column_stack(adding_to(sizes, size, k, n_terms))
            continue
        was_short, allowance.is_short = allowance.is_short, False
        found = _descended(pool, n_terms, allowance)
        if found is not None:
            yield found
        elif not allowance.is_short:
            yield from _met(target, counts, sizes, k, n_terms, allowance)
        if allowance.is_short:
            first = max(0, len(sizes) - _LARGEST[n_terms])
            yield np.column_stack(adding_to(sizes[first:], size, k, n_terms)) + first
        allowance.is_short |= was_short


@dataclass(frozen=True, slots=True)
class _Pool:
    """Sets of a pool in the order of their sizes, and what some of them are to add up to."""

    target: Counts
    counts: Counts
    few: Counts
    """Eight classes made one."""
    sizes: Places
    k: int
    apart: Callable[[], IsApart | None]

    def next_of(self, chosen: Places, n_left: int) -> tuple[Places, Places]:
        """Places from which and up to which the next largest set lies, for each choice of those before it."""
        rest = int(self.target.sum()) - self.sizes[chosen].sum(axis=1)
        below = chosen[:, -1] if chosen.shape[1] else np.full(len(chosen), len(self.sizes))
        low = np.searchsorted(self.sizes, -((self.k - 1 - rest) // n_left), side="left")  # the others are no larger
        most = rest + self.k - (n_left - 1) * int(self.sizes[0])
        high = np.minimum(np.searchsorted(self.sizes, most, side="left"), below)
        return low, np.maximum(low, high)

    def fit(self, chosen: Places) -> npt.NDArray[np.bool_]:
        """Which of some choices have fewer than k persons beside the target, by all classes."""
        parts = (chosen[start : start + _AT_ONCE] for start in range(0, len(chosen), _AT_ONCE))
        fits = (_is_within(self.counts, self.target, part, self.k) for part in parts)
        return np.concatenate([np.zeros(0, np.bool_), *fits])

    def may_fit(self, chosen: Places) -> npt.NDArray[np.bool_]:
        """The same by a few classes."""
        return _is_within(self.few, coarse(self.target[None])[0], chosen, self.k)


def _is_within(counts: Counts, target: Counts, chosen: Places, k: int) -> npt.NDArray[np.bool_]:
    over = counts.take(chosen[:, 0], axis=0)
    over -= target
    for at in range(1, chosen.shape[1]):
        over += counts.take(chosen[:, at], axis=0)
    found: npt.NDArray[np.bool_] = np.maximum(over, 0, out=over).sum(axis=1, dtype=np.int32) < k
    return found


def _descended(pool: _Pool, n_terms: int, allowance: Allowance) -> Places | None:
    """Rows by the largest first; None where choices are too many, or the allowance is short."""
    chosen = np.zeros((1, 0), np.int64)
    apart: IsApart | None = None
    for n_left in range(n_terms, 0, -1):
        low, high = pool.next_of(chosen, n_left)
        if n_left < n_terms:  # what nothing fits beside by its size need not be looked at in all classes
            some = (low < high).nonzero()[0]
            some = some[pool.fit(chosen[some])]
            chosen, low, high = chosen[some], low[some], high[some]
        if apart is None and n_left < n_terms and int((high - low).sum()) > _MANY_CHOICES:
            apart = pool.apart()
            if apart is not None:
                chosen = _all_apart(chosen, apart)
                low, high = pool.next_of(chosen, n_left)
        n = int((high - low).sum())
        if n > _MOST_CHOICES or not allowance.spend(_PER_CHOICE * n):
            return None
        none = np.zeros((0, n_terms - n_left + 1), np.int64)
        chosen = np.concatenate([none, *_next(pool, chosen, low, high, apart)])
    return chosen[:, ::-1]


def _next(pool: _Pool, chosen: Places, low: Places, high: Places, apart: IsApart | None) -> Iterator[Places]:
    """Choices of one set more, of those that may fit beside those before."""
    ends = np.cumsum(high - low)
    n = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(_AT_ONCE, n, _AT_ONCE), side="left").tolist()
    for start, stop in zip([0, *cuts], [*cuts, len(ends)], strict=True):
        rows, places = written_out(low[start:stop], high[start:stop])
        before = chosen[start:stop][rows]
        if apart is not None:
            is_apart = np.ones(len(places), np.bool_)
            for column in before.T:
                is_apart &= apart[column, places]
            before, places = before[is_apart], places[is_apart]
        found = np.column_stack([before, places])
        yield found[pool.may_fit(found)] if len(found) > _MANY else found


def _all_apart(chosen: Places, apart: IsApart) -> Places:
    """Those of some choices of which no two share k persons."""
    for one, other in combinations(range(chosen.shape[1]), 2):
        chosen = chosen[apart[chosen[:, one], chosen[:, other]]]
    return chosen


def _met(target: Counts, counts: Counts, sizes: Places, k: int, n_terms: int, allowance: Allowance) -> Iterator[Places]:
    """Rows by pairs that meet what a pair, or one alone, leaves of the target."""
    if not allowance.spend(_PER_PAIR * len(counts) * (len(counts) - 1) // 2):
        return
    first, second = every_combination(len(counts), 2)
    order = np.argsort(sizes[first] + sizes[second])
    pairs = np.column_stack([first[order], second[order]])
    some_classes = counts[:, :_N_FIRST].sum(axis=1, dtype=np.int64)
    size, aim = int(target.sum()), int(target[:_N_FIRST].sum())
    theirs, of_theirs = (each[pairs[:, 0]] + each[pairs[:, 1]] for each in (sizes, some_classes))
    some, own, of_own = np.arange(len(counts))[:, None], sizes, some_classes
    if n_terms == 4:
        n_smaller = int(np.searchsorted(theirs, (size + k) // 2, side="right"))  # of two one has no more than half
        some, own, of_own = pairs[:n_smaller], theirs[:n_smaller], of_theirs[:n_smaller]
    low = np.searchsorted(theirs, size - k + 1 - own, side="left")
    high = np.searchsorted(theirs, size + k - 1 - own, side="right")
    n_met = int((high - low).sum())
    if n_met > _MOST_BY_SIZE:
        yield from _by_classes(target, counts, pairs, some, k, allowance)
    elif allowance.spend(_PER_MET * n_met):
        rows, met = written_out(low, high)
        fits = np.flatnonzero(np.abs(of_own[rows] + of_theirs[met] - aim) < k)
        yield _distinct(some[rows[fits]], pairs[met[fits]], len(counts))


def _by_classes(
    target: Counts, counts: Counts, pairs: Places, some: Places, k: int, allowance: Allowance
) -> Iterator[Places]:
    """What meets in one group of classes or another, and by size."""
    groups = np.arange(N_CLASSES) * min(k, _MOST_GROUPS) // N_CLASSES
    starts = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    weights = np.random.default_rng(1).integers(1, 2**63, N_CLASSES, dtype=np.uint64)
    own = np.add.reduceat(counts.astype(np.uint64) * weights, starts, axis=1)
    aims = np.add.reduceat(target.astype(np.uint64) * weights, starts)
    sizes, size = counts.sum(axis=1, dtype=np.int64), int(target.sum())
    if k > _MOST_GROUPS:  # all groups could be otherwise than they should
        allowance.fall_short()
    for at, aim in enumerate(aims):
        if not allowance.spend(_PER_PAIR * (len(pairs) + len(some))):
            return
        theirs = own[pairs, at].sum(axis=1, dtype=np.uint64)
        order = np.argsort(theirs)
        wanted = aim - own[some, at].sum(axis=1, dtype=np.uint64)
        low, high = (np.searchsorted(theirs[order], wanted, side=side) for side in ("left", "right"))
        n_met = int((high - low).sum())
        if n_met > _MOST_MET:
            allowance.fall_short()
            high = np.minimum(high, low + np.maximum(_MOST_MET - np.cumsum(high - low) + (high - low), 0))
            n_met = _MOST_MET
        if allowance.spend(_PER_MET * n_met):
            rows, met = written_out(low, high)
            found = _distinct(some[rows], pairs[order[met]], len(counts))
            yield found[np.abs(sizes[found].sum(axis=1) - size) < k]


def _distinct(some: Places, pairs: Places, n_sets: int) -> Places:
    """Each of some with its pair, where no set is twice in them: every three or four once."""
    found = np.column_stack([some, pairs])
    found.sort(axis=1)
    found = found[(found[:, 1:] > found[:, :-1]).all(axis=1)]
    packed = found[:, 0]  # a row as one number: pools have a few hundred sets
    for at in range(1, found.shape[1]):
        packed = packed * n_sets + found[:, at]
    return found[np.unique(packed, return_index=True)[1]]
