"""A place for backups: objects under keyed names, sealed under a key that the catalog's key gives.

So with the catalog's key destroyed no backup opens, and nothing there tells what an object is.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib
from pathlib import Path

from enclos.hosting.backups import DATA, Backup, index_name, number_of
from enclos.hosting.model import Seal
from enclos.hosting.ports import Objects
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.files import write_atomically
from enclos.stores.sealed import seal, unseal


class BackupPlace:
    """The backups of one enclosure under its catalog's key.

    Refuses: STORAGE_UNREACHABLE, STORAGE_CREDENTIALS, STORAGE_FULL.
    """

    def __init__(self, objects: Objects, catalog_key: SecretKey, key_id: str) -> None:
        self._objects = objects
        self._seal = SecretKey(catalog_key.name, _derived(catalog_key, b"seal"))
        self._names = _derived(catalog_key, b"names")
        self._key_id = key_id
        self._there: set[str] | None = None

    def __repr__(self) -> str:
        return "BackupPlace()"

    # -- indexes

    def numbers(self) -> list[int]:
        """The numbers of the backups that open under this key, in order."""
        found = (number_of(name, self._key_id) for name in self._objects.names())
        return sorted(number for number in found if number is not None)

    def read(self, number: int) -> Backup:
        """One backup's index.

        Refuses: STORAGE_BROKEN when it is altered; KEY_MISSING when there is none under this key.
        """
        name = index_name(self._key_id, number)
        try:
            content = b"".join(self._objects.read(name))
        except KeyError:
            raise _missing() from None
        return Backup.from_bytes(zlib.decompress(unseal(self._seal, content, name)))

    def keep(self, backup: Backup) -> None:
        """Let a backup count: its objects are all there."""
        name = index_name(self._key_id, backup.number)
        self._objects.put(name, seal(self._seal, zlib.compress(backup.to_bytes()), name))

    def prune(self, n_kept: int) -> int:
        """Remove all but the newest backups, and every object that none of these needs; how many objects."""
        numbers = self.numbers()[-n_kept:]
        needed = {index_name(self._key_id, number) for number in numbers}
        for number in numbers:
            needed |= self.read(number).objects()
        gone = sorted(set(self._objects.names()) - needed, reverse=True)  # indexes before what they need
        for name in gone:
            self._objects.remove(name)
        return len(gone)

    # -- objects

    def name_of(self, digest: str) -> str:
        """The name for a content of that SHA-256; without the key it tells nothing, not even that two are the same."""
        return f"{DATA}/{hmac.digest(self._names, digest.encode(), 'sha256').hex()}"

    def holds(self, name: str) -> bool:
        """Whether an object is there, as far as one look at the beginning and what was put since tell."""
        if self._there is None:
            self._objects.remove_half_written()
            self._there = set(self._objects.names())
        return name in self._there

    def put(self, content: bytes, *, is_sealed: bool) -> tuple[str, int]:
        """Store a content unless it is there; its name, and how many bytes went.

        In: is_sealed — it is ciphertext already, under keys that only the catalog has.
        Refuses: STORAGE_BROKEN when the place does not give it back.
        """
        name = self.name_of(sha256_hex(content))
        if self.holds(name):
            return name, 0
        stored = content if is_sealed else seal(self._seal, content, name)
        put_and_read_back(self._objects, name, stored)
        if self._there is not None:
            self._there.add(name)
        return name, len(stored)

    def get(self, name: str, was: Seal, *, is_sealed: bool) -> bytes:
        """The content of an object.

        Refuses: STORAGE_ALTERED when it is missing or not what was put.
        """
        try:
            content = b"".join(self._objects.read(name))
            content = content if is_sealed else unseal(self._seal, content, name)
        except KeyError:
            raise _altered("is missing") from None
        except Refusal as refused:
            if refused.code is not Code.STORAGE_BROKEN:
                raise
            raise _altered("is altered") from None
        if Seal(len(content), sha256_hex(content)) != was:
            raise _altered("is altered")
        return content


def put_and_read_back(to: Objects, name: str, content: bytes) -> None:
    """Store an object and see that the place gives it back.

    Refuses: STORAGE_BROKEN; what the place refuses.
    """
    to.put(name, content)
    at = 0
    try:
        for piece in to.read(name):
            if piece != content[at : at + len(piece)]:  # copied, since views are compared a byte at a time
                break
            at += len(piece)
        else:
            if at == len(content):
                return
    except KeyError:
        pass
    raise refusal(
        Code.STORAGE_BROKEN,
        "The place does not give back what it was given a moment ago.",
        "Ask its operator; then run it again.",
    )


def write_as_it_was(path: Path, content: bytes, changed_ns: str, mode: int = 0o600) -> None:
    """Put a file's content with its instant of change."""
    write_atomically(path, content, "a restored file", mode)
    os.utime(path, ns=(int(changed_ns), int(changed_ns)))


def _derived(key: SecretKey, purpose: bytes) -> bytes:
    return hmac.digest(key.reveal(), b"enclos backup 1 " + purpose, hashlib.sha256)


def _missing() -> Refusal:
    return refusal(
        Code.KEY_MISSING,
        "There is no backup here that the catalog's key opens.",
        "Name the place of this enclosure's backups; one from before a rotation of that key opens no more.",
    )


def _altered(what: str) -> Refusal:
    return refusal(
        Code.STORAGE_ALTERED, f"An object of the backup {what}.", "Restore an earlier backup: --backup NUMBER."
    )
