"""What goes on in the enclosure now, as the ledger tells it: what was begun and has not ended."""

from __future__ import annotations

from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.ledger.model import Kind
from enclos.ledger.rules.acts import Act, acts_of

LOOKED_BACK = 2_000
"""Entries of the ledger that are read: what began before them is not told."""
_MOST_ENDED = 20


def running_work(enclosure: Enclosure) -> dict[str, Any]:
    """What was begun in the last entries of the ledger and has not ended, the oldest first; and what ended last.

    Work whose process died is among it until somebody opens the enclosure next.
    Out: running (action, at, permit, entry); ended (the same, ended_at, outcome, code), the last first; looked_back
    """
    size = enclosure.ledger.size()
    entries = enclosure.marks.recent.between(max(0, size - LOOKED_BACK), size)
    closed = {entry.intent for _, entry in entries if entry.kind is Kind.OUTCOME}
    running = [(index, entry) for index, entry in entries if entry.kind is Kind.INTENT and index not in closed]
    begun = ((index, entry) for index, entry in entries if entry.kind is not Kind.EVENT)
    ended = sorted((act for act in acts_of(begun) if act.ended_at), key=lambda act: act.index, reverse=True)
    return {
        "running": [
            {"action": entry.action.value, "at": entry.at.isoformat(), "permit": entry.permit, "entry": index}
            for index, entry in running
        ],
        "ended": [_ended(act) for act in ended[:_MOST_ENDED]],
        "looked_back": LOOKED_BACK,
    }


def _ended(act: Act) -> dict[str, Any]:
    return {
        "action": act.action.value,
        "at": act.at.isoformat(),
        "permit": act.permit,
        "entry": act.index,
        "ended_at": act.ended_at.isoformat() if act.ended_at else None,
        "outcome": act.outcome.value if act.outcome else None,
        "code": act.code,
    }
