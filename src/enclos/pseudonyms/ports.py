"""What pseudonyms need from the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Landed(Protocol):
    """Landed rows, as the crossing sees them."""

    def relation(
        self,
        kind: str,
        family: str,
        columns: Sequence[str],
        *,
        source: str | None = None,
        deliveries: Sequence[int] = (),
    ) -> str:
        """A FROM-able expression over landed rows: the columns, then _source, _table, _delivery and _line."""


class CrossingWriter(Protocol):
    """The only way out of the vault."""

    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        """The units that crossed: name → note."""

    def begin(self, unit: str) -> None:
        """Open an empty unit; an unfinished one of that name is removed."""

    def write(self, unit: str, table: str, part: str, select_sql: str, *, by_bucket: bool) -> int:
        """Write a query's rows as one part of a unit's table; the number of rows."""

    def publish(self, unit: str) -> None:
        """Make a unit's files durable; only ``keep`` makes them count."""

    def keep(self, notes: Mapping[str, Mapping[str, Any]], *, complete: bool) -> None:
        """Let exactly these units count, at once, and remove all others; readers wait until it is complete."""


class Progress(Protocol):
    """Hears how far a step is."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``what``."""
