"""Refusals of people over the web that no intent tells of: in the ledger, but nobody can fill it with them."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from enclos.app.enclosure import Enclosure
from enclos.ledger.model import Action, Fact
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, Refusal
from enclos.stores.permit_files import PermitFiles

_QUIET_SECONDS = 10.0
_NO_DENIALS = {
    Code.SIGN_IN_SLOW,
    Code.SIGN_IN_ANSWER,
    Code.JOB_BUSY,
    Code.JOB_STOPPED,
    Code.JOB_KEY,
    Code.GATE_BUSY,
    Code.GATE_STOPPED,
    Code.SQL_LIMIT,
    Code.ENCLOSURE_BUSY,
    Code.KEY_ROTATING,
}
"""What is not allowed now, but to anybody."""


class Denials:
    """Who was turned away before anything could begin: an entry of a person in ten seconds at most, with how many there
    were since the last.

    Only persons who signed in are told of: there are as many of them as accounts, and of strangers nothing is kept.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: dict[str, tuple[float, int]] = {}

    def tell(self, enclosure: Enclosure, user: str, refused: Refusal, *, via: str, permit: str = "") -> None:
        """Keep a refusal, unless an intent's outcome does or the last of this person was a moment ago.

        In: permit — what the person asked under; another text than a permit's id is left out
        """
        if refused.is_told or not isinstance(refused, NotAllowed) or refused.code in _NO_DENIALS:
            return
        now = monotonic()
        with self._lock:
            last, n_since = self._last.get(user, (-_QUIET_SECONDS, 0))
            is_due = now - last >= _QUIET_SECONDS
            self._last[user] = (now, 0) if is_due else (last, n_since + 1)
        if is_due:
            known = permit if permit in PermitFiles(enclosure.paths.permits).ids() else None
            facts: dict[str, Fact] = {"via": via, "code": refused.code.id, "n_before": n_since}
            enclosure.ledger.record(Action.DENIED, user, known, facts)
