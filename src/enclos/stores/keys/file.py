"""The file key store: every key wrapped by a passphrase, each on its own, so that one can be destroyed."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyUse, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.keys.port import KeyEntry, check_use
from enclos.stores.keys.register import CHECK, KeyRegister, to_base64

_FORMAT = "enclos-keys-1"
_NONCE_BYTES = 12
_ITERATIONS, _LANES, _MEMORY_KIB = 3, 4, 64 * 1024
"""Argon2id costs. Source: RFC 9106, section 4, second recommended option."""
_DERIVING = Lock()
"""One at a time: lanes are threads of a pool that the process has one of, and two at once fail as if memory were short
or wait for each other for ever (seen with cryptography 50.0.2 on OpenSSL 4.0.3)."""


class FileKeyStore:
    """Keys in one file, each sealed under a key derived from a passphrase (Argon2id, RFC 9106).

    Refuses: PASSPHRASE_WRONG, KEY_MISSING, STORAGE_BROKEN.
    """

    def __init__(self, path: Path, wrapping_key: bytes) -> None:
        self._register = KeyRegister(path, _FORMAT)
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
            "salt": to_base64(salt),
        }
        store._register.begin({"kdf": kdf})
        store.create(CHECK)
        return store

    @classmethod
    def open(cls, path: Path, passphrase: str) -> FileKeyStore:
        """Open a key store; the passphrase is checked at once."""
        document = KeyRegister(path, _FORMAT).read()
        store = cls(path, _derived(passphrase, base64.b64decode(document["kdf"]["salt"])))
        try:
            store.secret(CHECK)
        except _WrongWrapping:
            raise refusal(
                Code.PASSPHRASE_WRONG,
                "The passphrase does not open this key store.",
                "Set ENCLOS_PASSPHRASE to the one given at init.",
            ) from None
        return store

    def create(self, name: KeyName) -> None:
        """Make a new random key.

        Refuses: ValueError when a key of that name exists or was destroyed, since its data must stay unreadable.
        """
        self._keep(self._register.check_new(name), name, os.urandom(32))

    def _keep(self, label: str, name: KeyName, key: bytes) -> None:
        nonce = os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(self._wrapping_key).encrypt(nonce, key, label.encode("utf-8"))
        facts = {"wrapped": to_base64(nonce + wrapped)}
        if name.role.use is KeyUse.SIGN:
            facts["public"] = _public(key).hex()
        self._register.add(label, facts)

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there and not destroyed."""
        return self._register.exists(name)

    def secret(self, name: KeyName) -> SecretKey:
        """The key for sealing."""
        check_use(name, KeyUse.SEAL)
        return SecretKey(name, self._unwrapped(name))

    def blocks(self, name: KeyName) -> LocalBlocks:
        """The key for pseudonyms; in a file store it works in this process."""
        check_use(name, KeyUse.PSEUDONYMISE)
        return LocalBlocks(self._unwrapped(name))

    def sign(self, name: KeyName, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes)."""
        check_use(name, KeyUse.SIGN)
        return Ed25519PrivateKey.from_private_bytes(self._unwrapped(name)).sign(message)

    def public(self, name: KeyName) -> bytes:
        """The Ed25519 public key (32 bytes)."""
        check_use(name, KeyUse.SIGN)
        return _public(self._unwrapped(name))

    def destroy(self, name: KeyName) -> None:
        """Forget the key for ever; its name and the instant stay, so that it is never made again."""
        for label in self._register.living(name):
            self._register.end(label)

    def names(self) -> list[str]:
        """The names of the keys that are there."""
        return self._register.names()

    def entries(self) -> Sequence[KeyEntry]:
        """What may be known of every key."""
        return self._register.entries("file")

    def promote(self, name: KeyName) -> None:
        """Let this generation be the one in use."""
        self._register.promote(name)

    def take_over(self, entry: KeyEntry) -> None:
        """Enter a key of another store as one that ended there."""
        self._register.take_over(entry)

    def carried(self, name: KeyName) -> bytes:
        """The bytes of a pseudonym key, for the store that takes it over."""
        check_use(name, KeyUse.PSEUDONYMISE)
        return self._unwrapped(name)

    def adopt(self, name: KeyName, key: bytes) -> None:
        """Keep a pseudonym key that another store carried; one that is there stays."""
        check_use(name, KeyUse.PSEUDONYMISE)
        if not self.exists(name):
            self._keep(self._register.check_new(name), name, key)

    def _unwrapped(self, name: KeyName) -> bytes:
        label, entry = self._register.entry(name)
        blob = base64.b64decode(entry["wrapped"])
        try:
            return AESGCM(self._wrapping_key).decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], label.encode("utf-8"))
        except InvalidTag:
            if name == CHECK:
                raise _WrongWrapping from None
            raise refusal(
                Code.STORAGE_BROKEN, f"The entry of key {name} is altered.", "Restore the key store."
            ) from None


class LocalBlocks:
    """AES in this process over whole arrays of blocks; its repr shows nothing."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(AES(key), ECB())  # noqa: S305 - the block cipher itself, inside FF1 and CMAC

    def __repr__(self) -> str:
        return "LocalBlocks()"

    def encrypt(self, blocks: bytes) -> bytes:
        """Each 16-byte block on its own."""
        encryptor = self._cipher.encryptor()
        return encryptor.update(blocks) + encryptor.finalize()


class _WrongWrapping(Exception):
    """The wrapping key does not open the check entry."""


def _public(key: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _derived(passphrase: str, salt: bytes) -> bytes:
    kdf = Argon2id(salt=salt, length=32, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB)
    with _DERIVING:
        return kdf.derive(passphrase.encode("utf-8"))
