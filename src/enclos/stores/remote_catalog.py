"""A catalog that a database keeps: sealed as a whole there, and a working copy here that is thrown away when in doubt.

What counts is what the database holds. The copy carries the mark of the revision that it is; whoever changes it takes
the mark off first and puts it on again when the database has the new revision. So a copy without a mark is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database holds: the number of the revision, and what was sealed."""

    revision: int
    sealed: bytes


class Keeper(Protocol):
    """A database that keeps the newest revision of a sealed catalog.

    Refuses: STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
    """

    def revision(self) -> int:
        """The newest revision's number; 0 before the first."""

    def fetch(self) -> Kept | None:
        """The newest revision; None before the first."""

    def replace(self, expected: int, sealed: bytes, digest: str) -> bool:
        """Put the next revision in the place of the expected one; whether it was still that one. Safe to ask again."""

    def forget(self) -> None:
        """Remove every revision."""


class RemoteCatalog:
    """The working copy of a catalog that a database keeps."""

    def __init__(self, path: Path, keeper: Keeper, name: str) -> None:
        self._path = path
        self._mark = path.with_name(f"{path.name}.revision")
        self._keeper = keeper
        self._name = name
        self._changed_from = 0

    def __repr__(self) -> str:
        return "RemoteCatalog()"

    def refresh(self, *keys: SecretKey) -> None:
        """Make the copy what the database holds; nothing moves when it is that already.

        In: keys — under one of which it is sealed.
        Refuses: STORAGE_ALTERED when the database holds an earlier revision than the copy; STORAGE_BROKEN when it opens
            under none of the keys; STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
        """
        here = self._revision()
        if here is not None and here == self._keeper.revision():
            return
        kept = self._keeper.fetch()
        if (kept.revision if kept else 0) < (here or 0):
            raise refusal(
                Code.STORAGE_ALTERED,
                "The database holds an earlier catalog than it was given.",
                "Ask its operator to restore the newest from a backup.",
            )
        with storage_border("the catalog"):
            self._path.with_name(f"{self._path.name}.wal").unlink(missing_ok=True)
            if kept is None:
                self._path.unlink(missing_ok=True)
        if kept:  # others may be reading what was here: it is replaced, not emptied
            write_atomically(self._path, self._opened(kept, keys), "the catalog")
        self._note(kept.revision if kept else 0)

    def take_mark_off(self) -> None:
        """Say that the refreshed copy will be changed: until it is published it counts for nothing."""
        self._changed_from = self._revision() or 0
        with storage_border("the catalog"):
            self._mark.unlink(missing_ok=True)

    def publish(self, key: SecretKey) -> None:
        """Let the database hold what the copy is now.

        Refuses: ENCLOSURE_BUSY when another machine has changed it meanwhile: the copy counts for nothing then;
            STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
        """
        before = self._changed_from
        sealed = seal(key, self._path.read_bytes(), self._context(before + 1))
        if not self._keeper.replace(before, sealed, sha256_hex(sealed)):
            raise refusal(
                Code.ENCLOSURE_BUSY,
                "Another machine has built in this enclosure meanwhile.",
                "Nothing of this build was kept: run it again.",
            )
        self._note(before + 1)

    def forget(self) -> None:
        """Let the database hold nothing of this catalog.

        Refuses: STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
        """
        self._keeper.forget()

    def put_back(self, key: SecretKey) -> None:
        """Let the database hold what lies here, in the place of whatever it holds.

        Refuses: as publish.
        """
        self._changed_from = self._keeper.revision()
        self.publish(key)

    def _opened(self, kept: Kept, keys: tuple[SecretKey, ...]) -> bytes:
        for number, key in enumerate(keys, 1):
            try:
                return unseal(key, kept.sealed, self._context(kept.revision))
            except Refusal:
                if number == len(keys):
                    raise
        raise AssertionError("no key was given")

    def _context(self, revision: int) -> str:
        return f"enclos catalog {self._name} {revision}"

    def _note(self, revision: int) -> None:
        write_atomically(self._mark, str(revision).encode(), "the catalog's mark")

    def _revision(self) -> int | None:
        """The revision of the copy; None when it counts for nothing."""
        return int(self._mark.read_text()) if self._mark.exists() else None
