"""Answers that wait to be fetched and statements that wait for their values, each for who asked."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from enclos.gateway.model import Caller
from enclos.gateway.statements import Token
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_KEPT_SECONDS = 120.0
_MOST_ANSWERS, _MOST_BYTES = 8, 512 << 20
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
    since: float


class Waiting:
    """What callers left here; what waits for long, or is too much, goes."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._answers: dict[bytes, _Kept] = {}
        self._prepared: dict[bytes, Prepared] = {}

    def keep(self, caller: Caller, table: pa.Table) -> bytes:
        """Keep an answer; its ticket.

        Refuses: GATE_BUSY when too much waits.
        """
        with self._one:
            now = time.monotonic()
            self._answers = {key: kept for key, kept in self._answers.items() if now - kept.since < _KEPT_SECONDS}
            own = sum(kept.caller.user == caller.user for kept in self._answers.values())
            n_bytes = sum(kept.table.nbytes for kept in self._answers.values()) + table.nbytes
            if own >= _MOST_ANSWERS or n_bytes > _MOST_BYTES:
                raise refusal(Code.GATE_BUSY, "Too many answers wait to be fetched.", "Fetch them, then ask again.")
            ticket = secrets.token_bytes(16)
            self._answers[ticket] = _Kept(caller, table, now)
            return ticket

    def fetch(self, caller: Caller, ticket: bytes) -> pa.Table:
        """The answer, once, for who asked.

        Refuses: GATE_COMMAND.
        """
        with self._one:
            kept = self._answers.get(ticket)
            if kept is None or kept.caller != caller or time.monotonic() - kept.since >= _KEPT_SECONDS:
                raise not_here()
            del self._answers[ticket]
            return kept.table

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


def not_here() -> Refusal:
    """The refusal of a handle or ticket that is not the caller's, or no more."""
    return refusal(Code.GATE_COMMAND, "There is nothing of this name here for you.", "Ask again.")
