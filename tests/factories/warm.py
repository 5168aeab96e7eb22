"""Commands in processes of their own that need not import the product again: importing is most of a short command.

The first of each command (``permit sign``, ``study``) in a run of the tests starts cold, as a person's does, so a
module that cannot be imported first is found; the others are forked from a process that has done nothing but import
(``warm_process.py``). Everything else is the same: arguments, environment, streams, the exit number, a memory that
goes with the process. ENCLOS_TESTS_COLD=1 starts every command cold.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from factories import derived_once

ENCLOS = Path(sys.executable).with_name("enclos")
_MAY_DIFFER = ("ENCLOS_", "TMPDIR", "SOFTHSM2_CONF", "PYTEST_CURRENT_TEST")
"""Beginnings of names of variables that nothing reads while it is imported."""
_SECONDS = 600


def run_command(
    arguments: Sequence[object], environment: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``enclos`` with these arguments and this whole environment."""
    words = [str(ENCLOS), *map(str, arguments)]
    name = _name(arguments)
    is_cold = os.environ.get("ENCLOS_TESTS_COLD") or _is_first(name)
    if is_cold or not door().is_open or not _may_be_warm(environment):
        return subprocess.run(
            words, input=stdin, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        status = door().run(words, environment, [each.fileno() for each in (given, out, err)])
        printed = []
        for stream in (out, err):
            stream.seek(0)
            printed.append(stream.read().decode())
    return subprocess.CompletedProcess(words, status, *printed)


def _name(arguments: Sequence[object]) -> tuple[str, ...]:
    """The words before the first that is not one of letters: the command's name, in all that a person types."""
    name: list[str] = []
    for argument in arguments:
        if not isinstance(argument, str) or not argument.replace("-", "").isalpha():
            break
        name.append(argument)
    return tuple(name)


def _is_first(name: tuple[str, ...]) -> bool:
    """Whether no test process of this run has asked for the command."""
    try:
        Path(os.environ[derived_once.PLACE], "_".join(("cold", *name))).touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _may_be_warm(environment: Mapping[str, str]) -> bool:
    there = door().environment
    changed = {name for name in {*there, *environment} if there.get(name) != environment.get(name)}
    return all(name.startswith(_MAY_DIFFER) for name in changed)


class _Door:
    """The process that forks, and the way to it."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        self._way, other = socket.socketpair()
        self._one_at_a_time = threading.Lock()
        program = Path(__file__).with_name("warm_process.py")
        with other:
            self._process = subprocess.Popen(
                [sys.executable, str(program), str(other.fileno())],
                pass_fds=[other.fileno()],
                env={"OPENBLAS_NUM_THREADS": "1", **os.environ},  # as the command line has it before it imports
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self.is_open = self._way.recv(1) == b"r"
        """Whether it serves; where it does not, every command starts cold and acceptance/test_warm.py fails."""
        atexit.register(self.close)

    def close(self) -> None:
        """End the process."""
        self._way.close()
        self._process.wait()

    def run(self, words: list[str], environment: Mapping[str, str], streams: list[int]) -> int:
        """Run one command; commands of several threads run at the same time."""
        here, there = socket.socketpair()
        with here:
            with there, self._one_at_a_time:
                socket.send_fds(self._way, [b"c"], [*streams, there.fileno()])
            command = {"words": words, "environment": dict(environment), "folder": str(Path.cwd())}
            here.sendall(json.dumps(command).encode() + b"\n")
            here.settimeout(_SECONDS)
            child = int.from_bytes(here.recv(4), "big")
            try:
                status = here.recv(4)
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, _SECONDS) from None
        if not status:
            raise RuntimeError("who waits for the command was killed: how it ended is not known")
        return int.from_bytes(status, "big", signed=True)


@cache
def door() -> _Door:
    """The process of this test process, started when it is first asked for."""
    return _Door()
