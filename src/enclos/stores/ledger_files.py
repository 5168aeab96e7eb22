"""The ledger as files of a local folder; many processes may write to it, one at a time.

Paths are plain texts here: an entry makes some fifteen calls of the operating system, and a path object for each costs
more than the call.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from enclos.ledger.model import KEY_BYTES, Session
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.ledger_disk import ledger_border, make_folder, overwrite, sync_folder, write_all, write_whole

LOCK_WAIT_SECONDS = 30.0
_PAUSE_SECONDS = 0.0005
_PRIVATE = "private"
_LOCK = f"{_PRIVATE}/lock"
_WAITING = f"{_PRIVATE}/waiting"
"""Held by all who wait for the lock, together."""
_NEXT = f"{_PRIVATE}/next"
"""Where a file is made before it takes its place; only the holder of the lock writes."""
_SALTS = f"{_PRIVATE}/salts"
_SESSIONS = f"{_PRIVATE}/sessions"
_MONTH_SECONDS = 28 * 86_400


class LedgerFiles:
    """A ledger's files in a folder. ``private/`` is never published; all the rest is, as it is.

    A file takes its place whole, by renaming. The lock and the marks of living processes are the operating system's:
    they end with the process, however it ends.
    Refuses: LEDGER_UNWRITABLE.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._marks: dict[str, tuple[str, int]] = {}
        self._seen: dict[str, tuple[tuple[int, int], bytes]] = {}
        """Salts that were read, each with the file's number and time of change: while these stay, so does the salt."""

    def __repr__(self) -> str:
        return "LedgerFiles()"

    # -- reading

    def read(self, name: str) -> bytes | None:
        """The file's content, or None when there is no such file."""
        with ledger_border():
            try:
                return _content(self._path(name))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def names(self, under: str) -> Iterable[str]:
        """The names of all files below a folder."""
        with ledger_border():
            found: list[str] = []
            for folder, _, files in os.walk(self._path(under), onerror=_raise_unless_missing):
                base = folder.removeprefix(self._folder).lstrip(os.sep)
                found.extend(f"{base}/{file}" for file in files)
            return found

    def size(self, name: str) -> int | None:
        """The file's length, or None when there is no such file."""
        with ledger_border():
            try:
                return os.stat(self._path(name)).st_size
            except FileNotFoundError:
                return None

    def read_from(self, name: str, offset: int) -> bytes:
        """The file's content from an offset on."""
        with ledger_border():
            return _content(self._path(name), offset)

    # -- writing

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep all other writers out, threads of this process included, until the block ends."""
        with ledger_border():
            path = self._path(_LOCK)
            make_folder(self._path(_PRIVATE), 0o700)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with ledger_border():
                if not _taken(handle):
                    with self._waiting():
                        _wait_for(handle)
            yield
        finally:
            os.close(handle)

    def is_awaited(self) -> bool:
        """Whether somebody waits for the lock that this one holds."""
        with ledger_border():
            handle = os.open(self._path(_WAITING), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                return not _taken(handle)
            finally:
                os.close(handle)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Mark that one waits, as long as the process lives; who asks whether somebody does holds it for a moment."""
        handle = os.open(self._path(_WAITING), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    def write(self, name: str, content: bytes, *, durable: bool) -> None:
        """Put the file's content whole; durable: it survives a power cut."""
        with ledger_border():
            path, made = self._path(name), self._path(_NEXT)
            write_whole(made, content, durable=durable)
            try:
                os.replace(made, path)
            except FileNotFoundError:
                make_folder(os.path.dirname(path), 0o700 if name.startswith(_PRIVATE) else 0o755)
                os.replace(made, path)
            if durable:
                sync_folder(os.path.dirname(path))

    def append(self, name: str, content: bytes, *, durable: bool = True) -> None:
        """Add to the end of a file; on refusal the file is as long as before."""
        with ledger_border():
            handle = os.open(self._path(name), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                length = os.fstat(handle).st_size
                try:
                    write_all(handle, content)
                    if durable:
                        os.fdatasync(handle)
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(handle, length)
                        os.fdatasync(handle)
                    raise
            finally:
                os.close(handle)

    def sync(self, name: str) -> None:
        """Make durable what was added to a file; processes that do so at once share the disk's work."""
        with ledger_border():
            try:
                handle = os.open(self._path(name), os.O_WRONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return
            try:
                os.fdatasync(handle)
            finally:
                os.close(handle)

    def cut(self, name: str, length: int) -> None:
        """Shorten a file, durably."""
        with ledger_border():
            handle = os.open(self._path(name), os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.ftruncate(handle, length)
                os.fdatasync(handle)
            finally:
                os.close(handle)

    def delete(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are passed over, and folders of partial tiles go when empty."""
        with ledger_border():
            emptied = set()
            for name in names:
                path = self._path(name)
                with suppress(FileNotFoundError):
                    os.unlink(path)
                if os.path.dirname(path).endswith(".p"):
                    emptied.add(os.path.dirname(path))
            for folder in emptied:
                with suppress(OSError):
                    os.rmdir(folder)

    # -- salts

    def salt(self, name: str, used_at: datetime) -> bytes:
        """The 32 random bytes kept under that name, made when asked for the first time; their use is noted."""
        salt = self.known_salt(name)
        if salt is None:
            salt = os.urandom(KEY_BYTES)
            self.write(f"{_SALTS}/{name}", salt, durable=True)
        with ledger_border():
            path = self._path(f"{_SALTS}/{name}")
            if abs(os.stat(path).st_mtime - used_at.timestamp()) > _MONTH_SECONDS:
                os.utime(path, (used_at.timestamp(), used_at.timestamp()))
        return salt

    def known_salt(self, name: str) -> bytes | None:
        """The bytes kept under that name, if there are any; read again when another has taken their place."""
        path = self._path(f"{_SALTS}/{name}")
        with ledger_border():
            try:
                state = os.stat(path)
                stamp = (state.st_ino, state.st_ctime_ns)
                seen = self._seen.get(name)
                if seen is not None and seen[0] == stamp:
                    return seen[1]
                salt = _content(path)
            except FileNotFoundError:
                return None
        if len(salt) != KEY_BYTES:
            raise refusal(
                Code.LEDGER_DAMAGED, "A salt of the ledger is broken.", "Restore the ledger's private folder."
            )
        self._seen[name] = (stamp, salt)
        return salt

    def salts(self) -> Iterable[str]:
        """The names under which bytes are kept."""
        return [name.removeprefix(f"{_SALTS}/") for name in self.names(_SALTS)]

    def destroy_salts(self, names: Iterable[str]) -> int:
        """Remove the bytes kept under these names, from the storage too as far as it allows."""
        n_gone, folders = 0, set()
        with ledger_border():
            for name in names:
                self._seen.pop(name, None)
                path = self._path(f"{_SALTS}/{name}")
                if os.path.exists(path):
                    overwrite(path)
                    os.unlink(path)
                    folders.add(os.path.dirname(path))
                    n_gone += 1
            for folder in folders:
                sync_folder(folder)
                with suppress(OSError):  # a group that is empty now goes too
                    os.rmdir(folder)
        return n_gone

    def destroy_salts_unused_since(self, at: datetime) -> int:
        """Remove all that were last used before."""
        with ledger_border():
            names = self.salts()
            old = [name for name in names if os.stat(self._path(f"{_SALTS}/{name}")).st_mtime < at.timestamp()]
        return self.destroy_salts(old)

    # -- sessions

    def start_session(self, size: int) -> str:
        """A new random session id, marked alive as long as this process lives."""
        session = os.urandom(8).hex()
        with ledger_border():
            path = self._path(f"{_SESSIONS}/{session}-{size}")
            make_folder(os.path.dirname(path), 0o700)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.fsync(handle)
            sync_folder(os.path.dirname(path))
        self._marks[session] = (path, handle)
        return session

    def end_session(self, session: str) -> None:
        """Remove a session's mark."""
        with ledger_border():
            path, handle = self._marks.pop(session, (None, None))
            marks = [path] if path else [self._path(name) for name in self.names(_SESSIONS)]
            for mark in marks:
                if os.path.basename(mark).startswith(f"{session}-"):
                    with suppress(FileNotFoundError):
                        os.unlink(mark)
            if handle is not None:
                os.close(handle)

    def sessions(self) -> Iterable[Session]:
        """All marked sessions; one whose mark nobody holds is dead."""
        found = []
        with ledger_border():
            for name in self.names(_SESSIONS):
                session, _, size = os.path.basename(name).partition("-")
                found.append(Session(session, int(size), _is_held(self._path(name))))
        return found

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"


def _content(path: str, offset: int = 0) -> bytes:
    with open(path, "rb", buffering=0) as file:
        if offset:
            file.seek(offset)
        return file.readall()


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _taken(handle: int) -> bool:
    """Whether the lock could be taken at once."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(handle: int) -> None:
    until = time.monotonic() + LOCK_WAIT_SECONDS
    while not _taken(handle):
        if time.monotonic() > until:
            raise BlockingIOError
        time.sleep(_PAUSE_SECONDS)


def _is_held(path: str) -> bool:
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return not _taken(handle)
    finally:
        os.close(handle)
