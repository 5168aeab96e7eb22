"""Places for who asks at once, shared so that nobody takes them all; of one event loop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import Event

from enclos.app.whence import is_beyond_share

_MOST_WAITING = 64


class TooManyWait(Exception):
    """As many of somebody's requests wait as may."""


class Shares:
    """So many places. Whoever holds none has the next that is free; of more, nobody holds more than they leave free.

    Who may not have a place now waits for one. However long somebody's requests take, there is a place for who comes:
    of 24 places one person has 12 at most, a second 6, a third 3.
    """

    def __init__(self, n_places: int, most_waiting: int = _MOST_WAITING) -> None:
        self._n_places, self._most_waiting = n_places, most_waiting
        self._held: Counter[str] = Counter()
        self._waiting: deque[tuple[str, Event]] = deque()

    @asynccontextmanager
    async def place(self, who: str) -> AsyncIterator[None]:
        """A place, once there is one. Raises: TooManyWait."""
        if self._may(who):
            self._held[who] += 1
        else:
            await self._wait(who)
        try:
            yield
        finally:
            self._give_back(who)

    def of(self, who: str) -> int:
        """The places that somebody holds."""
        return self._held[who]

    async def _wait(self, who: str) -> None:
        if sum(each == who for each, _ in self._waiting) >= self._most_waiting:
            raise TooManyWait
        turn = (who, Event())
        self._waiting.append(turn)
        try:
            await turn[1].wait()
        except BaseException:
            if turn[1].is_set():
                self._give_back(who)
            else:
                self._waiting.remove(turn)
            raise

    def _give_back(self, who: str) -> None:
        self._held[who] -= 1
        if not self._held[who]:
            del self._held[who]
        for turn in list(self._waiting):
            next_one, given = turn
            if self._may(next_one):
                self._waiting.remove(turn)
                self._held[next_one] += 1
                given.set()

    def _may(self, who: str) -> bool:
        own, every = self._held[who], self._held.total()
        if every >= self._n_places:
            return False
        return not is_beyond_share(own + 1, every - own, self._n_places)
