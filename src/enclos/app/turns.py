"""Whose work is next: little runs at once, and nobody's many stop anybody's one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_LOOK_SECONDS = 0.1


class Asker(Protocol):
    """Who asks, and under which permit."""

    @property
    def user(self) -> str:
        """The person."""

    @property
    def permit(self) -> str:
        """The permit's id."""


class Places(Protocol):
    """How much runs at once. Units: pieces of work."""

    @property
    def n_at_once(self) -> int:
        """Of all persons."""

    @property
    def n_per_permit(self) -> int:
        """Under one permit."""

    @property
    def n_waiting(self) -> int:
        """Of one person, waiting."""


class Stop(Protocol):
    """Whether somebody wants a piece of work to end."""

    def is_set(self) -> bool:
        """Whether it is to end."""


def too_many() -> Refusal:
    """The refusal of one statement more of a person who has many waiting."""
    return refusal(Code.GATE_BUSY, "Too many of this person's statements wait already.", "Wait until one is answered.")


def stopped() -> Refusal:
    """The refusal of a statement whose person, or the gateway, ended it."""
    return refusal(Code.GATE_STOPPED, "The statement was stopped.", "Ask again when it shall run.")


@dataclass(eq=False, slots=True)
class _Waiting:
    asker: Asker
    came: int


class FairQueue:
    """Places for work that runs.

    One person never has all places. Of those who wait and may run, the one whose person was served least lately is
    next; among a person's own, the first that came.
    In: busy, ended — what is refused of who has too many waiting, and of who was stopped
    """

    def __init__(
        self, places: Places, *, busy: Callable[[], Refusal] = too_many, ended: Callable[[], Refusal] = stopped
    ) -> None:
        self._places = places
        self._busy, self._ended = busy, ended
        self._change = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._running: Counter[str] = Counter()
        self._by_permit: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._tick = 0
        self._closed = False

    @contextmanager
    def turn(self, asker: Asker, stop: Stop) -> Iterator[None]:
        """A place, once it is the asker's turn.

        Refuses: when too much of the person's waits already; when it was stopped.
        """
        with self._change:
            self._enter(asker, stop)
        try:
            yield
        finally:
            with self._change:
                self._running[asker.user] -= 1
                self._by_permit[asker.permit] -= 1
                self._change.notify_all()

    def n_before(self, asker: Asker) -> int:
        """How many of others came before this one and wait still; 0 for one that does not wait."""
        with self._change:
            own = next((each.came for each in self._waiting if each.asker is asker), 0)
            return sum(each.came < own for each in self._waiting)

    def close(self) -> None:
        """Nobody's turn comes any more."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _enter(self, asker: Asker, stop: Stop) -> None:
        if sum(each.asker.user == asker.user for each in self._waiting) >= self._places.n_waiting:
            raise self._busy()
        self._tick += 1
        me = _Waiting(asker, self._tick)
        self._waiting.append(me)
        try:
            while self._next() is not me:
                if self._closed or stop.is_set():
                    raise self._ended()
                self._change.wait(_LOOK_SECONDS)
        finally:
            self._waiting.remove(me)
            self._change.notify_all()
        if self._closed:
            raise self._ended()
        self._tick += 1
        self._served[asker.user] = self._tick
        self._running[asker.user] += 1
        self._by_permit[asker.permit] += 1

    def _next(self) -> _Waiting | None:
        if self._running.total() >= self._places.n_at_once:
            return None
        most = max(1, self._places.n_at_once - 1)
        able = [
            each
            for each in self._waiting
            if self._running[each.asker.user] < most and self._by_permit[each.asker.permit] < self._places.n_per_permit
        ]
        return min(able, key=lambda each: (self._served.get(each.asker.user, 0), each.came), default=None)
