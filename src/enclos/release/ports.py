"""What release needs of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Desk(Protocol):
    """Where requests, evidence and votes lie, sealed under the desk's key."""

    def requests(self) -> Sequence[str]:
        """The requests, oldest first."""

    def read(self, request: str, name: str) -> bytes:
        """One document of a request. Refuses: RELEASE_UNKNOWN, STORAGE_BROKEN."""

    def write(self, request: str, name: str, content: bytes) -> None:
        """Keep one document of a request, whole or not at all."""

    def mark(self, request: str, names: Sequence[str]) -> str:
        """What changes whenever one of these documents is written. Refuses: STORAGE_BROKEN when one is gone."""


class Archive(Protocol):
    """The persons behind what was asked to leave: under each permit's own key, and gone with it."""

    def keep(self, permit: str, request: str, content: bytes) -> None:
        """Keep a request's persons, whole or not at all."""

    def read(self, permit: str, request: str) -> bytes | None:
        """The persons of a request; None when the permit's key is destroyed. Refuses: STORAGE_BROKEN when gone."""

    def mark(self, permit: str, request: str) -> str:
        """What changes whenever a request's persons are written. Refuses: STORAGE_BROKEN when they are gone."""

    def has_key(self, permit: str) -> bool:
        """Whether the permit's key is still there."""

    def indexed(self) -> Sequence[str]:
        """The permits that have segments of an index."""

    def segments(self, permit: str) -> Mapping[str, bytes]:
        """A permit's segments by name, in no order; one that cannot be read is empty."""

    def keep_segment(self, permit: str, content: bytes) -> None:
        """Keep one segment more, whole or not at all."""

    def drop_segments(self, permit: str, names: Sequence[str]) -> None:
        """Remove segments."""

    def beside(self, permit: str, request: str) -> bytes:
        """What was found beside a request; empty where nothing was, or where it cannot be read."""

    def keep_beside(self, permit: str, request: str, content: bytes) -> None:
        """Keep what was found beside a request in the place of what was found before."""


class Signer(Protocol):
    """The release key in use; the key itself stays where it lives."""

    def public_key(self) -> bytes:
        """The public key (32 bytes)."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes)."""


class Check(Protocol):
    """Raises a refusal when the permit has ended."""

    def __call__(self) -> None:
        """Return, or raise."""
