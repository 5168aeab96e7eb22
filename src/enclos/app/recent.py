"""The newest entries of a ledger that stays open, read once: several pages look back some thousands at each opening."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock

from enclos.ledger.model import Entry
from enclos.ledger.steps import Ledger

MOST = 6_000
"""So many of the newest are kept while the enclosure is open: some more than any page looks back from the end that it
met, since others write meanwhile.
"""


@dataclass(eq=False, slots=True)
class Recent:
    """Entries as they were proved when they were read, from one of the newest on to the last one that was met.

    They stay what they are: what is signed is only added to. Who verifies the ledger reads its files.
    """

    ledger: Ledger = field(repr=False)
    _first: int = 0
    _kept: deque[tuple[int, Entry]] = field(default_factory=deque, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def between(self, start: int, end: int) -> Sequence[tuple[int, Entry]]:
        """Index and entry, from ``start`` to the one before ``end``, as far as there are any.

        Refuses: LEDGER_DAMAGED for entries that were not read before.
        """
        if start >= end:
            return []
        if start < self.ledger.size() - MOST:
            return list(islice(self.ledger.entries(start), end - start))
        with self._lock:
            size = self.ledger.size()
            self._read(start, min(end, size), size)
            found = list(islice(self._kept, start - self._first, end - self._first))
            while len(self._kept) > MOST:
                self._kept.popleft()
                self._first += 1
        return found

    def _read(self, start: int, end: int, size: int) -> None:
        """Read on, forwards and backwards, so that nothing between is left out."""
        met = self._first + len(self._kept)
        if not size - MOST <= met <= size:  # too far behind, or of what is there no more
            self._kept.clear()
        if not self._kept:
            self._first = start
        if start < self._first:
            earlier = list(islice(self.ledger.entries(start), self._first - start))
            self._kept.extendleft(reversed(earlier))
            self._first = start
        met = self._first + len(self._kept)
        if met < end:
            self._kept.extend(islice(self.ledger.entries(met), end - met))
