"""A command in a process of its own that is killed (SIGKILL) when it is about to call a function for the n-th time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from factories.enclosure import PASSPHRASE


def dies_at(function: str, number: int, *arguments: object) -> None:
    """Run ``enclos ARGUMENTS`` until it calls ``module:name`` for the n-th time; anything but that death fails."""
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(Path(__file__)), function, str(number), *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == -signal.SIGKILL, f"{function} {number}: exit {done.returncode}\n{done.stderr}"


def _run(function: str, number: int, arguments: list[str]) -> None:
    module, _, path = function.partition(":")
    holder: object = import_module(module)
    *holders, name = path.split(".")
    for each in holders:
        holder = getattr(holder, each)
    called, wanted = 0, getattr(holder, name)

    def dying(*args: object, **named: object) -> object:
        nonlocal called
        called += 1
        if called == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return wanted(*args, **named)

    setattr(holder, name, dying)
    sys.argv = ["enclos", *arguments]
    from enclos.cli import main

    main()


if __name__ == "__main__":
    _run(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
