"""How often one person may ask, and what was answered under a key: in memory of the one process that answers people."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_AT_ONCE, _A_SECOND = 60.0, 4.0
_MOST_PERSONS, _MOST_ANSWERS = 10_000, 1_000


class Pace:
    """Sixty requests at once and four a second, for each person. Source: a token bucket."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, person: str) -> None:
        """Count one request. Refuses: SIGN_IN_SLOW when there were too many."""
        now = monotonic()
        with self._lock:
            left, at = self._left.pop(person, (_AT_ONCE, now))
            left = min(left + (now - at) * _A_SECOND, _AT_ONCE)
            self._left[person] = (max(left - 1, 0.0), now)
            while len(self._left) > _MOST_PERSONS:
                self._left.popitem(last=False)
        if left < 1:
            raise refusal(Code.SIGN_IN_SLOW, "Too many requests.", "Ask again in some seconds.")


@dataclass(slots=True)
class _Answer:
    asked: object
    lock: Lock = field(default_factory=Lock)
    said: dict[str, Any] | None = None


class Answers:
    """What was answered under a person's key; the oldest are forgotten, and all with the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[object, _Answer] = OrderedDict()

    def once(self, key: object, asked: object, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The act's answer, made once; what was refused may be asked for again.

        Refuses: SIGN_IN_ANSWER when the key was used for something else.
        """
        with self._lock:
            answer = self._kept.setdefault(key, _Answer(asked))
            while len(self._kept) > _MOST_ANSWERS:
                self._kept.popitem(last=False)
        if answer.asked != asked:
            raise refusal(Code.SIGN_IN_ANSWER, "The idempotency key was used for another request.", "Choose a new one.")
        with answer.lock:
            if answer.said is None:
                answer.said = act()
            return answer.said
