"""Files that appear whole or not at all, and the lock that keeps two processes apart."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import get_native_id
from time import monotonic, sleep

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_BETWEEN_TRIES = 0.01


@contextmanager
def storage_border(what: str) -> Iterator[None]:
    """Turn the operating system's storage errors into refusals that name the step, not the path."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise refusal(Code.STORAGE_FULL, f"No room to store {what}.", "Free space, then run it again.") from None
        if error.errno in _CLOSED:
            raise refusal(
                Code.STORAGE_BROKEN,
                f"The storage refuses to keep {what}.",
                "Give this account write access, then run it again.",
            ) from None
        raise


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes, what: str = "a file", mode: int = 0o600) -> None:
    """Write the file so that a reader sees the old content or the new one, never a part.

    Refuses: STORAGE_FULL, STORAGE_BROKEN; the old content stays.
    """
    with storage_border(what):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{get_native_id()}.tmp")  # threads may write it too
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def put_durably(temporary: Path, path: Path) -> None:
    """Put a finished file in the place of another, so that a power cut leaves one of the two whole."""
    handle = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def replaced_folder(folder: Path, what: str) -> Iterator[Path]:
    """A new folder to fill, then put in the place of the old one; readers see one of the two or, for a moment, none.

    Refuses: STORAGE_FULL, STORAGE_BROKEN; the old folder stays.
    """
    made, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    with storage_border(what):
        for leftover in (made, old):
            shutil.rmtree(leftover, ignore_errors=True)
        made.mkdir(parents=True)
        yield made
        if folder.exists():
            folder.rename(old)
        made.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def fill_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their place in the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def is_free_or(folder: Path, mark: str) -> bool:
    """Whether the place is new, empty, or a folder that holds a file of that name."""
    return not folder.exists() or (folder.is_dir() and ((folder / mark).exists() or not any(folder.iterdir())))


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it; nothing happens when it is absent."""
    if folder.exists():
        shutil.rmtree(folder)


def remove_tree_of_dying(folder: Path, seconds: float) -> None:
    """Remove a folder that processes which were just killed may still change.

    In: seconds — how long it is tried; what is left then is for who sweeps, and hides no reason why they were killed
    """
    until = monotonic() + seconds
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
        if monotonic() >= until:
            return
        sleep(_BETWEEN_TRIES)


def lock_exclusive(path: Path) -> AbstractContextManager[None]:
    """Hold a lock alone; the operating system frees it when the process dies.

    Refuses: ENCLOSURE_BUSY when another process holds it.
    """
    return _locked(path, fcntl.LOCK_EX)


def lock_shared(path: Path) -> AbstractContextManager[None]:
    """Hold a lock together with other readers.

    Refuses: ENCLOSURE_BUSY when another process holds it alone.
    """
    return _locked(path, fcntl.LOCK_SH)


def lock_in_turn(path: Path, seconds: float = 10.0) -> AbstractContextManager[None]:
    """Hold a lock alone, once those before have let it go: for what takes them no time worth telling of.

    Refuses: ENCLOSURE_BUSY when they have not in so many seconds.
    """
    return _locked(path, fcntl.LOCK_EX, seconds)


@contextmanager
def _locked(path: Path, mode: int, seconds: float = 0.0) -> Iterator[None]:
    with storage_border("the lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = monotonic() + seconds
        while not _taken(handle, mode):
            if monotonic() >= until:
                raise refusal(
                    Code.ENCLOSURE_BUSY,
                    "Another process is working on this enclosure.",
                    "Wait until it ends, then run it again.",
                )
            sleep(_BETWEEN_TRIES)
        yield
    finally:
        os.close(handle)


def _taken(handle: int, mode: int) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
