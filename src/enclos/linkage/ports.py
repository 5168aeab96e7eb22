"""What linkage needs from the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from enclos.linkage.model import ScoredStays


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


class CodeBlinding(Protocol):
    """Numbers in the place of diagnoses and acts, under a key of one comparison."""

    def blind(self, codes: Sequence[str]) -> list[int]:
        """The number of each code; equal codes have equal numbers, and the key is never kept."""


class StayScorer(Protocol):
    """A probabilistic comparison of stays."""

    def score(self, hospital: pa.Table, national: pa.Table, *, seed: int, floor: float) -> ScoredStays:
        """Learn weights from the stays and give the pairs that weigh at least ``floor``."""
