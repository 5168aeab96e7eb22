"""A key store in memory: the same words as the real one, no passphrase."""

from __future__ import annotations

import os

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.keys import LocalBlocks


class KeysInMemory:
    def __init__(self, *roles: KeyRole) -> None:
        self._keys: dict[str, bytes | None] = {}
        for role in roles:
            self.create(KeyName(role))

    def create(self, name: KeyName) -> None:
        if str(name) in self._keys:
            raise ValueError("a key of that name exists or existed")
        self._keys[str(name)] = os.urandom(32)

    def exists(self, name: KeyName) -> bool:
        return self._keys.get(str(name)) is not None

    def secret(self, name: KeyName) -> SecretKey:
        value = self._keys.get(str(name))
        if value is None:
            raise refusal(Code.KEY_MISSING, f"The key {name} is not in the key store.")
        return SecretKey(name, value)

    def blocks(self, name: KeyName) -> LocalBlocks:
        return LocalBlocks(self.secret(name).reveal())

    def destroy(self, name: KeyName) -> None:
        self._keys[str(name)] = None

    def names(self) -> list[str]:
        return sorted(name for name, value in self._keys.items() if value is not None)
