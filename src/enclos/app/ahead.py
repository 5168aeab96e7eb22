"""What people's pages need, made before they look by the process that serves them: what checkers are shown beside
requests, and what the first page of a kind would wait for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Event

from enclos.app.code import code_digest
from enclos.app.enclosure import Enclosure
from enclos.app.faults import tell_fault
from enclos.app.house import House
from enclos.app.looks import still_valid
from enclos.app.pages.rooms.frame import prepare, template_names
from enclos.app.paths import EnclosurePaths
from enclos.app.recent import MOST
from enclos.app.rounding import archive_of, desk_of
from enclos.lexicon.refusals import Refusal
from enclos.release.steps import find_beside
from enclos.release.steps.documents import EXPORTED

EVERY_SECONDS = 2.0
"""How often the ledger's end is looked at: one small file."""
_BETWEEN_STEPS = 0.02
"""Seconds that are left to whoever has a page open between two steps of what is got ready."""
_ENTRIES_A_STEP = 500
_IMPORTED_LATE = ("pyarrow.dataset",)
"""Modules that a library imports when it first reads a kept run."""
_MOST_SECONDS = 300.0
"""Where it was refused, it waits twice as long each time, and this long at most: what is altered may stay so."""


class Ahead:
    """Finds it anew when a request was made, left, or had its sets written; it knows for which it did so last."""

    def __init__(self) -> None:
        self._done: object = None

    def catch_up(self, enclosure: Enclosure, ends: Callable[[], bool]) -> bool:
        """Find what is not known yet; whether there was anything to look for.

        In:      ends — as for ``find_beside``
        Refuses: as ``find_beside``; what was not found is looked for by the next call.
        """
        desk, archive = desk_of(enclosure), archive_of(enclosure)
        on_desk = [(name, desk.mark(name, (EXPORTED,))) for name in desk.requests()]
        now = (on_desk, [(*each, archive.mark(*each)) for each in archive.requests()])
        if now == self._done:
            return False
        find_beside(desk, archive, check=lambda permit: still_valid(enclosure, permit)(), ends=ends)
        if not ends():
            self._done = now
        return True


def first_steps(house: House) -> Iterator[Callable[[], object]]:
    """What the first page of each kind would wait for, in steps that keep nobody waiting who has a page open: the
    engine loads its extensions, modules and the templates of pages are there, the newest entries of the ledger are
    read.

    Refuses, in a step: as opening an enclosure.
    """
    yield partial(_load_engine, house)
    yield code_digest
    yield from (partial(importlib.import_module, name) for name in _IMPORTED_LATE)
    yield from (partial(prepare, [name]) for name in template_names())
    yield from (partial(_read_back, house, n) for n in range(_ENTRIES_A_STEP, MOST, _ENTRIES_A_STEP))


def _load_engine(house: House) -> None:
    with house.open() as enclosure, enclosure.engine_to_read():
        pass  # it stays for the next question


def _read_back(house: House, n: int) -> None:
    """Read the last n entries of the ledger, of which those that were read are not read again."""
    with house.open() as enclosure:
        size = enclosure.ledger.size()
        enclosure.marks.recent.between(max(0, size - n), size)


def _get_ready(house: House, ends: Event) -> None:
    """Take the first steps, unless it is told to end. What fails here is told to whoever needs it."""
    for step in first_steps(house):
        with suppress(Refusal, OSError):
            step()
        if ends.wait(_BETWEEN_STEPS):
            return


def keep_ahead(house: House, ends: Event) -> None:
    """Catch up whenever the ledger grew, until it is told to end: all that changes a request is in the ledger.

    Before that it takes the first steps. What it was refused is looked for again, later each time, whether the ledger
    grew or not.
    """
    ahead, checkpoint, seen = Ahead(), EnclosurePaths(house.folder).ledger / "checkpoint", b""
    if not ends.wait(EVERY_SECONDS):
        _get_ready(house, ends)
    pause = EVERY_SECONDS
    while not ends.wait(pause):
        try:
            now = checkpoint.read_bytes()
            if now != seen:
                with house.open() as enclosure:
                    ahead.catch_up(enclosure, ends.is_set)
            seen, pause = now, EVERY_SECONDS
            continue
        except (Refusal, OSError):  # a key is rotated, a storage away, a release altered: whoever looks is told
            pass
        except Exception as error:  # noqa: BLE001 - a fault of ours: its text could quote what nobody may read
            tell_fault("ahead", error)
        pause = min(2 * pause, _MOST_SECONDS)
