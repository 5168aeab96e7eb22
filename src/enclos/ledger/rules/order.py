"""What may follow what: time never runs back, and an outcome closes one earlier intent of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from enclos.ledger.model import Entry, Kind


def is_behind(now: datetime, last_at: datetime | None) -> bool:
    """Whether the clock shows an instant before the last entry's."""
    return last_at is not None and now < last_at


def fault_in_order(entry: Entry, last_at: datetime | None, open_intents: Mapping[int, Entry]) -> str:
    """What is wrong with an entry at its place, in words; empty when nothing is."""
    if is_behind(entry.at, last_at):
        return "is earlier than the entry before it"
    if entry.kind is not Kind.OUTCOME:
        return ""
    intent = None if entry.intent is None else open_intents.get(entry.intent)
    if intent is None:
        return "is an outcome without an open intent before it"
    if (intent.action, intent.actor, intent.permit) != (entry.action, entry.actor, entry.permit):
        return "is the outcome of another intent than the one that it names"
    return ""
