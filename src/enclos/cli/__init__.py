"""Command line: one verb per command, one JSON document with --json, closed exit codes.

Promise: 0 done, 1 bug, 2 usage, 3 not allowed, 4 not as promised, 5 not safe.
Reads, Writes: standard output for results, standard error for progress and refusals.
Never: shows a traceback, a value of a person or a key.
Start: application.py, then commands/ by noun.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process."""
    from enclos.cli.entry import leave, run

    try:
        run()
    except SystemExit as ended:
        leave(ended.code if isinstance(ended.code, int) else 0)


__all__ = ["main"]
