"""One-line builders of permits, their keys and a store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclos.permits.document import draft_permit
from enclos.permits.model import SignedPermit, VersionMark
from enclos.permits.steps import sign_permit

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
PERMIT_ID = "FR-2026-0042"
ALICE = "alice@example.org"


class SeedSigner:
    """A signer whose key comes from a seed."""

    def __init__(self, seed: int = 1) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class MemoryPermits:
    """Permits in memory."""

    def __init__(self) -> None:
        self.files: dict[str, list[bytes]] = {}
        self.marks: dict[str, VersionMark] = {}

    def ids(self) -> Sequence[str]:
        return sorted(self.files)

    def versions(self, permit_id: str) -> Sequence[bytes]:
        return list(self.files.get(permit_id, []))

    def append(self, permit_id: str, version: int, signed: bytes, mark: VersionMark) -> None:
        kept = self.files.setdefault(permit_id, [])
        assert len(kept) == version - 1
        kept.append(signed)
        self.marks[permit_id] = mark

    def newest(self, permit_id: str) -> VersionMark | None:
        return self.marks.get(permit_id)


def permit_text(**changes: str) -> str:
    """A permit document that reads without a fault; a change replaces the top-level field's line."""
    fields = {
        "permit": PERMIT_ID,
        "holder": '{organisation: "CHU de Demain", investigator: alice@example.org}',
        "users": "[{id: alice@example.org, role: researcher}, {id: bob@example.org, role: data-manager}]",
        "purpose": '{article: "53(1)(e)", text: "Safety of statins after 75"}',
        "legal_basis": "ehds-permit",
        "data": "{tables: all, population: all, potential_identifiers: [], "
        "period: {start: 2019-01-01, end: 2024-01-01}}",
        "access": "rows",
        "opt_out": "{applied: true, as_of: now}",
        "disclosure": "{min_count: 11}",
        "valid": "{from: 2026-11-01T00:00:00Z, until: 2029-11-01T00:00:00Z}",
        **changes,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def signed_permit(store: MemoryPermits, now: datetime = NOW, **changes: str) -> SignedPermit:
    """A permit signed into the store."""
    return sign_permit(permit_text(**changes), store=store, signer=SeedSigner(), now=now, min_count_floor=5)


def drafted() -> str:
    """The template of today."""
    return draft_permit(date(2026, 11, 1))
