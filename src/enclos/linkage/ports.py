"""What linkage needs from the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Landed(Protocol):
    """Landed rows, as linkage sees them."""

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


class LinkKeys(Protocol):
    """The keys of link deliveries."""

    def destroy_link(self, delivery_id: str, key_subject: str) -> None:
        """Make a link delivery's rows unreadable for ever; nothing happens when they are already."""
