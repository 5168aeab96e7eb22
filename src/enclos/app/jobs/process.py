"""A piece of long work in a process of its own: how it is told what to do, and how it tells how far it is.

It is told by its standard input, one line, and stops when told so there or when that ends, as when the process that
began it dies. It tells by its standard output, a document a line. What came of it it keeps itself before it says that
it is done: the process that serves meanwhile never has it in memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from enclos.app.house import House
from enclos.app.jobs.model import Job, JobState
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_SECONDS_TO_STOP = 10
_MOST_OF_A_LINE = 1 << 20
_CODES = {code.id: code for code in Code}
Hear = Callable[[str, float, str], None]


@dataclass(frozen=True, slots=True, repr=False)
class Ended:
    """How a piece of work ended."""

    state: JobState
    run: str = ""
    """The run that a study's result is in."""
    refused: Refusal | None = None


@dataclass(eq=False, slots=True)
class Process:
    """The process of one piece of work."""

    running: subprocess.Popen[bytes] = field(repr=False)

    @classmethod
    def of(cls, job: Job, house: House) -> Self:
        """Start it; the passphrase goes through a pipe, so that neither arguments nor environment show it."""
        given = house.passphrase
        told = {
            "job": job.id,
            "folder": str(house.folder),
            "passphrase": given if isinstance(given, str) else given(),
            "work": job.work,
            "user": job.user,
            "permit": job.permit,
            "given": dict(job.given),
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "enclos.app.jobs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what it says could quote data
        )
        started = cls(running)
        started._say(json.dumps(told).encode() + b"\n")
        return started

    def follow(self, hear: Hear) -> Ended:
        """Read what it tells until it ends."""
        ended = Ended(JobState.FAILED)
        try:
            while line := self._line():
                said = json.loads(line)
                if "done_as" in said:
                    ended = Ended(JobState.DONE, run=str(said["done_as"]))
                elif "refused" in said:
                    code, what, step = said["refused"]
                    ended = Ended(JobState.REFUSED, refused=refusal(_CODES[code], what, step))
                else:
                    hear(str(said["step"]), float(said["done"]), str(said["note"]))
        except (ValueError, KeyError, TypeError):
            self.running.kill()
        finally:
            with suppress(OSError):
                if self.running.stdin is not None:
                    self.running.stdin.close()
            code_of_end = self.running.wait()
            if self.running.stdout is not None:
                self.running.stdout.close()
        if code_of_end == -signal.SIGKILL and ended.state is JobState.FAILED:  # it had not said how it ended
            return Ended(JobState.INTERRUPTED)
        return ended

    def stop(self) -> None:
        """Tell it to stop, and end it when it does not."""
        self._say(b"stop\n")

        def end() -> None:
            with suppress(OSError):
                self.running.kill()

        late = threading.Timer(_SECONDS_TO_STOP, end)
        late.daemon = True
        late.start()

    def _say(self, line: bytes) -> None:
        with suppress(OSError, ValueError):  # it has ended
            if self.running.stdin is not None:
                self.running.stdin.write(line)
                self.running.stdin.flush()

    def _line(self) -> bytes:
        return self.running.stdout.readline(_MOST_OF_A_LINE) if self.running.stdout is not None else b""


def listen_for_stop(stop: threading.Event) -> None:
    """In the process of the work: note when it is told to stop; die with the process that began it."""
    said = sys.stdin.buffer.readline()
    if said:
        stop.set()
        sys.stdin.buffer.read()
    os._exit(1)
