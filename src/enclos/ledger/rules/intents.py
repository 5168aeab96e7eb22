"""Intents and their outcomes among entries: which are open, and where one ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from enclos.ledger.model import Entry, Kind


def open_intents(entries: Iterable[tuple[int, Entry]], living: Collection[str]) -> dict[int, Entry]:
    """The intents that have no outcome, by index, but for those of sessions that live.

    In: entries — index and entry, in order; living — the ids of these sessions
    """
    intents: dict[int, Entry] = {}
    for index, entry in entries:
        if entry.kind is Kind.INTENT and entry.session not in living:
            intents[index] = entry
        elif entry.intent is not None:
            intents.pop(entry.intent, None)
    return intents


def outcome_of(intent: int, entries: Iterable[tuple[int, Entry]]) -> int | None:
    """The index of an intent's outcome; None where it is not among the entries."""
    return next((index for index, entry in entries if entry.intent == intent), None)
