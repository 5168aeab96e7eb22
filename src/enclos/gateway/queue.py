"""Whose statement is next: few run at once, and nobody's many stop anybody's one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from enclos.gateway.model import Caller, GateLimits
from enclos.gateway.ports import Stop
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_LOOK_SECONDS = 0.1


@dataclass(eq=False, slots=True)
class _Waiting:
    caller: Caller
    came: int


class FairQueue:
    """Places for statements that run.

    One person never has all places. Of those who wait and may run, the one whose person was served least lately is
    next; among a person's own, the first that came.
    """

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self._change = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._running: Counter[str] = Counter()
        self._by_permit: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._tick = 0
        self._closed = False

    @contextmanager
    def turn(self, caller: Caller, stop: Stop) -> Iterator[None]:
        """A place, once it is the caller's turn.

        Refuses: GATE_BUSY when too many of the person's statements wait already; GATE_STOPPED.
        """
        with self._change:
            self._enter(caller, stop)
        try:
            yield
        finally:
            with self._change:
                self._running[caller.user] -= 1
                self._by_permit[caller.permit] -= 1
                self._change.notify_all()

    def close(self) -> None:
        """Nobody's turn comes any more."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _enter(self, caller: Caller, stop: Stop) -> None:
        if sum(each.caller.user == caller.user for each in self._waiting) >= self._limits.n_waiting:
            raise refusal(
                Code.GATE_BUSY, "Too many of this person's statements wait already.", "Wait until one is answered."
            )
        self._tick += 1
        me = _Waiting(caller, self._tick)
        self._waiting.append(me)
        try:
            while self._next() is not me:
                if self._closed or stop.is_set():
                    raise stopped()
                self._change.wait(_LOOK_SECONDS)
        finally:
            self._waiting.remove(me)
            self._change.notify_all()
        if self._closed:
            raise stopped()
        self._tick += 1
        self._served[caller.user] = self._tick
        self._running[caller.user] += 1
        self._by_permit[caller.permit] += 1

    def _next(self) -> _Waiting | None:
        if self._running.total() >= self._limits.n_at_once:
            return None
        most = max(1, self._limits.n_at_once - 1)
        able = [
            each
            for each in self._waiting
            if self._running[each.caller.user] < most
            and self._by_permit[each.caller.permit] < self._limits.n_per_permit
        ]
        return min(able, key=lambda each: (self._served.get(each.caller.user, 0), each.came), default=None)


def stopped() -> Refusal:
    """The refusal of a statement whose person, or the gateway, ended it."""
    return refusal(Code.GATE_STOPPED, "The statement was stopped.", "Ask again when it shall run.")
