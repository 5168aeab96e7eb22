"""Ranges of places in the order of sizes, and combinations of a few, many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Places: TypeAlias = npt.NDArray[np.int64]

MOST_AT_ONCE = 1 << 20
"""Combinations that are written out together."""
_MARKS_PER_SET = 16
"""Sizes whose first place is noted, so that it need not be searched for."""


@lru_cache(maxsize=64)
def combined(n: int, n_terms: int) -> tuple[Places, ...]:
    """The same as ``every_combination`` of few, which is asked for again and again."""
    return every_combination(n, n_terms)


def every_combination(n: int, n_terms: int) -> tuple[Places, ...]:
    """Every ascending combination of so many of n places, in their order: one column for each."""
    columns: tuple[Places, ...] = (np.arange(n, dtype=np.int64),)
    while len(columns) < n_terms:
        rows, places = written_out(columns[-1] + 1, np.full(len(columns[-1]), n))
        columns = (*(each[rows] for each in columns), places)
    return columns


def adding_to(sizes: Places, size: int, k: int, n_terms: int) -> tuple[Places, ...]:
    """Every ascending combination of so many of some sizes, ascending, that add up to one but for fewer than k.

    Out: their places, one column for each, in their order
    """
    if not sum(sizes[:n_terms].tolist()) - k < size < sum(sizes[-n_terms:].tolist()) + k:
        return tuple(np.zeros((n_terms, 0), np.int64))  # not even the smallest, or the largest
    first = combined(len(sizes), n_terms - 1)
    wanted = size - sizes[first[0]]
    for each in first[1:]:
        wanted -= sizes[each]
    low = np.maximum(sizes.searchsorted(wanted - (k - 1), side="left"), first[-1] + 1)
    some = ((low < len(sizes)) & (sizes.take(low, mode="clip") < wanted + k)).nonzero()[0]
    if not len(some):
        return tuple(np.zeros((n_terms, 0), np.int64))
    high = sizes.searchsorted(wanted[some] + k, side="left")
    rows, last = written_out(low[some], high)
    return (*(each[some[rows]] for each in first), last)


def marked(sizes: npt.NDArray[np.int64]) -> tuple[int, Places]:
    """The place of the first set of each so many persons or more: the power of two that a step is, and the places."""
    most = int(sizes[-1]) if len(sizes) else 0
    power = (most // (_MARKS_PER_SET * len(sizes) + 1)).bit_length()
    return power, np.searchsorted(sizes, np.arange((most >> power) + 2) << power, side="left")


def expanded(low: Places, high: Places) -> Iterator[tuple[Places, Places]]:
    """Every place of every range, many at a time: which range, and the place."""
    ends = np.cumsum(np.maximum(high - low, 0))
    start = 0
    while start < len(low):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + MOST_AT_ONCE, side="right")))
        rows, places = written_out(low[start:stop], high[start:stop])
        if len(rows):
            yield rows + start, places
        start = stop


def written_out(low: Places, high: Places) -> tuple[Places, Places]:
    """Every place of every range at once: which range, and the place."""
    widths = np.maximum(high - low, 0)
    ends = np.cumsum(widths)
    rows = np.repeat(np.arange(len(low)), widths)
    return rows, np.arange(len(rows)) + np.repeat(low - (ends - widths), widths)
