"""The file key store: every key wrapped by a passphrase, each on its own, so that one can be destroyed."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.files import write_atomically

_FORMAT = "enclos-keys-1"
_NONCE_BYTES = 12
_ITERATIONS, _LANES, _MEMORY_KIB = 3, 4, 64 * 1024
"""Argon2id costs. Source: RFC 9106, section 4, second recommended option."""
_CHECK = KeyName(KeyRole.CHECK)
"""The entry that proves the passphrase."""

_Document = dict[str, Any]


class KeyStore(Protocol):
    """Where keys live; rooms ask for the use of a key by name."""

    def create(self, name: KeyName) -> None:
        """Make a new random key; an existing one of that name is kept and refused."""

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there."""

    def secret(self, name: KeyName) -> SecretKey:
        """The key for symmetric use."""

    def sign(self, name: KeyName, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes)."""

    def public(self, name: KeyName) -> bytes:
        """The Ed25519 public key (32 bytes)."""

    def destroy(self, name: KeyName) -> None:
        """Forget the key for ever."""

    def names(self) -> list[str]:
        """The names of the keys that are there."""


class FileKeyStore:
    """Keys in one file, each sealed under a key derived from a passphrase (Argon2id, RFC 9106).

    Refuses: PASSPHRASE_WRONG, KEY_MISSING, STORAGE_BROKEN.
    """

    def __init__(self, path: Path, wrapping_key: bytes) -> None:
        self._path = path
        self._wrapping_key = wrapping_key

    def __repr__(self) -> str:
        return "FileKeyStore()"

    @classmethod
    def initialise(cls, path: Path, passphrase: str) -> FileKeyStore:
        """Make an empty key store under a passphrase."""
        salt = os.urandom(16)
        store = cls(path, _derived(passphrase, salt))
        kdf = {
            "name": "argon2id",
            "iterations": _ITERATIONS,
            "lanes": _LANES,
            "memory_kib": _MEMORY_KIB,
            "salt": _b64(salt),
        }
        store._write({"format": _FORMAT, "kdf": kdf, "keys": {}})
        store.create(_CHECK)
        return store

    @classmethod
    def open(cls, path: Path, passphrase: str) -> FileKeyStore:
        """Open a key store; the passphrase is checked at once."""
        document = _read(path)
        store = cls(path, _derived(passphrase, base64.b64decode(document["kdf"]["salt"])))
        try:
            store.secret(_CHECK)
        except _WrongWrapping:
            raise refusal(
                Code.PASSPHRASE_WRONG,
                "The passphrase does not open this key store.",
                "Set ENCLOS_PASSPHRASE to the one given at init.",
            ) from None
        return store

    def create(self, name: KeyName) -> None:
        """Make a new random key.

        Refuses: KEY_MISSING when a key of that name was destroyed, since its data must stay unreadable.
        """
        document = _read(self._path)
        if str(name) in document["keys"]:
            raise ValueError("a key of that name exists or existed")
        nonce = os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(self._wrapping_key).encrypt(nonce, os.urandom(32), str(name).encode("utf-8"))
        document["keys"][str(name)] = {"wrapped": _b64(nonce + wrapped), "created_at": _now()}
        self._write(document)

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there and not destroyed."""
        return "wrapped" in _read(self._path)["keys"].get(str(name), {})

    def secret(self, name: KeyName) -> SecretKey:
        """The key for symmetric use."""
        return SecretKey(name, self._unwrapped(name))

    def sign(self, name: KeyName, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes)."""
        return Ed25519PrivateKey.from_private_bytes(self._unwrapped(name)).sign(message)

    def public(self, name: KeyName) -> bytes:
        """The Ed25519 public key (32 bytes)."""
        private = Ed25519PrivateKey.from_private_bytes(self._unwrapped(name))
        return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def destroy(self, name: KeyName) -> None:
        """Forget the key for ever; its name and the instant stay, so that it is never made again."""
        document = _read(self._path)
        entry = document["keys"].get(str(name))
        if entry is None or "wrapped" not in entry:
            return
        document["keys"][str(name)] = {"created_at": entry["created_at"], "destroyed_at": _now()}
        self._write(document)

    def names(self) -> list[str]:
        """The names of the keys that are there."""
        keys = _read(self._path)["keys"]
        return sorted(name for name, entry in keys.items() if "wrapped" in entry and name != str(_CHECK))

    def _unwrapped(self, name: KeyName) -> bytes:
        entry = _read(self._path)["keys"].get(str(name))
        if entry is None or "wrapped" not in entry:
            raise refusal(
                Code.KEY_MISSING,
                f"The key {name} is not in the key store.",
                "What it sealed cannot be read without it.",
            )
        blob = base64.b64decode(entry["wrapped"])
        try:
            return AESGCM(self._wrapping_key).decrypt(
                blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], str(name).encode("utf-8")
            )
        except InvalidTag:
            if name == _CHECK:
                raise _WrongWrapping from None
            raise refusal(
                Code.STORAGE_BROKEN, f"The entry of key {name} is altered.", "Restore the key store."
            ) from None

    def _write(self, document: _Document) -> None:
        write_atomically(self._path, canonical_bytes(document), "the key store")


class _WrongWrapping(Exception):
    """The wrapping key does not open the check entry."""


def _derived(passphrase: str, salt: bytes) -> bytes:
    kdf = Argon2id(salt=salt, length=32, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive(passphrase.encode("utf-8"))


def _read(path: Path) -> _Document:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise refusal(Code.STORAGE_BROKEN, "The key store cannot be read.", "Restore it from a backup.") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise refusal(Code.STORAGE_BROKEN, "The key store has an unknown format.", "Restore it from a backup.")
    return document


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


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
