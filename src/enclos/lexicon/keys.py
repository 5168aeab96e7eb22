"""Keys are values that never show themselves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import Enum


class KeyRole(Enum):
    """Whose key it is; a key of one role does not fit another's function."""

    ACCESS_BODY = "access-body"
    """Ed25519, signs permits."""
    LEDGER = "ledger"
    """Ed25519, signs checkpoints."""
    RELEASE = "release"
    """Ed25519, signs release packages."""
    CATALOG = "catalog"
    """AES-256, opens the catalog and through it every file key of the lake."""
    VAULT = "vault"
    """AES-256, landed deliveries and link tables."""
    CROSSING = "crossing"
    """AES-256, the pseudonymised tables between vault and warehouse."""
    PSEUDONYM = "pseudonym"
    """256 bits, turns identities into person numbers."""
    DESK = "desk"
    """AES-256, release requests, evidence and decisions."""
    PERMIT = "permit"
    """AES-256, one per permit: perimeter, runs and person sets."""
    LEDGER_SALT = "ledger-salt"
    """256 bits, salts digests in the ledger."""
    CHECK = "check"
    """Opens only under the right passphrase."""


@dataclass(frozen=True, slots=True)
class KeyName:
    """The name of a key: its role and, for a permit's key, the permit."""

    role: KeyRole
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.role.value}/{self.subject}" if self.subject else self.role.value


class SecretKey:
    """32 secret bytes with a name; its repr shows the name only."""

    __slots__ = ("_value", "name")

    def __init__(self, name: KeyName, value: bytes) -> None:
        if len(value) != 32:
            raise ValueError("a secret key has 32 bytes")
        self.name = name
        self._value = value

    def reveal(self) -> bytes:
        """The bytes, for the one call that needs them."""
        return self._value

    def reveal_base64(self) -> str:
        """The bytes as DuckDB takes them."""
        return base64.b64encode(self._value).decode("ascii")

    def __repr__(self) -> str:
        return f"SecretKey({self.name})"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret key is never pickled")
