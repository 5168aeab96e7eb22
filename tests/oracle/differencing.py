"""Differencing the slow way: every combination of earlier sets, person by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations


def differing(
    target: frozenset[int], sets: Sequence[frozenset[int]], among: Sequence[int], k: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Combinations (added, taken away) that count 1 to k - 1 persons more or less than the target does.

    In:  among — at least one of these takes part; the target itself does not
    Out: every number of sets that are added, every number that is taken from one, and two less one
    """
    numbers = range(len(sets))
    shapes = [(plus, ()) for n in range(1, len(sets) + 1) for plus in combinations(numbers, n)]
    shapes += [
        (plus, minus)
        for n_plus, most in ((1, len(sets) - 1), (2, 1))
        for plus in combinations(numbers, n_plus)
        for n in range(1, most + 1)
        for minus in combinations([each for each in numbers if each not in plus], n)
    ]
    for plus, minus in shapes:
        if not set(among) & {*plus, *minus}:
            continue
        balance = Counter(target)
        for number in plus:
            balance.subtract(sets[number])
        for number in minus:
            balance.update(sets[number])
        if 1 <= sum(abs(n) for n in balance.values()) < k:
            yield plus, minus
