"""A process that writes into a ledger and may be killed at a chosen call of the operating system; run by the tests.

python ledger_worker.py die FOLDER RETURNED POINT      write, and die at the POINT-th call (never when negative)
python ledger_worker.py hold FOLDER RETURNED POINT     the same, where every checkpoint waits for the end
python ledger_worker.py append FOLDER RETURNED NAME N  write N rounds beside other processes
python ledger_worker.py limit FOLDER RETURNED BYTES    write rounds until a file may not grow beyond BYTES
python ledger_worker.py readonly FOLDER RETURNED UID   try to write as a user who may not

RETURNED gets a JSON line for each entry whose writing returned, and a last line.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from enclos.ledger.model import Action, Outcome
from enclos.ledger.ports import Pace
from enclos.ledger.steps import Ledger
from enclos.lexicon.refusals import Refusal
from enclos.stores.ledger_files import LedgerFiles
from enclos.stores.ledger_pace import Soon
from factories.ledger import ALICE, ORIGIN, PERMIT, SALT, MachineClock, SeedSigner
from fakes.ledger import HeldPace

_WRITES = ("write", "fsync", "fdatasync", "ftruncate", "replace", "rename", "unlink", "rmdir", "mkdir", "open")
_plain_write = os.write
n_calls = 0


def note(handle: int, **line: Any) -> None:
    _plain_write(handle, json.dumps(line).encode() + b"\n")


def rounds(ledger: Ledger, handle: int, name: str, n_rounds: int) -> None:
    for n in range(n_rounds):
        with ledger.intent(Action.STUDY, ALICE, PERMIT, {"mark": f"{name}-intent-{n}"}) as ticket:
            note(handle, index=ticket.index, mark=f"{name}-intent-{n}")
            index = ledger.record(Action.LOGIN, f"{name}{n}@example.org", facts={"mark": f"{name}-event-{n}"})
            note(handle, index=index, mark=f"{name}-event-{n}")
            index = ticket.outcome(Outcome.DONE, {"mark": f"{name}-outcome-{n}"})
            note(handle, index=index, mark=f"{name}-outcome-{n}")


def opened(folder: Path, pace: Pace | None = None) -> Ledger:
    return Ledger.open(LedgerFiles(folder), SeedSigner(), MachineClock(), SALT, ORIGIN, pace)


def die(folder: Path, handle: int, point: int, pace: Pace | None = None) -> None:
    dice = random.Random(point)  # noqa: S311 - chooses crashes

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **more: Any) -> Any:
            global n_calls  # noqa: PLW0603 - counts the calls of this one process
            n_calls += 1
            if n_calls - 1 == point:
                if call is _plain_write:
                    _plain_write(args[0], bytes(args[1])[: dice.randint(0, len(args[1]))])
                elif dice.random() < 0.5:
                    with suppress(OSError):
                        call(*args, **more)
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return counted

    for name in _WRITES:
        setattr(os, name, deadly(getattr(os, name)))
    ledger = opened(folder, pace)
    rounds(ledger, handle, "w", 3)
    ledger.close()
    note(handle, n_calls=n_calls)


def limit(folder: Path, handle: int, n_bytes: int) -> None:
    ledger = opened(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        rounds(ledger, handle, "w", 1000)
    except Refusal as refused:
        note(handle, code=refused.code.id, exit=refused.exit_code, message=str(refused))


def readonly(folder: Path, handle: int, uid: int) -> None:
    ledger = opened(folder)
    ran = []
    if os.getuid() == 0:
        os.setuid(uid)
    try:
        with ledger.intent(Action.STUDY, ALICE, PERMIT):
            ran.append(1)
    except Refusal as refused:
        note(handle, code=refused.code.id, exit=refused.exit_code, message=str(refused), ran=len(ran))


def main() -> None:
    mode, folder, returned, *rest = sys.argv[1:]
    handle = os.open(returned, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    match mode:
        case "die":
            die(Path(folder), handle, int(rest[0]))
        case "hold":
            die(Path(folder), handle, int(rest[0]), HeldPace())
        case "append":
            with opened(Path(folder), Soon(0.05) if rest[0] in "ab" else None) as ledger:
                rounds(ledger, handle, rest[0], int(rest[1]))
            note(handle, ended=True)
        case "limit":
            limit(Path(folder), handle, int(rest[0]))
        case "readonly":
            readonly(Path(folder), handle, int(rest[0]))


if __name__ == "__main__":
    main()
