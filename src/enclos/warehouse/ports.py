"""What a build needs from outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from enclos.contracts.columns import TableContract


class CrossingReader(Protocol):
    """The pseudonymised tables, as they crossed the wall."""

    def tables(self) -> Collection[str]:
        """Names of the tables that crossed."""

    def relation(self, table: str, bucket: int | None) -> str | None:
        """A FROM-able expression over one bucket (None: all of them), or None when nothing crossed."""


class LakeWriter(Protocol):
    """The lake, during one build."""

    def begin(self) -> None:
        """Open the build's one transaction."""

    def create(self, table: TableContract, *, by_bucket: bool) -> str:
        """Replace a table by an empty one; the name to insert into."""

    def commit(self, facts: Mapping[str, Any]) -> int:
        """Make the build visible, whole; its snapshot id."""

    def abandon(self) -> None:
        """Undo the build."""
