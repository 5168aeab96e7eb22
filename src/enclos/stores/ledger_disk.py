"""What a ledger and its witness do to files, and what a storage that fails is called."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def ledger_border() -> Iterator[None]:
    """Turn what the operating system says of the storage into the refusal that nothing can run."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            what, next_step = "is full", "Free space, then run it again."
        elif error.errno in _CLOSED:
            what, next_step = "is read-only", "Give this account write access, then run it again."
        elif isinstance(error, BlockingIOError):
            what, next_step = "is held by another process", "Wait until it ends, then run it again."
        else:
            what, next_step = "cannot be reached", "Bring the storage back, then run it again."
        raise refusal(Code.LEDGER_UNWRITABLE, f"The ledger's storage {what}.", next_step) from None


def make_folder(folder: str, mode: int) -> None:
    """Make a folder and those above it, each durable in its own; one that is there stays as it is."""
    if os.path.isdir(folder):
        return
    above = os.path.dirname(folder) or os.curdir
    make_folder(above, mode)
    with suppress(FileExistsError):
        os.mkdir(folder, mode)
    sync_folder(above)


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: str, content: bytes, *, durable: bool, mode: int = 0o644) -> None:
    """Write a file from its beginning."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        write_all(handle, content)
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def overwrite(path: str) -> None:
    """Put zeros over a file's content where it lies; a file system that copies on write keeps the old one a while."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        write_all(handle, bytes(os.fstat(handle).st_size))
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes) -> None:
    """Write all of the content, in as many calls as it takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
