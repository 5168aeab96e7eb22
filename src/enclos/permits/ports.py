"""What permits need of the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from enclos.permits.model import VersionMark


class Signer(Protocol):
    """The access body's Ed25519 key in use; the key itself stays where it lives."""

    def public_key(self) -> bytes:
        """The public key (32 bytes)."""

    def sign(self, message: bytes) -> bytes:
        """The signature of the message (64 bytes)."""


class PermitStore(Protocol):
    """Where signed versions are kept, all of them, for ever."""

    def ids(self) -> Sequence[str]:
        """The permits that have at least one version, in order."""

    def versions(self, permit_id: str) -> Sequence[bytes]:
        """The versions as they were signed, oldest first; empty when the permit is unknown."""

    def append(self, permit_id: str, version: int, signed: bytes, mark: VersionMark) -> None:
        """Keep one more version, durably; never replaces one."""

    def newest(self, permit_id: str) -> VersionMark | None:
        """The newest version that was ever kept, as remembered apart from the versions themselves."""
