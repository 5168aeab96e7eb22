"""Rows in order of stratum: sums and running sums that start again at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

import numpy as np

from enclos.studies.regression.model import Floats, Ints

Values = TypeVar("Values", Floats, Ints)
_FEW = 64
"""Up to so many segments are summed one by one."""
_LOWEST = -700.0
"""A relative risk of e to the -700 is as small as a number can well be."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Consecutive, non-empty runs of rows."""

    starts: Ints
    n_rows: int

    @property
    def lengths(self) -> Ints:
        """How many rows each has."""
        return np.diff(self.starts, append=self.n_rows)

    def spread(self, per_segment: Values) -> Values:
        """A value per segment, given to each of its rows."""
        return cast("Values", np.repeat(per_segment, self.lengths, axis=0))

    def sums(self, values: Floats) -> Floats:
        """The sum of each segment."""
        return np.add.reduceat(values, self.starts, axis=0)

    def maxima(self, values: Floats) -> Floats:
        """The largest value of each segment."""
        return np.maximum.reduceat(values, self.starts)

    def relative(self, predictor: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Each row's weighted relative risk, one for the highest predictor of its segment, and that by segment."""
        highest = self.maxima(np.where(weights > 0, predictor, -np.inf))
        highest = np.where(np.isfinite(highest), highest, 0.0)
        return weights * np.exp(np.clip(predictor - self.spread(highest), _LOWEST, 0.0)), highest

    def running(self, values: Floats) -> Floats:
        """Sums from the start of the segment to each row; nothing is ever taken away, so that small sums stay right."""
        if len(self.starts) <= _FEW:
            return np.concatenate([np.cumsum(part, axis=0) for part in np.split(values, self.starts[1:])])
        result, reach = values.copy(), 1
        place = np.arange(self.n_rows) - self.spread(self.starts)
        while reach < int(self.lengths.max()):
            (far,) = np.nonzero(place >= reach)
            result[far] += result[far - reach]
            reach *= 2
        return result

    def reversed(self) -> Segments:
        """The same runs, last row first."""
        ends = np.append(self.starts[1:], self.n_rows)
        return Segments(self.n_rows - ends[::-1], self.n_rows)


Order: TypeAlias = Ints | slice
"""Row numbers, or all rows as they are."""


def in_order(*keys: Ints | Floats) -> tuple[Order, Order]:
    """The order of rows by keys, the last one first, and its inverse; rows that already are in order stay views."""
    order = np.lexsort(keys)
    if (order[1:] > order[:-1]).all():
        return slice(None), slice(None)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return order, place


def segments_of(*keys: Ints | Floats) -> Segments:
    """The runs of rows whose keys are all equal.

    In: keys — one value per row each, rows already in order; at least one row
    """
    changes = np.zeros(len(keys[0]), dtype=bool)
    changes[0] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    return Segments(np.flatnonzero(changes), len(changes))
