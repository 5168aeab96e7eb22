"""What checkers are shown beside requests, found before they look, by the process that serves them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from enclos.app.enclosure import Enclosure
from enclos.app.faults import tell_fault
from enclos.app.house import House
from enclos.app.looks import still_valid
from enclos.app.paths import EnclosurePaths
from enclos.app.rounding import archive_of, desk_of
from enclos.lexicon.refusals import Refusal
from enclos.release.steps import find_beside
from enclos.release.steps.documents import EXPORTED
from enclos.studies.figures.style import begin_drawing

EVERY_SECONDS = 2.0
"""How often the ledger's end is looked at: one small file."""


class Ahead:
    """Finds it anew when a request was made, left, or had its sets written; it knows for which it did so last."""

    def __init__(self) -> None:
        self._done: object = None

    def catch_up(self, enclosure: Enclosure, ends: Callable[[], bool]) -> bool:
        """Find what is not known yet; whether there was anything to look for.

        In:      ends — as for ``find_beside``
        Refuses: as ``find_beside``; what was not found is found, or told, when somebody looks.
        """
        desk, archive = desk_of(enclosure), archive_of(enclosure)
        on_desk = [(name, desk.mark(name, (EXPORTED,))) for name in desk.requests()]
        now = (on_desk, [(*each, archive.mark(*each)) for each in archive.requests()])
        if now == self._done:
            return False
        self._done = now
        find_beside(desk, archive, check=lambda permit: still_valid(enclosure, permit)(), ends=ends)
        return True


def keep_ahead(house: House, ends: Event) -> None:
    """Catch up whenever the ledger grew, until it is told to end: all that changes a request is in the ledger.

    Before that it gets ready what draws pictures.
    """
    ahead, checkpoint, seen = Ahead(), EnclosurePaths(house.folder).ledger / "checkpoint", b""
    if not ends.wait(EVERY_SECONDS):
        begin_drawing()
    while not ends.wait(EVERY_SECONDS):
        try:
            now = checkpoint.read_bytes()
            if now == seen:
                continue
            seen = now
            with house.open() as enclosure:
                ahead.catch_up(enclosure, ends.is_set)
        except (Refusal, OSError):  # a key is rotated, a storage away, a release altered: whoever looks is told
            continue
        except Exception as error:  # noqa: BLE001 - a fault of ours: its text could quote what nobody may read
            tell_fault("ahead", error)
