"""Keys are values that never show themselves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class KeyUse(Enum):
    """What a key is for, and so whether its bytes may ever be shown to a program."""

    SIGN = "sign"
    """Ed25519; in a token it never leaves it."""
    PSEUDONYMISE = "pseudonymise"
    """AES-256, asked for blocks; in a token it never leaves it."""
    SEAL = "seal"
    """32 bytes that the engine or AES-GCM takes in this process; in a token it lies wrapped by a key of its own."""


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
    """AES-256, level two: turns counters into person numbers."""
    RECORD = "record"
    """AES-256, turns the keys of stays, visits and executants into numbers."""
    SOURCE = "source"
    """AES-256, level one, one per source and held by the sender: turns identities into the source's pseudonyms."""
    DESK = "desk"
    """AES-256, release requests, evidence and decisions."""
    RECIPIENT = "recipient"
    """32 bytes, X25519, held by a source: opens the answers that are sealed to it."""
    OBJECTIONS = "objections"
    """AES-256, the table of person numbers that no view shows: the vault wing writes it, the research wing reads it."""
    PERMIT = "permit"
    """AES-256, one per permit: perimeter, runs and person sets."""
    LEDGER_SALT = "ledger-salt"
    """256 bits, salts digests in the ledger."""
    OWNER = "owner"
    """Ed25519, held by who answers for a declared document: signs statements about conformity."""
    SIGN_IN = "sign-in"
    """Ed25519, signs access tokens."""
    ACCOUNTS = "accounts"
    """AES-256, local accounts and withdrawn tokens."""
    CHECK = "check"
    """Opens only under the right passphrase."""

    @property
    def use(self) -> KeyUse:
        """What a key of this role is for."""
        if self in {KeyRole.ACCESS_BODY, KeyRole.LEDGER, KeyRole.RELEASE, KeyRole.OWNER, KeyRole.SIGN_IN}:
            return KeyUse.SIGN
        if self in {KeyRole.PSEUDONYM, KeyRole.RECORD, KeyRole.SOURCE}:
            return KeyUse.PSEUDONYMISE
        return KeyUse.SEAL


@dataclass(frozen=True, slots=True)
class KeyName:
    """The name of a key: its role and, for a permit's key, the permit.

    A generation of 0 means the one in use; a number names one generation of a key that is or was rotated.
    """

    role: KeyRole
    subject: str = ""
    generation: int = 0

    def __str__(self) -> str:
        whole = f"{self.role.value}/{self.subject}" if self.subject else self.role.value
        return f"{whole}#{self.generation}" if self.generation else whole

    def of_generation(self, generation: int) -> KeyName:
        """The same name with a generation."""
        return KeyName(self.role, self.subject, generation)


def read_key_name(text: str) -> KeyName:
    """The name that prints as this text.

    Refuses: ValueError when no key can have it
    """
    whole, _, generation = text.partition("#")
    role, _, subject = whole.partition("/")
    return KeyName(KeyRole(role), subject, int(generation or 0))


class BlockCipher(Protocol):
    """AES-256 under one key over whole arrays of blocks; the key itself stays where it lives."""

    def encrypt(self, blocks: bytes) -> bytes:
        """Each 16-byte block encrypted on its own, in one call."""


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
