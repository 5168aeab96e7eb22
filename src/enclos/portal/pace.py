"""How often one person may ask: in memory of the one process that answers people."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from time import monotonic

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_AT_ONCE, _A_SECOND = 60.0, 4.0
_MOST_PERSONS = 10_000


class Pace:
    """Sixty requests at once and four a second, for each person. Source: a token bucket."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, person: str) -> None:
        """Count one request. Refuses: SIGN_IN_OFTEN when there were too many."""
        now = monotonic()
        with self._lock:
            left, at = self._left.pop(person, (_AT_ONCE, now))
            left = min(left + (now - at) * _A_SECOND, _AT_ONCE)
            self._left[person] = (max(left - 1, 0.0), now)
            while len(self._left) > _MOST_PERSONS:
                self._left.popitem(last=False)
        if left < 1:
            raise refusal(Code.SIGN_IN_OFTEN, "Too many requests.", "Ask again in some seconds.")
