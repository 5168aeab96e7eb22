"""A process that has imported the product and forks one child for each command that it is sent.

Run by factories/warm.py. It does nothing but import and wait: it opens no engine, no key and no file, and runs no
thread of ours, so each child is what a process of its own is just before it runs its command.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import derived_once
import duckdb
import loaded_once

PACKAGES = ("enclos.cli", "enclos.app", "enclos.stores", "enclos.portal")
LIBRARIES = ("pandas", "altair", "pyarrow.parquet", "pyarrow.dataset", "scipy.optimize", "sqlglot.optimizer")
MADE_AGAIN = {"jemalloc_bg_thd"}
"""Threads that their library starts again after a fork: jemalloc's, which Arrow brings."""
N_STREAMS = 3


def import_all() -> None:
    """Import what the commands would."""
    for name in (*PACKAGES, *LIBRARIES):
        module = importlib.import_module(name)
        if name in PACKAGES:
            for found in pkgutil.walk_packages(module.__path__, f"{name}."):
                if not found.name.endswith(("__main__", ".worker")):
                    importlib.import_module(found.name)
    duckdb.default_connection().close()  # made by the import, with a thread; the next use makes it again
    threads = sorted((task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir())
    if len([name for name in threads if name not in MADE_AGAIN]) != 1:
        raise RuntimeError(f"a fork would lose threads: {threads}")
    gc.freeze()


def run(command: dict[str, Any], streams: list[int]) -> None:
    """Become the command; never returns."""
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    tempfile.tempdir = None  # it was perhaps found in another environment
    sys.argv = command["words"]
    from enclos.cli import main

    main()


def keep(client: socket.socket, command: dict[str, Any], streams: list[int]) -> None:
    """Run the command in a child, tell how it ended."""
    child = os.fork()
    if not child:
        client.close()
        try:
            run(command, streams)
        finally:
            os._exit(1)
    with contextlib.suppress(BrokenPipeError):
        client.sendall(child.to_bytes(4, "big"))
        _, status = os.waitpid(child, 0)
        client.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))


def main(place: int) -> None:
    """Wait for commands until the socket that was inherited is closed at its other end."""
    import_all()
    if derived_once.PLACE in os.environ:
        folder = Path(os.environ[derived_once.PLACE])
        derived_once.derive_once(folder)
        loaded_once.load_once(folder)
    door = socket.socket(fileno=place)
    door.sendall(b"r")
    while True:
        content, streams, _, _ = socket.recv_fds(door, 1, N_STREAMS + 1)
        if not content:
            return
        client = socket.socket(fileno=streams.pop())
        if not os.fork():
            door.close()
            with client.makefile("rb") as lines:
                command = json.loads(lines.readline())
            keep(client, command, streams)
            os._exit(0)
        for stream in (client.detach(), *streams):
            os.close(stream)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
