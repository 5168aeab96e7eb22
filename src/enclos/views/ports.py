"""What views need of the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclos.contracts.view import ViewTerms
from enclos.views.model import Numbered


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
        """Whether the permit was opened, on a snapshot that is kept."""

    def opened_for(self) -> str:
        """For which population and period it was opened: ``rules.opening_of``."""

    def rows(self, bucket: int | None = None) -> pa.Table:
        """Its persons: bucket, person_id, permit_person; of one bucket where one is named."""

    def write(self, rows: pa.Table, terms: ViewTerms) -> int:
        """Put these rows of a permit in its place, whole or not at all; gives the bytes written."""

    def renumbered(self, kind: Numbered, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The permit's own numbers for the warehouse's: a secret permutation of the permit, the same for ever."""


class Randomness(Protocol):
    """Where random numbers come from."""

    def numbers(self, n_numbers: int, n_bits: int) -> NDArray[np.int64]:
        """Uniform numbers of so many bits."""


class Check(Protocol):
    """Asked before each bucket and each statement; raises a refusal when the right to go on has ended."""

    def __call__(self) -> None:
        """Return, or raise."""
