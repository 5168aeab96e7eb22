"""Memory for answers that were computed and are not yet with who asked: shared by all doors, and never filled by one
person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

LEAST_BYTES = 1 << 20
"""Who could not have an answer of so many bytes is told before the statement is computed."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class Held:
    """The room of one answer, until it is released; to release it again changes nothing."""

    user: str
    n_bytes: int
    room: Room = field(repr=False)

    def release(self) -> None:
        """Give the room back."""
        self.room.take_back(self)


class Room:
    """So many bytes for the answers of everybody.

    Nobody holds more than they leave free: one person at most half, a second half of the rest. However much lies there
    unfetched, there is room for who comes next, and the whole stays within its bytes.
    """

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._one = RLock()  # an answer that nobody holds any more may be given back in the middle of anything
        self._of: dict[str, int] = {}

    def require(self, user: str, n_bytes: int = LEAST_BYTES, *, yields: int = 0) -> None:
        """Whether a person has room for an answer; where its size is not known yet, for a small one.

        In: yields — bytes of the person's answers that would go for it
        Refuses: GATE_BUSY.
        """
        with self._one:
            if self._is_too_much(user, n_bytes - yields):
                raise self._no_room(user)

    def hold(self, user: str, n_bytes: int) -> Held:
        """Room for an answer of a person.

        Refuses: GATE_BUSY when the person would hold more than is left free then.
        """
        with self._one:
            if self._is_too_much(user, n_bytes):
                raise self._no_room(user)
            self._of[user] = self._of.get(user, 0) + n_bytes
            return Held(user, n_bytes, self)

    def of(self, user: str) -> int:
        """The bytes that a person holds."""
        with self._one:
            return self._of.get(user, 0)

    def take_back(self, held: Held) -> None:
        """What ``Held.release`` does."""
        with self._one:
            left = self._of.get(held.user, 0) - held.n_bytes
            held.n_bytes = 0
            if left:
                self._of[held.user] = left
            else:
                self._of.pop(held.user, None)

    def _is_too_much(self, user: str, n_bytes: int) -> bool:
        own = self._of.get(user, 0)
        others = sum(self._of.values()) - own
        return 2 * (own + n_bytes) > self._n_bytes - others

    def _no_room(self, user: str) -> Refusal:
        if self._of.get(user, 0):
            return refusal(
                Code.GATE_BUSY,
                "Your answers that are not fetched yet leave too little memory for this one.",
                "Fetch them, close their cursors or connections, or ask for less.",
            )
        return refusal(
            Code.GATE_BUSY,
            "Answers that others have not fetched yet leave too little memory for this one.",
            "Ask again in two minutes, or for less.",
        )
