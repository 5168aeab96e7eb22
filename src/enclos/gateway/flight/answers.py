"""Answers that wait to be fetched and statements that wait for their values, each for who asked."""

from __future__ import annotations

import secrets
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from enclos.gateway.model import Caller
from enclos.gateway.room import Held, Room
from enclos.gateway.tokens import Token
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_KEPT_SECONDS = 120.0
_MOST_ANSWERS = 8
_MOST_PREPARED, _PREPARED_SECONDS = 64, 3600.0


@dataclass(slots=True)
class Prepared:
    """A statement with the values that it was given last."""

    caller: Caller
    tokens: Sequence[Token]
    values: list[object] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True, repr=False)
class _Kept:
    caller: Caller
    table: pa.Table
    held: Held
    since: float


class Waiting:
    """What callers left here; what waits for long, or is too much of one person, goes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._one = threading.Lock()
        self._answers: dict[bytes, _Kept] = {}
        self._prepared: dict[bytes, Prepared] = {}

    def require_room(self, caller: Caller) -> None:
        """Whether an answer would find room, asked before it is computed.

        Refuses: GATE_BUSY.
        """
        with self._one:
            self._expire()
            self._room.require(caller.user, yields=self._n_bytes(caller))

    def expire(self) -> None:
        """Forget the answers that waited too long."""
        with self._one:
            self._expire()

    def keep(self, caller: Caller, table: pa.Table) -> bytes:
        """Keep an answer; its ticket. A person's own that wait make room for it, the oldest first; nobody else's do.

        Refuses: GATE_BUSY.
        """
        with self._one:
            self._expire()
            for ticket, _ in self._own(caller)[: 1 - _MOST_ANSWERS]:
                self._drop(ticket)
            held = self._held(caller, table.nbytes)
            ticket = secrets.token_bytes(16)
            self._answers[ticket] = _Kept(caller, table, held, time.monotonic())
            return ticket

    def fetch(self, caller: Caller, ticket: bytes) -> pa.RecordBatchReader:
        """The answer, once, for who asked; its room is given back when its last part was taken, or nobody takes more.

        Refuses: GATE_COMMAND.
        """
        with self._one:
            self._expire()
            kept = self._answers.get(ticket)
            if kept is None or kept.caller != caller:
                raise refusal(
                    Code.GATE_COMMAND,
                    "No answer of this ticket waits for you.",
                    "Ask again: one is fetched once, within two minutes, and your later ones can take its place.",
                )
            del self._answers[ticket]
        parts = (part for part in kept.table.to_batches())
        weakref.finalize(parts, kept.held.release)
        return pa.RecordBatchReader.from_batches(kept.table.schema, parts)

    def prepare(self, caller: Caller, tokens: Sequence[Token]) -> bytes:
        """Keep a statement; its handle.

        Refuses: GATE_BUSY.
        """
        with self._one:
            now = time.monotonic()
            self._prepared = {key: kept for key, kept in self._prepared.items() if now - kept.since < _PREPARED_SECONDS}
            if sum(kept.caller.user == caller.user for kept in self._prepared.values()) >= _MOST_PREPARED:
                raise refusal(Code.GATE_BUSY, "Too many statements are prepared.", "Close some.")
            handle = secrets.token_bytes(16)
            self._prepared[handle] = Prepared(caller, tokens)
            return handle

    def prepared(self, caller: Caller, handle: bytes) -> Prepared:
        """The statement of a handle, for who prepared it.

        Refuses: GATE_COMMAND.
        """
        with self._one:
            kept = self._prepared.get(handle)
            if kept is None or kept.caller != caller:
                raise not_here()
            return kept

    def close(self, caller: Caller, handle: bytes) -> None:
        """Forget a statement."""
        self.prepared(caller, handle)
        with self._one:
            self._prepared.pop(handle, None)

    # -- inside

    def _own(self, caller: Caller) -> list[tuple[bytes, _Kept]]:
        """The answers of a person that wait, the oldest first."""
        return [(ticket, kept) for ticket, kept in self._answers.items() if kept.caller.user == caller.user]

    def _n_bytes(self, caller: Caller) -> int:
        return sum(kept.held.n_bytes for _, kept in self._own(caller))

    def _held(self, caller: Caller, n_bytes: int) -> Held:
        self._room.require(caller.user, n_bytes, yields=self._n_bytes(caller))
        own = iter(self._own(caller))
        while True:
            try:
                return self._room.hold(caller.user, n_bytes)
            except Refusal:
                oldest = next(own, None)
                if oldest is None:
                    raise
                self._drop(oldest[0])

    def _expire(self) -> None:
        now = time.monotonic()
        for ticket in [key for key, kept in self._answers.items() if now - kept.since >= _KEPT_SECONDS]:
            self._drop(ticket)

    def _drop(self, ticket: bytes) -> None:
        self._answers.pop(ticket).held.release()


def not_here() -> Refusal:
    """The refusal of a handle that is not the caller's, or no more."""
    return refusal(Code.GATE_COMMAND, "There is nothing of this name here for you.", "Ask again.")
