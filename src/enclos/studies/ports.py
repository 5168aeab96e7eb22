"""What a study needs of the world: the tables of a permit, bucket by bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import pyarrow as pa

from enclos.studies.work import Partial, Work


class CdmBucket(Protocol):
    """One bucket of persons: the OMOP tables by their names, holding only what the permit allows.

    All rows of a person are in one bucket. Vocabulary tables are whole. Temporary tables may be created.
    """

    def query(self, sql: str) -> pa.Table:
        """Run a query and take its whole result."""

    def execute(self, sql: str) -> None:
        """Run a statement for its effect."""

    def load(self, name: str, rows: pa.Table) -> None:
        """Make a temporary table of some rows, in the place of one of that name."""


class Cdm(Protocol):
    """The CDM that a permit sees."""

    @property
    def name(self) -> str:
        """The name that results carry."""

    @property
    def buckets(self) -> Sequence[int]:
        """The buckets, in the order in which they are to be read."""

    def bucket(self, bucket: int) -> AbstractContextManager[CdmBucket]:
        """Open one bucket until the block ends."""


class Progress(Protocol):
    """Told how far a study is."""

    def __call__(self, n_done: int, n_total: int) -> None:
        """So many of so many buckets are done."""


class Check(Protocol):
    """Asked before each bucket; raises a refusal when the right to go on has ended."""

    def __call__(self) -> None:
        """Return, or raise."""


class Spread(Protocol):
    """Has all buckets looked at elsewhere, several at a time."""

    def __call__(self, work: Work) -> Iterator[Partial]:
        """What each bucket answers (``steps.look``), in the order of the buckets.

        Refuses: whatever the permit's check raises, asked anew before each bucket.
        """
