"""Reviews of the ledger made while somebody waits: in a thread, in turn, each kept for a while for who asked for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from enclos.app.apart import Apart

_MOST_KEPT = 32


@dataclass(slots=True)
class Review(Apart):
    """One review: what was found, once it is over; nothing where it was refused, or where it failed by our fault."""

    found: object | None = field(default=None, repr=False)


class Reviews:
    """The reviews of one process. Reading a long ledger takes a minute: nobody's page waits for it, and looking makes
    nothing.
    """

    def __init__(self) -> None:
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Review] = OrderedDict()

    def last(self, user: str, what: str) -> Review | None:
        """The one that this person asked for last; another's is not shown, since the ledger tells who read it."""
        with self._lock:
            return self._kept.get((user, what))

    def begin(self, user: str, what: str, make: Callable[[], object]) -> Review:
        """Make one, unless this person's is being made already.

        In: what — a month or a year; make — reads, finds, and has the ledger tell of it
        """
        with self._lock:
            before = self._kept.pop((user, what), None)
            begun = before if before is not None and not before.is_over else Review()
            self._kept[user, what] = begun
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        if begun is not before:
            begun.begin(lambda: self._make(begun, make), "review")
        return begun

    def _make(self, begun: Review, make: Callable[[], object]) -> None:
        with self._turn:
            begun.found = make()
