"""One query in one confined process: what goes in, what comes out, and who stops it."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from time import monotonic
from typing import IO

import pyarrow as pa

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.confined.enclosing import Walls, confined_command, unconfined_command, walls

_FRAME = struct.Struct(">I")
_MAX_STATUS = 4096
_WATCH_SECONDS = 0.25

_SAID: dict[str, tuple[Code, str, str]] = {
    "binding": (
        Code.SQL_FAILED,
        "The engine does not understand the query: a column, a type or the arguments of a function do not fit.",
        "Compare it with the examples of docs/sql.md.",
    ),
    "value": (
        Code.SQL_FAILED,
        "A value cannot be converted or computed.",
        "Use TRY_CAST, or leave such rows out with CASE.",
    ),
    "failed": (Code.SQL_FAILED, "The query could not be computed.", "Make it simpler, step by step."),
    "memory": (
        Code.SQL_LIMIT,
        "The query needs more memory than one query may use.",
        "Name fewer columns, or compare columns with values in WHERE.",
    ),
    "size": (Code.SQL_LIMIT, "The result is larger than one answer may be.", "Count rows, or use LIMIT."),
    "time": (Code.SQL_LIMIT, "The query took longer than one query may.", "Make it smaller, or use a study."),
}


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query may use. Units: mebibytes, seconds, rows, bytes."""

    memory_mb: int = 2048
    address_space_mb: int = 3584
    threads: int = 2
    wall_seconds: int = 600
    cpu_seconds: int = 1200
    result_rows: int = 1_000_000
    result_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Incoming:
    """One table on its way in; ``keep`` drops rows."""

    name: str
    keep: str
    schema: pa.Schema
    tables: Iterable[pa.Table]


def require_confinement(*, unconfined_for_trying_out: bool) -> Walls:
    """The walls that a query will run behind; none only when told that it is for trying out.

    Refuses: SQL_UNCONFINED.
    """
    if unconfined_for_trying_out:
        return Walls.NONE
    found = walls()
    if found is Walls.NONE:
        raise refusal(
            Code.SQL_UNCONFINED,
            "This machine cannot shut a query in: bubblewrap is missing or may not make namespaces, and its kernel "
            "lacks Landlock or seccomp.",
            "Install the Debian package bubblewrap. On synthetic data only: --unconfined-for-trying-out.",
        )
    return found


def run_confined(
    sql: str,
    incoming: Sequence[Incoming],
    *,
    limits: QueryLimits,
    check: Callable[[], None],
    watch: Callable[[], object] | None = None,
    unconfined_for_trying_out: bool = False,
) -> pa.Table:
    """The answer of a query over the tables that it is given, computed behind walls.

    In: watch — asked four times a second from a thread of its own (``check`` where not given); when it raises, the
        worker is killed and its refusal stands; check — asked at the end.
    Refuses: SQL_UNCONFINED, SQL_LIMIT, SQL_FAILED; whatever ``check`` raises.
    """
    found = require_confinement(unconfined_for_trying_out=unconfined_for_trying_out)
    command = unconfined_command() if found is Walls.NONE else confined_command(found)
    scans = [{"name": table.name, "keep": table.keep} for table in incoming]
    request = json.dumps({"sql": sql, "scans": scans, "limits": asdict(limits)}).encode()
    with _running(command) as worker, _watched(worker, limits.wall_seconds, watch or check) as stopped:
        answer = _exchange(worker, request, incoming, limits, stopped)
    check()
    return answer


def _exchange(
    worker: subprocess.Popen[bytes],
    request: bytes,
    incoming: Sequence[Incoming],
    limits: QueryLimits,
    stopped: list[Exception],
) -> pa.Table:
    if worker.stdin is None or worker.stdout is None:
        raise RuntimeError("a worker has its two pipes")
    with suppress(BrokenPipeError):  # a worker that died says why below
        worker.stdin.write(_FRAME.pack(len(request)) + request)
        for table in incoming:
            with pa.ipc.new_stream(worker.stdin, table.schema) as writer:
                for part in table.tables:
                    if stopped:
                        raise stopped[0]
                    writer.write_table(part)
        worker.stdin.close()
    status = _status(worker.stdout)
    if stopped:
        raise stopped[0]
    word = status if status in _SAID or status == "done" else "memory"
    if word != "done":
        raise _refused(word)
    content = worker.stdout.read(limits.result_bytes + (1 << 20))
    if stopped:
        raise stopped[0]
    try:
        table = pa.ipc.open_stream(content).read_all()
        table.validate(full=True)
    except pa.ArrowException:
        raise _refused("failed") from None
    if table.num_rows > limits.result_rows:
        raise _refused("size")
    return table


def _status(answers: IO[bytes]) -> str:
    """The worker's word; a worker that was killed by a limit of the operating system has none."""
    head = answers.read(_FRAME.size)
    if len(head) != _FRAME.size or _FRAME.unpack(head)[0] > _MAX_STATUS:
        return ""
    try:
        return str(json.loads(answers.read(_FRAME.unpack(head)[0]))["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _refused(word: str) -> Refusal:
    return refusal(*_SAID[word])


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The worker; when the block ends it is dead, with all that it started."""
    worker = subprocess.Popen(  # noqa: S603 - a fixed command; the person's text goes through the pipe
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )
    try:
        yield worker
    finally:
        _kill(worker)
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        worker.wait()


def _kill(worker: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)


@contextmanager
def _watched(
    worker: subprocess.Popen[bytes], wall_seconds: int, look: Callable[[], object]
) -> Iterator[list[Exception]]:
    """Kill the worker when its time is over or the right to ask has ended; the list then holds the reason."""
    stopped: list[Exception] = []
    done = threading.Event()
    end = monotonic() + wall_seconds

    def watch() -> None:
        while not done.wait(_WATCH_SECONDS):
            try:
                look()
                if monotonic() > end:
                    raise _refused("time")
            except Exception as reason:  # noqa: BLE001 - a watch that cannot look is no watch: the work stops
                stopped.append(reason)
                _kill(worker)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield stopped
    finally:
        done.set()
        watcher.join()
