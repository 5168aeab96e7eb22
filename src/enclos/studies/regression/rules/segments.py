"""Rows in order of stratum: sums and running sums that start again at each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enclos.studies.regression.model import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Consecutive, non-empty runs of rows."""

    starts: Ints
    n_rows: int

    @property
    def lengths(self) -> Ints:
        """How many rows each has."""
        return np.diff(self.starts, append=self.n_rows)

    def spread(self, per_segment: Floats) -> Floats:
        """A value per segment, given to each of its rows."""
        return np.repeat(per_segment, self.lengths, axis=0)

    def sums(self, values: Floats) -> Floats:
        """The sum of each segment."""
        return np.add.reduceat(values, self.starts, axis=0)

    def maxima(self, values: Floats) -> Floats:
        """The largest value of each segment."""
        return np.maximum.reduceat(values, self.starts)

    def running(self, values: Floats) -> Floats:
        """Sums from the start of the segment to each row.

        The sum of the segment before is taken away at each start, so that errors stay those of one segment.
        """
        if len(self.starts) == 1:
            return np.cumsum(values, axis=0)
        fresh = values.copy()
        fresh[self.starts[1:]] -= self.sums(values)[:-1]
        return np.cumsum(fresh, axis=0)

    def reversed(self) -> Segments:
        """The same runs, last row first."""
        ends = np.append(self.starts[1:], self.n_rows)
        return Segments(self.n_rows - ends[::-1], self.n_rows)


def segments_of(*keys: Ints | Floats) -> Segments:
    """The runs of rows whose keys are all equal.

    In: keys — one value per row each, rows already in order; at least one row
    """
    changes = np.zeros(len(keys[0]), dtype=bool)
    changes[0] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    return Segments(np.flatnonzero(changes), len(changes))
