"""The ledger for who audits it: found by what, who, when and how it ended; one entry with its proof; seals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.monthly import known_names
from enclos.app.recent import Recent
from enclos.app.salts import ledger_digests
from enclos.ledger.model import Action, Entry, Kind, Outcome
from enclos.ledger.rules.entries import entry_bytes
from enclos.ledger.rules.notes import check_proof, proof_text, read_unsigned, verifying_key
from enclos.ledger.rules.tiles import SEALS, seal_of, sealed_day
from enclos.ledger.steps import Ledger
from enclos.stores.files import write_atomically
from enclos.stores.ledger_files import LedgerFiles

ROWS = 50
MOST_READ = 4096
"""Entries that are read for one page: what is sought further back is asked for anew, from there."""
_WINDOW = 512
_SEALS_SHOWN = 31
NO_OUTCOME, MARKED = "none", "marked"
ACTIONS = tuple(action.value for action in Action)
OUTCOMES = (*(outcome.value for outcome in Outcome), NO_OUTCOME, MARKED)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; what is empty is not asked.

    In: actor — an id, or the beginning of a digest as entries show it; outcome — a word of an outcome; ``none`` for
        what was begun and has none; ``marked`` for that, for what broke off and for what ended while the clock was
        behind; since, until — days, both within
    """

    action: str = ""
    actor: str = ""
    permit: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None


def explore(enclosure: Enclosure, sought: Sought, before: int | None = None, rows: int | None = None) -> dict[str, Any]:
    """Acts, newest first: how something ended, what happened at once, and what was begun and has no outcome.

    In: before — the entry before which to look; the end of the ledger when not given
    Out: size, acts (at most as many as rows, else ROWS), older, the entry before which to look on (none at the ledger's
        beginning), n_read
    Never: reads more than MOST_READ entries, and as many again to find how those ended whose end is not among them;
        what then is not known is told as ``later``.
    """
    ledger = enclosure.ledger
    size = ledger.size()
    end = size if before is None else max(0, min(before, size))
    if sought.until is not None:
        end = min(end, _first_at(ledger, sought.until + timedelta(days=1), size))
    start = 0 if sought.since is None else _first_at(ledger, sought.since, size)
    wanted = _Wanted(enclosure, sought)
    names = known_names(enclosure)
    lowest, most = max(start, end - MOST_READ), ROWS if rows is None else rows
    acts: list[dict[str, Any]] = []
    ended: set[int] = set()
    at = end
    for index, entry in _backwards(enclosure.marks.recent, lowest, end):
        if entry.intent is not None:
            ended.add(entry.intent)
        if len(acts) == most:
            break
        at = index
        is_open = entry.kind is Kind.INTENT and index not in ended
        if (entry.kind is not Kind.INTENT or is_open) and wanted.fits(entry, is_open=is_open):
            acts.append(_act(index, entry, names, is_open=is_open))
    else:
        at = lowest
    open_acts = {act["index"]: act for act in acts if act["outcome"] == NO_OUTCOME}
    if open_acts and end < size:
        _settle(enclosure.marks.recent, open_acts, end, size)
        acts = [act for act in acts if act["outcome"] != "ended"]
    return {"size": size, "acts": acts, "older": at if at > start else None, "n_read": max(0, end - at)}


def _settle(recent: Recent, acts: dict[int, dict[str, Any]], end: int, size: int) -> None:
    """Those whose outcome lies beyond the page are told there; of those not met in time nothing is claimed."""
    for _, entry in recent.between(end, end + MOST_READ):
        if entry.intent in acts:
            acts[entry.intent]["outcome"] = "ended"
    if size - end > MOST_READ:
        for act in acts.values():
            if act["outcome"] == NO_OUTCOME:
                act["outcome"] = "later"


def show_entry(enclosure: Enclosure, index: int) -> dict[str, Any] | None:
    """One entry as it was hashed, with the proof that it stands in the ledger, checked.

    Out: act, entry (canonical JSON), facts, intent or outcome (the index of the other of the two), path (how many
        hashes), proof (the file, C2SP tlog-proof), key, size
    Empty: None when there is no such entry
    Refuses: LEDGER_DAMAGED when the proof does not hold.
    """
    ledger = enclosure.ledger
    size = ledger.size()
    if not 0 <= index < size:
        return None
    entry = next(found for _, found in ledger.entries(index))
    text = entry_bytes(entry)
    proof = ledger.prove(index)
    proved = check_proof(proof, text, ledger.origin, ledger.public_key)
    is_intent = entry.kind is Kind.INTENT
    later = islice(ledger.entries(index + 1), MOST_READ) if is_intent else ()
    ended = next((at for at, each in later if each.intent == index), None)
    act = _act(index, entry, known_names(enclosure), is_open=is_intent)
    if is_intent:
        act["outcome"] = "ended" if ended is not None else NO_OUTCOME if size - index <= MOST_READ else "later"
    return {
        "act": act,
        "kind": entry.kind.value,
        "entry": text.decode("utf-8"),
        "facts": dict(entry.facts),
        "intent": entry.intent,
        "ended": ended,
        "n_hashes": len(proof.path),
        "proof": proof_text(proof).decode("utf-8"),
        "key": verifying_key(ledger.origin, ledger.public_key),
        "size": proved.size,
    }


