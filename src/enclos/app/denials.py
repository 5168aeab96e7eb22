"""Refusals of people over the web that no intent tells of: in the ledger, but nobody can fill it with them."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from enclos.app.enclosure import Enclosure
from enclos.ledger.model import Action, Fact
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, Refusal
from enclos.stores.permit_files import PermitFiles

NOBODY = "nobody"
"""Who shows a token that is none, or sends a form from elsewhere without being signed in."""
_QUIET_SECONDS, _QUIET_SECONDS_OF_NOBODY = 10.0, 60.0
_NO_DENIALS = {
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

    Strangers together are one person, with an entry a minute at most: so many nobody can fill a ledger with.
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
            quiet = _QUIET_SECONDS_OF_NOBODY if user == NOBODY else _QUIET_SECONDS
            last, n_since = self._last.get(user, (-quiet, 0))
            is_due = now - last >= quiet
            self._last[user] = (now, 0) if is_due else (last, n_since + 1)
        if is_due:
            known = permit if permit in PermitFiles(enclosure.paths.permits).ids() else None
            facts: dict[str, Fact] = {"via": via, "code": refused.code.id, "n_before": n_since}
            enclosure.ledger.record(Action.DENIED, user, known, facts)
