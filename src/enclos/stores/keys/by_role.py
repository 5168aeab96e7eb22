"""Keys in different hands: a store for most roles, and others for the roles that the settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enclos.lexicon.keys import BlockCipher, KeyName, KeyRole, SecretKey
from enclos.stores.keys.port import KeyEntry, KeyStore


class KeysByRole:
    """Each role's keys in the store of whoever holds them."""

    def __init__(self, most: KeyStore, others: Mapping[KeyRole, KeyStore]) -> None:
        self._most = most
        self._others = dict(others)

    def __repr__(self) -> str:
        return "KeysByRole()"

    def _of(self, name: KeyName) -> KeyStore:
        return self._others.get(name.role, self._most)

    def create(self, name: KeyName) -> None:
        """Make a new random key where its role's keys live."""
        self._of(name).create(name)

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there."""
        return self._of(name).exists(name)

    def secret(self, name: KeyName) -> SecretKey:
        """The key for sealing."""
        return self._of(name).secret(name)

    def blocks(self, name: KeyName) -> BlockCipher:
        """The key for pseudonyms, where it lives."""
        return self._of(name).blocks(name)

    def sign(self, name: KeyName, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes)."""
        return self._of(name).sign(name, message)

    def public(self, name: KeyName) -> bytes:
        """The Ed25519 public key (32 bytes)."""
        return self._of(name).public(name)

    def destroy(self, name: KeyName) -> None:
        """Forget the key for ever."""
        self._of(name).destroy(name)

    def names(self) -> list[str]:
        """The names of the keys that are there."""
        return sorted(name for store in self._stores() for name in store.names())

    def entries(self) -> Sequence[KeyEntry]:
        """What may be known of every key."""
        return sorted((entry for store in self._stores() for entry in store.entries()), key=lambda e: str(e.name))

    def promote(self, name: KeyName) -> None:
        """Let this generation be the one in use."""
        self._of(name).promote(name)

    def take_over(self, entry: KeyEntry) -> None:
        """Enter a key of another store as one that ended there."""
        self._of(entry.name).take_over(entry)

    def carried(self, name: KeyName) -> bytes:
        """The bytes of a pseudonym key, for the store that takes it over."""
        return self._of(name).carried(name)

    def adopt(self, name: KeyName, key: bytes) -> None:
        """Keep a pseudonym key that another store carried."""
        self._of(name).adopt(name, key)

    def _stores(self) -> Sequence[KeyStore]:
        return [self._most, *self._others.values()]
