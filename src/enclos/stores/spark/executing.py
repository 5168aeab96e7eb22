"""What runs on executors, in the Python process that Spark starts there for a task.

That process never has a key: a child of it comes to the hatch, looks at one bucket and ends. What the child knows is in
its memory alone. It ends when its parent does, and when the hatch closes, in the midst of a statement too.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import select
import shutil
import signal
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from enclos.stores.crew import Kind, read_message, write_message
from enclos.stores.spark.hatch import HatchPlace, come

if TYPE_CHECKING:
    import pyarrow as pa

_PR_SET_PDEATHSIG = 1
_STOPPED, _FAILED = 75, 70
"""How a child ends: the hatch closed; a bug."""

Serve = Callable[[IO[bytes], Path, Mapping[str, Path]], None]
"""Reads a greeting, an order and a question, and writes the answer; given a folder to spill to, and files by name."""


class TaskDied(RuntimeError):
    """A bucket was not looked at here; Spark tries it again."""


def look_through(told: str, serve: Serve, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One question for each row, which is passed on when it is answered: what Spark calls (``mapInArrow``).

    In: told — the hatch, as ``HatchPlace.told`` writes it.
    """
    for batch in batches:
        for _ in range(batch.num_rows):
            _in_a_child(HatchPlace.of(told), serve)
        yield batch


def _in_a_child(place: HatchPlace, serve: Serve) -> None:
    folder, parent = Path(tempfile.mkdtemp(prefix="enclos-")), os.getpid()
    child = os.fork()
    if child == 0:
        code = _FAILED
        try:
            code = _answer_one(place, serve, parent, folder)
        finally:
            os._exit(code)
    try:
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if code := os.waitstatus_to_exitcode(status):
        raise TaskDied(f"the process of a bucket ended with {code}")


def _answer_one(place: HatchPlace, serve: Serve, parent: int, folder: Path) -> int:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return _STOPPED
    try:
        with come(place) as connection:
            _end_with(connection)
            stream: Any = connection.makefile("rwb")
            kind, content = read_message(stream)
            if kind is Kind.NOTHING:
                return 0
            serve(stream, folder, _files(stream, json.loads(content)))
            # The answer has arrived when the other end says so.
            return 0 if read_message(stream)[0] is Kind.NOTHING else _FAILED
    except (OSError, EOFError):
        return _STOPPED


def _end_with(connection: ssl.SSLSocket) -> None:
    """End this process when the other end of the connection is gone: nobody waits for an answer any more."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP if sys.platform == "linux" else 0)

    def wait() -> None:
        poll.poll()
        os._exit(_STOPPED)

    threading.Thread(target=wait, daemon=True).start()


def _files(stream: IO[bytes], wanted: Mapping[str, str]) -> dict[str, Path]:
    """The files that the hatch tells of, by name; those that an earlier task had are still here. They are ciphertext.

    In: wanted — by name the SHA-256.
    """
    store = Path(tempfile.gettempdir()) / f"enclos-files-{os.getuid()}"
    store.mkdir(mode=0o700, exist_ok=True)
    if store.stat().st_uid != os.getuid() or store.is_symlink():
        raise OSError("the folder for files is another's")
    found = {name: store / digest for name, digest in wanted.items()}
    lacking = [name for name, path in found.items() if not _is_whole(path)]
    write_message(stream, Kind.QUESTION, json.dumps(lacking).encode())
    for name in lacking:
        _, content = read_message(stream)
        half = store / f".{os.getpid()}-{os.urandom(4).hex()}"
        half.touch(mode=0o600)
        half.write_bytes(content)
        half.rename(found[name])
        if not _is_whole(found[name]):
            raise OSError("a file did not arrive whole")
    return found


def _is_whole(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == path.name
