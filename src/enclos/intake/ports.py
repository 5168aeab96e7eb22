"""What intake needs from the world."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from enclos.intake.model import FileFacts


class DeliveryFolder(Protocol):
    """The folder of one delivery; paths are relative to it."""

    def manifest(self) -> Any | None:
        """The JSON of delivery.json, or None when there is none."""

    def why_undeclared(self) -> tuple[str, str]:
        """Why there is no delivery.json, and what to do next."""

    def data_files(self) -> list[str]:
        """The files with rows in them."""

    def inspect(self, path: str) -> FileFacts | None:
        """What the file is, from one pass over its bytes; None when it is missing."""

    def location(self, path: str) -> str:
        """Where the engine finds the file."""

    def lines_at(self, path: str, offsets: list[int]) -> list[bytes]:
        """The raw lines that start at byte offsets of the uncompressed text."""

    def count_records(self, path: str, encoding: str, separator: str, quote: str) -> int:
        """The records of a CSV, header included, when quotes may hide line ends."""

    def reading(self, path: str) -> AbstractContextManager[None]:
        """While the engine reads the file, its faults become refusals that name the file."""


class Staging(Protocol):
    """Where a delivery's rows wait, encrypted, until the delivery is accepted as a whole."""

    @property
    def key_subject(self) -> str:
        """Which of the vault's keys seals the rows; empty for the vault's own."""

    def write(self, name: str, select_sql: str) -> int:
        """Write a query's rows under a name (again: replaces); the number of rows."""

    def scan(self, name: str) -> str:
        """A FROM-able expression over what was written."""

    def publish(self) -> None:
        """Make everything durable under the delivery's id; the vault's tables decide whether it counts."""

    def discard(self) -> None:
        """Forget everything."""


class LandingWriter(Protocol):
    """The landing zone, as intake sees it."""

    def sweep(self, deliveries: frozenset[str], key_subjects: frozenset[str]) -> int:
        """Remove the folders and keys that no accepted delivery owns (left by a crash); the number of folders."""

    def begin(self, delivery_id: str, *, own_key: bool) -> Staging:
        """Open a staging area; with its own key, what is landed can be destroyed apart from the rest."""


class Progress(Protocol):
    """Hears how far a step is."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``what``."""