def keep_proof(shown: Mapping[str, Any], path: Path) -> None:
    """Write the proof of an entry (``show_entry``) as a file."""
    write_atomically(path, str(shown["proof"]).encode("utf-8"), "the proof")


def state_of(enclosure: Enclosure) -> dict[str, Any]:
    """The ledger's head and its seals, as they lie there.

    Out: origin, key, size, checkpoint, last_at, n_seals, first_seal, seals (day, entries at its end), the newest first
    Never: says that a seal holds; verifying does.
    """
    ledger = enclosure.ledger
    checkpoint, last_at = ledger.checkpoint(), ledger.last_at()
    files = LedgerFiles(enclosure.paths.ledger)
    days = sorted(day for name in files.names(SEALS) if (day := sealed_day(name)) is not None)
    seals = [
        {"day": day.isoformat(), "size": read_unsigned(files.read(seal_of(day)) or b"", ledger.origin).size}
        for day in days[: -_SEALS_SHOWN - 1 : -1]
    ]
    return {
        "origin": ledger.origin,
        "key": verifying_key(ledger.origin, ledger.public_key),
        "size": int(checkpoint.decode("utf-8").splitlines()[1]),
        "checkpoint": checkpoint.decode("utf-8"),
        "last_at": last_at.isoformat() if last_at else None,
        "n_seals": len(days),
        "first_seal": days[0].isoformat() if days else None,
        "seals": seals,
    }


class _Wanted:
    def __init__(self, enclosure: Enclosure, sought: Sought) -> None:
        self._sought = sought
        self._digests = frozenset(ledger_digests(enclosure, sought.actor) if sought.actor else ())

    def fits(self, entry: Entry, *, is_open: bool) -> bool:
        sought = self._sought
        outcome = NO_OUTCOME if is_open else entry.outcome.value if entry.outcome else ""
        is_actor = not sought.actor or entry.actor in self._digests or entry.actor.startswith(_digest(sought.actor))
        return (
            is_actor
            and sought.action in {"", entry.action.value}
            and sought.permit in {"", entry.permit, entry.facts.get("permit")}
            and (sought.outcome in {"", outcome} or (sought.outcome == MARKED and _is_marked(entry, is_open=is_open)))
        )


def _digest(text: str) -> str:
    """A digest's beginning; what is none begins no digest."""
    return text if text.startswith("salted:") and len(text) > len("salted:") else "\0"


def _act(index: int, entry: Entry, names: dict[str, str], *, is_open: bool) -> dict[str, Any]:
    said = entry.facts.get("permit"), entry.facts.get("code") if entry.action is Action.DENIED else None
    permit, code = (None if each is None else str(each) for each in said)
    return {
        "index": index,
        "at": entry.at.isoformat(timespec="seconds"),
        "action": entry.action.value,
        "by": names.get(entry.actor, ""),
        "actor": entry.actor,
        "permit": entry.permit or permit,
        "outcome": NO_OUTCOME if is_open else entry.outcome.value if entry.outcome else None,
        "code": entry.code or code,
        "of": entry.intent,
        "is_marked": _is_marked(entry, is_open=is_open),
    }


def _is_marked(entry: Entry, *, is_open: bool) -> bool:
    return is_open or entry.outcome in {Outcome.INTERRUPTED, Outcome.FAILED} or "clock_behind_ms" in entry.facts


def _backwards(recent: Recent, start: int, end: int) -> Iterator[tuple[int, Entry]]:
    """Entries from the one before ``end`` back to ``start``."""
    while end > start:
        begin = max(start, end - _WINDOW)
        yield from reversed(recent.between(begin, end))
        end = begin


class _Times:
    """When entries were made, by their index."""

    def __init__(self, ledger: Ledger, size: int) -> None:
        self._ledger, self._size = ledger, size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int) -> datetime:
        return next(entry.at for _, entry in self._ledger.entries(index))


def _first_at(ledger: Ledger, day: date, size: int) -> int:
    """The first entry of a day or later, or the ledger's end."""
    return bisect_left(_Times(ledger, size), datetime(day.year, day.month, day.day, tzinfo=UTC))
