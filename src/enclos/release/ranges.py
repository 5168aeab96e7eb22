"""Ranges of places in the order of sizes, and combinations of a few, many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Places: TypeAlias = npt.NDArray[np.int64]

MOST_AT_ONCE = 1 << 20
"""Combinations that are written out together."""
_MARKS_PER_SET = 16
"""Sizes whose first place is noted, so that it need not be searched for."""


@lru_cache(maxsize=256)
def combined(n: int, n_terms: int) -> tuple[Places, ...]:
    """Every ascending combination of so many of n places: one column for each."""
    found = np.array(list(combinations(range(n), n_terms)), dtype=np.int64).reshape(-1, n_terms)
    return tuple(found.T.copy())


def marked(sizes: npt.NDArray[np.int64]) -> tuple[int, Places]:
    """The place of the first set of each so many persons or more: the power of two that a step is, and the places."""
    most = int(sizes[-1]) if len(sizes) else 0
    power = (most // (_MARKS_PER_SET * len(sizes) + 1)).bit_length()
    return power, np.searchsorted(sizes, np.arange((most >> power) + 2) << power, side="left")


def expanded(
    low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Every place of every range, many at a time: which range, and the place."""
    widths = np.maximum(high - low, 0)
    ends = np.cumsum(widths)
    start = 0
    while start < len(low):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + MOST_AT_ONCE, side="right")))
        part = widths[start:stop]
        if part.any():
            rows = np.repeat(np.arange(start, stop), part)
            offsets = np.arange(len(rows)) - np.repeat(np.cumsum(part) - part, part)
            yield rows, low[rows] + offsets
        start = stop
