"""What views need of the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Snapshot(Protocol):
    """One immutable state of the warehouse."""

    @property
    def id(self) -> int:
        """The snapshot's number."""

    @property
    def buckets(self) -> Sequence[int]:
        """The buckets of its person tables."""

    @property
    def tables(self) -> frozenset[str]:
        """The tables that it holds: OMOP's, and ``person_source`` where it knows the sources."""

    def relation(self, table: str) -> str:
        """What stands after FROM to read the table at this snapshot; person tables have a leading ``bucket``."""


class PerimeterStore(Protocol):
    """Where a permit's perimeter is kept, sealed under the permit's own key."""

    def exists(self) -> bool:
        """Whether the permit was opened."""

    def relation(self) -> str:
        """What stands after FROM to read it."""

    def write(self, select_sql: str) -> int:
        """Put the query's rows in its place, whole or not at all; gives the bytes written."""


class Randomness(Protocol):
    """Where random numbers come from."""

    def numbers(self, n_numbers: int, n_bits: int) -> NDArray[np.int64]:
        """Uniform numbers of so many bits."""


class Check(Protocol):
    """Asked before each bucket and each statement; raises a refusal when the right to go on has ended."""

    def __call__(self) -> None:
        """Return, or raise."""
