"""The ledger, as anyone may check it: public files and a public key, no passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.paths import EnclosurePaths
from enclos.app.settings import read_settings
from enclos.ledger.model import Entry, LedgerReport
from enclos.ledger.ports import LedgerReader
from enclos.ledger.rules.notes import read_verifying_key
from enclos.ledger.rules.tiles import VERIFYING_KEY
from enclos.ledger.steps import verify_ledger
from enclos.ledger.steps import witness as look
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.ledger_files import LedgerFiles, WitnessFiles


def verify(folder: Path, *, key: str = "", witnessed: Path | None = None) -> dict[str, Any]:
    """Prove that nothing in the ledger was altered, lost or reordered.

    In: key — the verifying key in C2SP's one-line form that the caller trusts; without it the key beside the ledger is
        used, which shows damage but not an operator who signs another history; witnessed — a witness's memory.
    Refuses: the first fault found.
    """
    store, origin, public_key = _opened(folder, key)
    checkpoint = WitnessFiles(witnessed).recall() if witnessed else None
    if witnessed and checkpoint is None:
        raise refusal(
            Code.LEDGER_UNSIGNED,
            "This witness has not seen the ledger yet: it has nothing to compare with.",
            "Name the folder that was given to `enclos ledger witness --state`.",
        )
    report = verify_ledger(store, public_key, origin, checkpoint)
    return _as_json(report) | {
        "key": "given" if key else "found beside the ledger",
        "witnessed": checkpoint is not None,
    }


def show_last(enclosure: Enclosure, n_entries: int) -> dict[str, Any]:
    """The last entries, oldest first; persons are salted digests."""
    size = enclosure.ledger.size()
    entries = enclosure.ledger.entries(max(0, size - n_entries))
    return {"size": size, "entries": [_row(index, entry) for index, entry in entries]}


def witness(folder: Path, state: Path, *, key: str = "") -> dict[str, Any]:
    """Remember the ledger's checkpoint if the ledger still contains the one remembered.

    In: key — the verifying key that the witness trusts; without it the first look believes the key beside the ledger.
    Refuses: LEDGER_FORKED, LEDGER_UNSIGNED.
    """
    store, origin, public_key = _opened(folder, key)
    checkpoint = look(store, WitnessFiles(state), public_key, origin)
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}


def _opened(folder: Path, key: str) -> tuple[LedgerReader, str, bytes]:
    settings = read_settings(folder)
    store = LedgerFiles(EnclosurePaths(folder).ledger)
    line = key.encode("utf-8") if key else store.read(VERIFYING_KEY)
    if line is None:
        raise refusal(
            Code.LEDGER_MISSING, "The ledger's verifying key is missing.", "Give the key that you trust: --key."
        )
    name, public_key = read_verifying_key(line.decode("utf-8", errors="replace"))
    if name != settings.ledger.origin:
        raise refusal(Code.LEDGER_UNSIGNED, "The verifying key belongs to another ledger.", "Give this ledger's key.")
    return store, settings.ledger.origin, public_key


def _as_json(report: LedgerReport) -> dict[str, Any]:
    return {
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "n_open": report.n_open,
        "last_at": report.last_at.isoformat() if report.last_at else None,
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
