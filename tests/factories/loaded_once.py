"""Extensions of the engine that a run of the tests has verified before: it reads 58 MB at each opening to verify two.

The engine verifies their signatures as the product has it do, for whoever opens one first. Files that are the same
since then, by place, inode, size and time of change, are loaded in later openings of the run without that; the engine
is told before anybody uses it to verify again whatever else is loaded. Processes that start cold, and those that serve,
verify every time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from enclos.stores import engine

if TYPE_CHECKING:
    import duckdb


def load_once(folder: Path) -> None:
    """Let this process, and those forked from it, verify only what nobody did who has this folder."""
    connect = engine._connected

    def connected(config: dict[str, str], extensions: Sequence[Path]) -> duckdb.DuckDBPyConnection:
        marks = [folder / _name(extension) for extension in extensions]
        if not all(mark.exists() for mark in marks):
            connection = connect(config, extensions)
            with suppress(OSError):  # a test has filled the disk
                for mark in marks:
                    mark.touch(mode=0o600)
            return connection
        connection = connect({**config, "allow_unsigned_extensions": "true"}, extensions)
        connection.execute("SET allow_unsigned_extensions = false")
        return connection

    engine._connected = connected


def _name(extension: Path) -> str:
    """The name of the file that says that this one was verified."""
    found = extension.stat()
    told = (str(extension), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return f"verified-{hashlib.sha256(repr(told).encode()).hexdigest()}"
