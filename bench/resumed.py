"""Long runs that go on where they stopped: finished steps on disk, commands measured, room on the disk watched.

A run's folder holds ``run.jsonl``: a line when a step begins, a line with what it found when it is done or has failed.
A line that a kill cut off is no line. A step without its line of done is run again.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

GB = 10**9
_POWER = Path("/sys/class/powercap")
_DIES_WITH_PARENT = 1
_LOOKS = 1.0
"""Seconds from one look at the disk to the next."""


class StepFailedError(Exception):
    """A command ended otherwise than it should; ``code`` is that of its refusal, where it refused."""

    def __init__(self, said: str, code: str = "") -> None:
        super().__init__(said)
        self.code = code


class NoRoomError(Exception):
    """The disk has less free than the step needs."""


class Journal:
    """What is done, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, str] = {}
        self._begun: dict[str, int] = {}
        self._whole = True
        for line in path.read_text(encoding="utf-8").split("\n") if path.exists() else []:
            self._whole = not line
            try:
                row = json.loads(line)
            except ValueError:
                continue  # cut off by a kill, or the end of the file
            self._take(row)

    def _take(self, row: dict[str, Any]) -> None:
        step = row["step"]
        if row["what"] == "begun":
            self._begun[step] = self._begun.get(step, 0) + 1
        elif row["what"] == "failed":
            self._failed[step] = row["said"]
        else:
            self._done[step] = row
            self._failed.pop(step, None)

    def _put(self, row: dict[str, Any]) -> None:
        text = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **row}, ensure_ascii=False) + "\n"
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text if self._whole else "\n" + text)
            file.flush()
            os.fsync(file.fileno())
        self._whole = True
        self._take(json.loads(text))

    def begin(self, step: str) -> None:
        """A step begins, for the first time or again."""
        self._put({"step": step, "what": "begun"})

    def finish(self, step: str, used: dict[str, Any], found: dict[str, Any]) -> None:
        """A step is done."""
        self._put({"step": step, "what": "done", "used": used, "found": found})

    def fail(self, step: str, said: str) -> None:
        """A step failed; the next run tries it again."""
        self._put({"step": step, "what": "failed", "said": said})

    def is_done(self, step: str) -> bool:
        """Whether the step needs no further run."""
        return step in self._done

    def found(self, step: str) -> dict[str, Any]:
        """What a step that is done found; KeyError when it is not done."""
        return dict(self._done[step]["found"])

    def times_begun(self, step: str) -> int:
        """How often the step was begun: more than once where it was stopped in its midst."""
        return self._begun.get(step, 0)

    @property
    def failed(self) -> dict[str, str]:
        """The steps whose last run failed, with why."""
        return dict(self._failed)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The steps that are done, in their order."""
        return list(self._done.values())

    @property
    def unfinished(self) -> list[str]:
        """Steps that were begun and are neither done nor failed."""
        return [step for step in self._begun if step not in self._done and step not in self._failed]


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the run's folder; a second run in it ends at once."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("another run goes on in this folder") from None
        yield


def energy_joules(root: Path = _POWER) -> float | None:
    """What the processor's packages have used so far; None where the machine does not say."""
    total, known = 0.0, False
    for counter in sorted(root.glob("*/energy_uj")):
        if counter.parent.name.count(":") != 1:
            continue  # a part of a package, which counts it already
        try:
            total, known = total + int(counter.read_text()) / 1e6, True
        except (OSError, ValueError):
            return None
    return total if known else None


def bytes_in(folder: Path) -> int:
    """The bytes of all files below a folder; what vanishes meanwhile is not counted."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += 0 if path.is_dir() else path.lstat().st_size
    return total


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)


@dataclass
class Used:
    """What the commands of one step took together."""

    folder: Path
    floor: int
    """Bytes that stay free on the disk, or the command is ended."""
    longest: float = 0.0
    """Seconds after which a command is ended; nought is no limit."""
    wall: float = 0.0
    cpu: float = 0.0
    gib: float = 0.0
    n_commands: int = 0
    joules: float | None = field(default_factory=lambda: None if energy_joules() is None else 0.0)
    lowest_free: int = field(default=2**62)
    _process: subprocess.Popen[bytes] | None = None
    _out_of_room: bool = False
    _too_long: bool = False

    def run(self, command: Sequence[str], environment: dict[str, str], out: IO[bytes], err: IO[bytes]) -> int:
        """Run a process that ends with this one; how it ended.

        Refuses: NoRoomError when the disk fills up meanwhile; StepFailedError when it takes too long.
        """
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=out,
            stderr=err,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread of this process runs yet: the watch comes after
        )
        self._process = process
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        watch.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            ended.set()
            watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall += time.perf_counter() - began
        self.cpu += used.ru_utime + used.ru_stime
        self.gib = max(self.gib, used.ru_maxrss / (1 << 20))
        self.n_commands += 1
        if self._out_of_room:
            raise NoRoomError(f"less than {self.floor / GB:.1f} GB were free, so the command was ended")
        if self._too_long:
            raise StepFailedError(f"it took longer than {self.longest:.0f} s, so it was ended")
        return process.returncode

    def _watch(self, ended: threading.Event) -> None:
        began, counted = time.monotonic(), energy_joules()
        while True:
            before, counted = counted, energy_joules()
            if self.joules is not None and before is not None and counted is not None:
                self.joules += max(0.0, counted - before)  # a counter that begins anew is a second that is not told
            free = shutil.disk_usage(self.folder).free
            self.lowest_free = min(self.lowest_free, free)
            out_of_room = free < self.floor
            too_long = 0 < self.longest < time.monotonic() - began
            if (out_of_room or too_long) and self._process is not None and not (self._out_of_room or self._too_long):
                self._out_of_room, self._too_long = out_of_room, too_long
                self._process.terminate()
            if ended.wait(_LOOKS):
                return

    def as_json(self) -> dict[str, Any]:
        """The figures, rounded."""
        lowest = round(self.lowest_free / GB, 2) if self.n_commands else None
        return {
            "wall": round(self.wall, 2),
            "cpu": round(self.cpu, 2),
            "peak_gib": round(self.gib, 3),
            "commands": self.n_commands,
            "lowest_free_gb": lowest,
            "joules": None if self.joules is None else round(self.joules, 1),
        }


@dataclass(frozen=True)
class Step:
    """One step: what it does, how many bytes it needs beside the floor, whether the run can go on without it."""

    name: str
    do: Callable[[], dict[str, Any]]
    room: int = 0
    may_fail: bool = False
    """Others do not build on it: when it fails, that is written down and the run goes on."""


def need_room(folder: Path, step: Step, floor: int) -> None:
    """Refuses: NoRoomError that says what is needed, before anything is begun."""
    free = shutil.disk_usage(folder).free
    if free < step.room + floor:
        raise NoRoomError(
            f"{step.name} needs {step.room / GB:.1f} GB beside the {floor / GB:.1f} GB that stay free; "
            f"{free / GB:.1f} GB are free"
        )
