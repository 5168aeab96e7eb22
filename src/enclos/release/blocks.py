"""Of few sets everything that their numbers tell: groups of a few persons whose number follows from any sums of them.

Persons who are in the same sets are a block. The number of a group of blocks follows from those of the sets when the
group is a sum of multiples of them, however many and however they cross. Rows of sets by blocks are brought into steps
modulo a prime, blocks of many persons first: the steps in which only small blocks are left tell all that follows of
those. Where they are few, every choice of them is tried, so that every group is found, of however many blocks. Of more,
what a block leaves behind is told by a number, and up to six blocks whose numbers add up to nothing are a group that is
told; that there may be larger ones is said. The search of ``history`` looks for sums of few sets among many; this one
for all sums among few.

Units: distinct persons.
Check: tests/unit/release/test_blocks.py, tests/generative/test_release_attackers.py, whose judge counts in fractions.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from enclos.release.allowance import MOST_SETS, Sought, Untried
from enclos.release.ranges import every_combination
from enclos.release.sets import Collision, Sets

Persons = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]

MOST_PERSONS = 5_000_000
"""In all sets together, each as often as it is counted."""
_MOST_BLOCKS = 4096
_MOST_SMALL = 40
"""Blocks of a few persons, the smallest, of which groups are made where there are too many steps to try each choice."""
_MOST_AT_ONCE = 3
"""Blocks that such a group is sought by, from either side: so twice as many make one."""
_MOST_TRIED = 1 << 24
"""Choices of steps, times the blocks of each, that are tried."""
_PRIME = 2_147_483_647
_FACTOR = 1_103_515_245
"""Its powers stand for blocks: sums of a few of them are nothing by chance only, and every group is looked at again."""
_MOST_ALIKE = 64
_EPSILON = 1e-6

Told = tuple[int, tuple[int, ...], tuple[int, ...]]
"""How many persons a group has, and the sets that are added and taken for it."""


def collisions_of_all_sums(new: Sets, old: Sets, k: int, sought: Sought) -> Iterator[Collision]:
    """Collisions of new sets with earlier ones by any sums of any sets, where there are few; else it is left out."""
    sums = np.concatenate([old.sums, new.sums])
    n_distinct = len(np.unique(sums))
    if n_distinct > MOST_SETS or int(old.counts.sum()) + int(new.counts.sum()) > MOST_PERSONS:
        sought.leave_out(Untried.SUMS, n_distinct)
        return
    numbers = np.sort(np.unique(sums, return_index=True)[1])  # equal sets once, as earlier ones where they are
    is_new = np.isin(sums[numbers], new.sums)
    asked = [*numbers[~is_new].tolist(), *numbers[is_new].tolist()]
    n_old = int((~is_new).sum())
    persons = [old.persons(at) if at < len(old) else new.persons(at - len(old)) for at in asked]
    own = {int(total): number for number, total in enumerate(new.sums.tolist())}
    for n_persons, plus, minus in told_groups(persons, n_old, k, sought):
        involved = [asked[at] for at in (*plus, *minus)]
        theirs = [own[int(sums[at])] for at in involved if int(sums[at]) in own]
        if theirs and len(involved) > 1 and any(at < len(old) for at in involved):
            sides = [tuple(sorted(asked[at] for at in side)) for side in (plus, minus)]
            yield Collision(theirs[-1], sides[0], sides[1], n_persons)


def told_groups(sets: Sequence[Persons], n_old: int, k: int, sought: Sought) -> Iterator[Told]:
    """Groups of 1 to k - 1 persons whose number follows from those of the sets, and not from the first ones alone.

    In:  n_old — how many of the sets, the first, were known before; sought — told of what is left out
    Out: the smallest groups first, none that holds another of them
    """
    if not sets:
        return
    rows, sizes = _blocks(sets)
    small = np.flatnonzero(sizes < k)
    if not len(small):
        return
    if len(sizes) > _MOST_BLOCKS:
        sought.leave_out(Untried.BLOCKS, len(sets))
        return
    small = small[np.argsort(sizes[small], kind="stable")]
    steps = _of_small_alone(rows, small)
    groups = _chosen(steps, sizes[small], k)
    if groups is None:
        n_small, small = len(small), small[:_MOST_SMALL]
        groups, is_all = _adding_to_nothing(_left(rows, small), sizes[small], k)
        if n_small > len(small) or not is_all:
            sought.leave_out(Untried.BLOCKS, len(sets))
    found: list[frozenset[int]] = []
    before = _left(rows[:n_old], small)
    for group in groups:
        if sum(before[at] for at in group) % _PRIME == 0 or any(other <= group for other in found):
            continue
        goal = np.zeros(len(sizes))
        goal[small[list(group)]] = 1.0
        weights = np.linalg.lstsq(rows.T.astype(np.float64), goal, rcond=None)[0]
        if np.abs(rows.T @ weights - goal).max() > _EPSILON:
            continue
        found.append(group)
        plus, minus = (tuple(np.flatnonzero(sign * weights > _EPSILON).tolist()) for sign in (1.0, -1.0))
        yield int(sizes[small[list(group)]].sum()), plus, minus


def _blocks(sets: Sequence[Persons]) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Which sets each block is in (sets by blocks), and how many persons it has."""
    everybody = np.unique(np.concatenate(list(sets)))
    signs = np.zeros(len(everybody), dtype=np.uint64)
    for at, persons in enumerate(sets):
        signs[np.searchsorted(everybody, persons)] |= np.uint64(1 << at)
    kinds, sizes = np.unique(signs, return_counts=True)
    rows = (kinds[None, :] >> np.arange(len(sets), dtype=np.uint64)[:, None]) & np.uint64(1)
    return rows.astype(np.int64), sizes.astype(np.int64)


