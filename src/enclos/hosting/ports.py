"""What the room needs of a place that keeps objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Objects(Protocol):
    """A place for ciphertext: names with ``/`` in them, and bytes.

    Refuses: STORAGE_UNREACHABLE after a bounded number of tries, STORAGE_CREDENTIALS, STORAGE_FULL.
    """

    def names(self) -> Iterator[str]:
        """The names of all objects, in the order of their bytes."""

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of an object in pieces. Refuses: KeyError when the place does not give it."""

    def put(self, name: str, content: bytes) -> None:
        """Store an object, whole or not at all, in the place of one of that name."""

    def remove(self, name: str) -> None:
        """Remove an object; nothing happens when it is absent."""

    def remove_half_written(self) -> int:
        """Remove what uploads that never ended left there; how many there were. Nobody may be writing."""
