"""Statements that people ask from a page: they go on while the page waits, end when their person says so, and what they
gave lies in memory alone.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from enclos.app.apart import Apart
from enclos.app.sql import Answer, ask
from enclos.app.turns import stopped
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.portal.opened import Opened

MOST_BYTES = 8 << 20
"""Of an answer that is kept for its person to look at: as over REST."""
_KEPT_EACH, _KEPT_ROWS, _KEPT_IN_ALL = 20, 2, 200
"""Statements of a person, those of them whose rows are kept, and all of everybody's."""
_SHORT_SECONDS = 1.5
"""So long a page waits before it is answered that the statement goes on."""


@dataclass(eq=False, slots=True)
class Statement(Apart):
    """A statement, and what came of it."""

    id: str
    user: str
    permit: str
    text: str = field(repr=False)
    at: datetime
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    answer: Answer | None = field(default=None, repr=False)
    n_rows: int | None = None

    @property
    def state(self) -> str:
        """Where it is, in the words of long work; ``gone`` when its rows are kept no more."""
        if not self.is_over:
            return "running"
        if self.refused is not None:
            return "cancelled" if self.refused.code is Code.GATE_STOPPED else "refused"
        if self.n_rows is None:
            return "failed"
        return "gone" if self.answer is None else "done"


class Statements:
    """All statements of one process; who asked one sees it, and nobody else."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Statement] = OrderedDict()

    def begin(self, user: str, permit: str, text: str) -> Statement:
        """Ask a statement; a short one is over when this returns."""
        made = Statement(secrets.token_hex(8), user, permit, text, datetime.now(UTC))
        with self._lock:
            self._kept[made.id] = made
            self._forget(user)
        made.begin(lambda: self._ask(made), "statement")
        made.ended.wait(_SHORT_SECONDS)
        return made

    def of(self, user: str, permit: str) -> list[Statement]:
        """A person's statements under a permit, newest first."""
        with self._lock:
            return [each for each in reversed(self._kept.values()) if (each.user, each.permit) == (user, permit)]

    def one(self, user: str, permit: str, id_: str) -> Statement:
        """One of them.

        Refuses: JOB_UNKNOWN.
        """
        found = self._kept.get(id_)
        if found is None or (found.user, found.permit) != (user, permit):
            raise refusal(Code.JOB_UNKNOWN, "You asked no such statement lately.", "Ask it again.")
        return found

    def cancel(self, statement: Statement) -> None:
        """End a statement; one that is over stays as it is."""
        statement.stop.set()
        statement.ended.wait(_SHORT_SECONDS)

    # -- inside

    def _ask(self, one: Statement) -> None:
        def still() -> None:
            if one.stop.is_set() or self._opened.is_ending.is_set():
                raise stopped()

        with self._opened.statements.turn(one, one.stop), self._opened.use() as (enclosure, _):
            answer = ask(enclosure, permit=one.permit, user=one.user, text=one.text, also=still)
        if answer.table.nbytes > MOST_BYTES:
            raise refusal(Code.SQL_LIMIT, "The answer is too large for a page.", "Ask for less, or by the gateway.")
        one.answer, one.n_rows = answer, answer.table.num_rows

    def _forget(self, user: str) -> None:
        """The oldest go: rows first, then what was asked."""
        own = [each for each in reversed(self._kept.values()) if each.user == user]
        for at, each in enumerate(own, start=1):
            if at > _KEPT_ROWS:
                each.answer = None
            if at > _KEPT_EACH and each.is_over:
                del self._kept[each.id]
        over = [each for each in self._kept.values() if each.is_over]
        for each in over[: max(0, len(self._kept) - _KEPT_IN_ALL)]:
            del self._kept[each.id]
