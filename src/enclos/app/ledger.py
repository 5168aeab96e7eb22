"""The ledger, as anyone may check it: public files and a public key, no passphrase."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure, SystemClock
from enclos.app.paths import EnclosurePaths
from enclos.app.settings import SETTINGS_FILE, read_settings
from enclos.ledger.model import Entry, LedgerReport
from enclos.ledger.ports import LedgerReader
from enclos.ledger.rules.notes import (
    COSIGNATURE,
    cosigned_at,
    read_checkpoint,
    read_verifying_key,
    verifying_key,
)
from enclos.ledger.rules.tiles import CHECKPOINT, VERIFYING_KEY
from enclos.ledger.steps import verify_ledger
from enclos.ledger.steps import witness as look
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.ledger_files import LedgerFiles
from enclos.stores.ledger_url import CopiedLedger, LedgerUrl, is_url
from enclos.stores.witness_files import WitnessFiles


def verify(
    source: str | Path, *, key: str = "", witnessed: Path | None = None, copy: Path | None = None
) -> dict[str, Any]:
    """Prove that nothing in the ledger was altered, lost or reordered.

    In: source — an enclosure, a copy of a ledger's published files, or their web address; key — the verifying key in
        C2SP's one-line form that the caller trusts; without it the key beside the ledger is used, which shows damage
        but not an operator who signs another history; witnessed — a witness's memory; copy — a new folder for all that
        was read, for other verifiers
    Out: also ``listed``: whether files that the checkpoint does not need could be looked at; a web address has no list.
    Refuses: the first fault found.
    """
    store, origin, public_key = _opened(str(source), key)
    if copy:
        store = CopiedLedger(store, copy)
    memory = WitnessFiles(witnessed) if witnessed else None
    note = memory.recall() if memory else None
    seen_at = None
    if memory:
        if note is None:
            raise refusal(
                Code.LEDGER_UNSIGNED,
                "This witness has not seen the ledger yet: it has nothing to compare with.",
                "Name the folder that was given to `enclos ledger witness --state`.",
            )
        line = memory.vkey()
        seen_at = cosigned_at(note, *read_verifying_key(line, COSIGNATURE)) if line else None
    report = verify_ledger(store, public_key, origin, note)
    return _as_json(report) | {
        "key": "given" if key else "found beside the ledger",
        "listed": not is_url(str(source)),
        "witnessed": memory is not None,
        "witnessed_at": seen_at.isoformat() if seen_at else None,
    }


def show_last(enclosure: Enclosure, n_entries: int) -> dict[str, Any]:
    """The last entries, oldest first; persons are salted digests."""
    size = enclosure.ledger.size()
    entries = enclosure.ledger.entries(max(0, size - n_entries))
    return {"size": size, "entries": [_row(index, entry) for index, entry in entries]}


def show_from(enclosure: Enclosure, start: int, n_entries: int) -> dict[str, Any]:
    """Some entries from an index on; persons are salted digests."""
    size = enclosure.ledger.size()
    entries = islice(enclosure.ledger.entries(min(start, size)), n_entries)
    return {"size": size, "entries": [_row(index, entry) for index, entry in entries]}


def witness(source: str, state: Path, *, key: str = "", name: str = "", minutes: int = 5) -> dict[str, Any]:
    """Sign and remember the ledger's checkpoint if the ledger still contains the one remembered.

    In: source — an enclosure's folder, a copy of a ledger's published files, or their web address;
        state — where the witness keeps its memory and its key;
        key — the verifying key that the witness trusts from now on; without it the first look believes the key beside
        the ledger, and later looks the same one, or one that it has handed over to;
        name — what the witness signs under, at its first look; minutes — how far clocks and copies may lag.
    Refuses: LEDGER_FORKED, LEDGER_DISORDERED, LEDGER_UNSIGNED, CLOCK_BEHIND.
    """
    memory = WitnessFiles(state)
    beside, store = _published(source)
    trusted = key or memory.trusted() or beside
    origin, public_key = read_verifying_key(trusted)
    cosigner = memory.key(name)
    seen = look(store, memory, public_key, origin, cosigner, SystemClock(), timedelta(minutes=minutes))
    if not key and beside.strip() != trusted.strip() and _is_signed_by(store, origin, beside):
        trusted = beside  # the key was rotated, and the old one signed this checkpoint beside the new one
    memory.trust(trusted.strip() + "\n")
    return {
        "origin": origin,
        "size": seen.checkpoint.size,
        "root": seen.checkpoint.root.hex(),
        "at": seen.at.isoformat(),
        "witness": verifying_key(cosigner.name, cosigner.public_key(), COSIGNATURE),
        "cosigned": str(state / "checkpoint"),
    }


def _is_signed_by(store: LedgerReader, origin: str, line: str) -> bool:
    try:
        name, public_key = read_verifying_key(line)
        return name == origin and bool(read_checkpoint(store.read(CHECKPOINT) or b"", origin, public_key))
    except Refusal:
        return False


def _published(source: str) -> tuple[str, LedgerReader]:
    """The verifying key that lies beside a ledger, and its files."""
    store: LedgerReader = LedgerUrl(source) if is_url(source) else LedgerFiles(_ledger_folder(Path(source)))
    line = store.read(VERIFYING_KEY)
    if line is None:
        raise refusal(
            Code.LEDGER_MISSING, "The ledger's verifying key is missing.", "Give the key that you trust: --key."
        )
    return line.decode("utf-8", errors="replace"), store


def _ledger_folder(folder: Path) -> Path:
    """The ledger of an enclosure, or the folder itself when it is a copy of one."""
    is_copy = not (folder / SETTINGS_FILE).exists() and (folder / CHECKPOINT).exists()
    return folder if is_copy else EnclosurePaths(folder).ledger


def _opened(source: str, key: str) -> tuple[LedgerReader, str, bytes]:
    beside, store = _published(source)
    name, public_key = read_verifying_key(key or beside)
    is_enclosure = not is_url(source) and _ledger_folder(Path(source)) != Path(source)
    if is_enclosure and name != read_settings(Path(source)).ledger.origin:
        raise refusal(Code.LEDGER_UNSIGNED, "The verifying key belongs to another ledger.", "Give this ledger's key.")
    return store, name, public_key


def _as_json(report: LedgerReport) -> dict[str, Any]:
    return {
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "n_open": report.n_open,
        "last_at": report.last_at.isoformat() if report.last_at else None,
        "n_sealed_days": report.n_seals,
        "n_entries": {action.value: n for action, n in report.n_entries.items()},
    }


def _row(index: int, entry: Entry) -> dict[str, Any]:
    return {
        "index": index,
        "at": entry.at.isoformat(timespec="milliseconds"),
        "kind": entry.kind.value,
        "action": entry.action.value,
        "permit": entry.permit,
        "outcome": entry.outcome.value if entry.outcome else None,
        "code": entry.code,
        "of": entry.intent,
    }
