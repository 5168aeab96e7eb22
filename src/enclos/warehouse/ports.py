"""What a build needs from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from enclos.contracts.columns import TableContract
from enclos.warehouse.work import Ground, PassAsked, PassMade


class CrossingReader(Protocol):
    """The pseudonymised tables, as they crossed the wall."""

    def tables(self) -> Collection[str]:
        """Names of the tables that crossed."""

    def relation(self, table: str, buckets: Sequence[int] | None) -> str | None:
        """A FROM-able expression over some buckets (None: all of them), or None when nothing crossed."""

    def stamp(self, table: str, buckets: Sequence[int] | None) -> str:
        """Stands for the rows that ``relation`` gives: while it is the same, they are."""

    def n_rows(self) -> int:
        """How many rows crossed, in all tables."""


class LakeWriter(Protocol):
    """The lake, during one build."""

    def facts(self) -> Mapping[str, Any] | None:
        """What the newest snapshot says of itself, None when there is none."""

    def begin(self) -> None:
        """Open the build's one transaction."""

    def name(self, table: str) -> str:
        """The name under which a table is read and written."""

    def create(self, table: TableContract, *, by_bucket: bool) -> str:
        """Replace a table by an empty one; the name to insert into."""

    def commit(self, facts: Mapping[str, Any]) -> int:
        """Make the build visible, whole; its snapshot id."""

    def abandon(self) -> None:
        """Undo the build."""


class PassSpread(Protocol):
    """Passes made in other processes, at the same time."""

    def __call__(self, ground: Ground, asked: Iterable[PassAsked]) -> Iterator[PassMade]:
        """What each pass answers, in order; a pass is taken from ``asked`` when a process is free for it.

        The rows that a pass wrote become the build's when its answer is taken.
        """
