"""What the ledger needs of the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from enclos.ledger.model import Session


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present instant, with its time zone."""


class Signer(Protocol):
    """The ledger's Ed25519 key in use; the key itself stays where it lives."""

    def public_key(self) -> bytes:
        """The public key (32 bytes)."""

    def sign(self, message: bytes) -> bytes:
        """The signature of the message (64 bytes)."""


class Cosigner(Signer, Protocol):
    """A witness's Ed25519 key and the name that it signs under."""

    @property
    def name(self) -> str:
        """The name, without spaces."""


class LedgerReader(Protocol):
    """The ledger's files by name, as anyone may have them.

    Refuses: LEDGER_UNWRITABLE when the storage cannot be reached.
    """

    def read(self, name: str) -> bytes | None:
        """The file's content, or None when there is no such file."""

    def names(self, under: str) -> Iterable[str]:
        """The names of all files below a folder, in no order."""


class LedgerStore(LedgerReader, Protocol):
    """Where a ledger is kept. Every method that writes either does so whole or refuses with LEDGER_UNWRITABLE."""

    def lock(self) -> AbstractContextManager[None]:
        """Keep all other writers out, those of this process included, until the block ends."""

    def is_awaited(self) -> bool:
        """Whether somebody waits for the lock that this one holds."""

    def write(self, name: str, content: bytes, *, durable: bool) -> None:
        """Put the file's content: readers see the old or the new one whole; durable: it survives a power cut."""

    def append(self, name: str, content: bytes, *, durable: bool = True) -> None:
        """Add to the end of an existing file; on refusal the file is as long as before."""

    def sync(self, name: str) -> None:
        """Make durable what was added to a file by anyone; one that is gone was made durable elsewhere."""

    def cut(self, name: str, length: int) -> None:
        """Shorten a file to a length, durably."""

    def size(self, name: str) -> int | None:
        """The file's length, or None when there is no such file."""

    def read_from(self, name: str, offset: int) -> bytes:
        """The file's content from an offset on."""

    def delete(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are passed over."""

    def salt(self, name: str, used_at: datetime) -> bytes:
        """The 32 random bytes kept under that name, made when asked for the first time; that they were used is noted.

        Units: the note is exact to a month, so that not every use writes.
        """

    def known_salt(self, name: str) -> bytes | None:
        """The bytes kept under that name, if there are any; asking is no use."""

    def salts(self) -> Iterable[str]:
        """The names under which bytes are kept; a name may have a group before it, as ``group/name``."""

    def destroy_salts(self, names: Iterable[str]) -> int:
        """Remove the bytes kept under these names; how many there were."""

    def destroy_salts_unused_since(self, at: datetime) -> int:
        """Remove all that were last used before; how many there were."""

    def start_session(self, size: int) -> str:
        """A new random session id, marked alive as long as this process lives; the tree's size is kept with it."""

    def end_session(self, session: str) -> None:
        """Remove a session's mark."""

    def sessions(self) -> Iterable[Session]:
        """All marked sessions, with whether their process still lives."""


class Pace(Protocol):
    """When tiles and checkpoint follow an entry that is durable, where they may wait."""

    def later(self, publish: Callable[[], None]) -> None:
        """Call this soon, from another thread, once for all who ask until then."""

    def stop(self) -> None:
        """Call nothing more; what is being called has ended when this returns."""


class WitnessMemory(Protocol):
    """What a witness remembers of one ledger, on a machine of its own."""

    def recall(self) -> bytes | None:
        """The last checkpoint that it accepted, or None at first sight."""

    def remember(self, note: bytes) -> None:
        """Keep the checkpoint in the place of the earlier one, durably."""

    def keep_conflict(self, note: bytes) -> None:
        """Keep a checkpoint that contradicts the remembered one, as evidence."""