def _left(rows: Rows, places: npt.NDArray[np.int64]) -> list[int]:
    """What each of these blocks leaves when rows are taken from it, as one number: nothing where it is told."""
    steps, pivots = _steps(rows)
    spread = [pow(_FACTOR, at + 1, _PRIME) for at in range(rows.shape[1])]
    of_step = dict(zip(pivots, steps, strict=True))
    left = []
    for place in places.tolist():
        step = of_step[place].tolist() if place in of_step else [0] * len(spread)
        taken = sum(one * other for one, other in zip(step, spread, strict=True))
        left.append((spread[place] - taken) % _PRIME)
    return left


def _steps(rows: Rows) -> tuple[list[npt.NDArray[np.int64]], list[int]]:
    """The reduced row echelon form modulo the prime, without rows of nothing, and its pivots."""
    left, done, pivots = rows % _PRIME, 0, list[int]()
    for column in range(rows.shape[1]):
        if done == len(left):
            break
        found = np.flatnonzero(left[done:, column])
        if not len(found):
            continue
        left[[done, done + found[0]]] = left[[done + found[0], done]]
        left[done] = left[done] * pow(int(left[done, column]), -1, _PRIME) % _PRIME
        others = np.flatnonzero(left[:, column])
        others = others[others != done]
        left[others] = (left[others] - left[others, column][:, None] * left[done] % _PRIME) % _PRIME
        pivots.append(column)
        done += 1
    return list(left[:done]), pivots


def _of_small_alone(rows: Rows, small: npt.NDArray[np.int64]) -> tuple[Rows, npt.NDArray[np.int64]]:
    """The steps in which only small blocks are left, by their places among the small, and the first block of each."""
    is_large = np.ones(rows.shape[1], np.bool_)
    is_large[small] = False
    large = np.flatnonzero(is_large)
    steps, pivots = _steps(rows[:, np.concatenate([large, small])])
    own = [(step[len(large) :], pivot - len(large)) for step, pivot in zip(steps, pivots, strict=True)]
    own = [(step, first) for step, first in own if first >= 0]
    return np.array([step for step, _ in own]).reshape(len(own), len(small)), np.array([at for _, at in own], np.int64)


def _chosen(
    steps: tuple[Rows, npt.NDArray[np.int64]], sizes: npt.NDArray[np.int64], k: int
) -> list[frozenset[int]] | None:
    """Groups of fewer than k persons that are sums of some steps, the smallest first; None where steps are many.

    In the first block of a step no other step has anything, and a group has every block once or not: so it is the sum
    of the steps whose first blocks it has. A step of one block is a group itself, and adds to others what is told.
    """
    rows, first = steps
    is_one = (rows > 0).sum(axis=1) == 1
    found = {frozenset({int(at)}) for at in first[is_one]}
    rows, first = rows[~is_one], first[~is_one]
    most = min(len(rows), k - 1)
    if sum(math.comb(len(rows), n) for n in range(1, most + 1)) * len(sizes) > _MOST_TRIED:
        return None
    for n in range(1, most + 1):
        chosen = np.column_stack(every_combination(len(rows), n))
        chosen = chosen[sizes[first[chosen]].sum(axis=1) < k]
        total = np.zeros((len(chosen), len(sizes)), np.int64)
        for at in range(n):
            total = (total + rows[chosen[:, at]]) % _PRIME
        total = total[(total <= 1).all(axis=1)]
        found |= {frozenset(np.flatnonzero(each).tolist()) for each in total[total @ sizes < k]}
    return _in_order(found, sizes)


def _in_order(groups: Iterable[frozenset[int]], sizes: npt.NDArray[np.int64]) -> list[frozenset[int]]:
    """The smallest first."""
    return sorted(groups, key=lambda group: (int(sizes[list(group)].sum()), sorted(group)))


def _adding_to_nothing(left: Sequence[int], sizes: npt.NDArray[np.int64], k: int) -> tuple[list[frozenset[int]], bool]:
    """Groups of up to six blocks and fewer than k persons whose numbers add up to nothing, the smallest first, and
    whether there are no larger ones.
    """
    weight = sizes.tolist()
    found = {frozenset({at}) for at, rest in enumerate(left) if not rest}
    by_sum: dict[int, list[tuple[int, ...]]] = defaultdict(list, {0: [()]})
    open_ones = [at for at, rest in enumerate(left) if rest]
    is_all = sum(sorted(weight[at] for at in open_ones)[: 2 * _MOST_AT_ONCE + 1]) >= k
    is_all |= len(open_ones) <= 2 * _MOST_AT_ONCE
    for n in range(1, _MOST_AT_ONCE + 1):
        for part in combinations(open_ones, n):
            total = sum(left[at] for at in part) % _PRIME
            if sum(weight[at] for at in part) < k:
                is_all &= len(by_sum[total]) < _MOST_ALIKE
                by_sum[total] = [*by_sum[total], part][:_MOST_ALIKE]
    for total, some in list(by_sum.items()):
        others = by_sum.get(-total % _PRIME, []) if total else [()]
        for one, other in product(some, others):
            group = frozenset((*one, *other))
            if group and len(group) == len(one) + len(other) and sum(weight[at] for at in group) < k:
                found.add(group)
    return _in_order(found, sizes), is_all
