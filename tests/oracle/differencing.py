"""Differencing the slow way: every combination of earlier sets, person by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations


def differing(
    target: frozenset[int], sets: Sequence[frozenset[int]], among: Sequence[int], k: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Combinations (added, taken away) that count 1 to k - 1 persons more or less than the target does.

    In: one set; two or three added; one less one or two; at least one of ``among`` takes part.
    """
    numbers = range(len(sets))
    shapes = [(plus, ()) for n in (1, 2, 3) for plus in combinations(numbers, n)]
    shapes += [
        ((whole,), minus)
        for whole in numbers
        for n in (1, 2)
        for minus in combinations([each for each in numbers if each != whole], n)
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
