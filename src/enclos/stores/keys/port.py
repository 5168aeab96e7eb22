"""What every key store can do, and what it tells about a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher, KeyName, KeyUse, SecretKey
from enclos.lexicon.refusals import Refusal, refusal


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """What may be known of one generation of a key: everything but the key."""

    name: KeyName
    id: str
    """Random, so that the ledger can say which key it was without saying anything about it."""
    place: str
    """``file``, ``token`` (never leaves it) or ``wrapped`` (by a key of its own that never leaves the token)."""
    is_current: bool
    created_at: str
    destroyed_at: str | None
    public: bytes | None
    """The Ed25519 public key, which stays after the key is destroyed."""
    was_used: bool
    """Whether it is or was the generation in use; the next one of an unfinished rotation is not."""


class KeyStore(Protocol):
    """Where keys live; rooms ask for the use of a key by name.

    A key may have generations: a rotation makes the next one, moves what the old one held, promotes the new one and
    destroys the old one. A name without a generation means the one in use.
    """

    def create(self, name: KeyName) -> None:
        """Make a new random key; an existing one of that name is kept and refused."""

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there."""

    def secret(self, name: KeyName) -> SecretKey:
        """The key for sealing, as the engine takes it."""

    def blocks(self, name: KeyName) -> BlockCipher:
        """The key for pseudonyms, where it lives."""

    def sign(self, name: KeyName, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes)."""

    def public(self, name: KeyName) -> bytes:
        """The Ed25519 public key (32 bytes)."""

    def destroy(self, name: KeyName) -> None:
        """Forget the key for ever; without a generation, all of them."""

    def names(self) -> list[str]:
        """The names of the keys that are there."""

    def entries(self) -> Sequence[KeyEntry]:
        """Every generation of every key, destroyed ones included, in the order of their names."""

    def promote(self, name: KeyName) -> None:
        """Let this generation be the one in use."""

    def take_over(self, entry: KeyEntry) -> None:
        """Enter a key of another store as one that ended there, so that what it signed still verifies."""

    def carried(self, name: KeyName) -> bytes:
        """The bytes of a pseudonym key, for the store that takes it over. Refuses: KEY_FIXED in a token."""

    def adopt(self, name: KeyName, key: bytes) -> None:
        """Keep a pseudonym key that another store carried; one that is there stays. Refuses: KEY_FIXED in a token."""


class KeySigner:
    """One Ed25519 key in use; the key itself stays in its store."""

    def __init__(self, keys: KeyStore, name: KeyName) -> None:
        self._keys = keys
        self._name = name

    def __repr__(self) -> str:
        return f"KeySigner({self._name})"

    def public_key(self) -> bytes:
        """The public key (32 bytes)."""
        return self._keys.public(self._name)

    def sign(self, message: bytes) -> bytes:
        """The signature of the message (64 bytes)."""
        return self._keys.sign(self._name, message)


def check_use(name: KeyName, use: KeyUse) -> None:
    """A key of one role does not fit another's function.

    Refuses: ValueError, since asking for it is a programming fault
    """
    if name.role.use is not use:
        raise ValueError(f"a key of role {name.role.value} is not for this use")


def stays_in_token() -> Refusal:
    """The refusal to carry a pseudonym key out of a token or into one."""
    return refusal(
        Code.KEY_FIXED,
        "A pseudonym key that lies in a token never leaves it, and none enters one from outside.",
        "Let the roles pseudonym and record lie in a file at both sides: keys_for.",
    )


def key_missing(name: KeyName) -> Refusal:
    """The refusal for a key that is not there."""
    return refusal(
        Code.KEY_MISSING, f"The key {name} is not in the key store.", "What it sealed cannot be read without it."
    )


def instant() -> str:
    """The present instant, to the second, as key stores note it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
