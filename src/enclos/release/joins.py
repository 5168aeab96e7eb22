"""Three or four sets of a pool that add up to a target but for a few persons, all of them, without trying each.

Two sets and what they leave of the target meet by their sizes; where sets are so small that everything meets, by
classes: fewer than k persons differ, so fewer than k classes do, and of k groups of classes one at least is as it
should be. In that group two sets and the rest of the target are equal numbers, which are found by sorting. What meets
is looked at again in all classes.

Units: distinct persons; k is the minimum count.
Check: tests/unit/release/test_decoys.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from enclos.release.allowance import Allowance
from enclos.release.ranges import combined, written_out
from enclos.release.sets import N_CLASSES, Counts

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.integer]

_MOST_GROUPS = 32
_N_FIRST = 8
"""Classes whose sum is asked of what meets by size."""
_MOST_BY_SIZE = 1 << 17
"""What meets by size before classes are asked."""
_MOST_MET = 1 << 18
"""What meets in one group of classes by chance, as it does among tiny sets: of more, the first are looked at."""
_PER_PAIR, _PER_MET = 4, 64
"""What a pair costs that is put in order, and one that meets and is looked at again."""


def adding_up(target: Counts, counts: Counts, k: int, allowance: Allowance) -> Iterator[Places]:
    """Places of a pool's sets that may add up to a target: rows of four or of three, each ascending.

    In:  counts — classes of the pool's sets
    Out: all of them, or the allowance is short
    """
    if len(counts) < 3:
        return
    first, second = combined(len(counts), 2)
    sizes, some_classes = counts.sum(axis=1, dtype=np.int64), counts[:, :_N_FIRST].sum(axis=1, dtype=np.int64)
    if not allowance.spend(_PER_PAIR * len(first)):
        return
    order = np.argsort(sizes[first] + sizes[second])
    pairs, singles = np.column_stack([first[order], second[order]]), np.arange(len(counts))[:, None]
    size, aim = int(target.sum()), int(target[:_N_FIRST].sum())
    theirs, of_theirs = (each[pairs[:, 0]] + each[pairs[:, 1]] for each in (sizes, some_classes))
    n_smaller = int(np.searchsorted(theirs, (size + k) // 2, side="right"))  # of two pairs one has no more than half
    for some, own, of_own in (
        (pairs[:n_smaller], theirs[:n_smaller], of_theirs[:n_smaller]),
        (singles, sizes, some_classes),
    ):
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
