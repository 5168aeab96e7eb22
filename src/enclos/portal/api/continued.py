"""Long lists that are made once for all their pages."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Any

_SECONDS, _MOST = 600.0, 32


class Continued:
    """What was found for first pages, kept for a while for the next ones of the same person.

    A list that is made from the whole ledger, and whose making the ledger tells of, is made once for who goes through
    it; its pages are of one state.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[float, dict[str, Any]]] = OrderedDict()

    def found(self, user: str, what: str, make: Callable[[], dict[str, Any]], *, goes_on: bool) -> dict[str, Any]:
        """What was found: now for a first page, and when that is asked for too late; else before."""
        key = user, what
        with self._lock:
            since, before = self._kept.get(key, (-_SECONDS, None))
            if goes_on and before is not None and self._clock() - since < _SECONDS:
                return before
        made = make()
        with self._lock:
            self._kept[key] = self._clock(), made
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return made
