"""The whole ledger verified while somebody watches: every file read, in a thread, with how far it is and a limit."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from enclos.app.apart import Apart
from enclos.app.enclosure import Enclosure
from enclos.ledger.model import LedgerReport
from enclos.ledger.ports import LedgerReader
from enclos.ledger.rules.notes import COSIGNATURE, read_cosigned, read_verifying_key, verifying_key
from enclos.ledger.rules.tiles import CHECKPOINT, WIDTH
from enclos.ledger.steps import examine_ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.ledger_files import LedgerFiles

SECONDS = 300
"""How long one may take; a longer ledger is verified by `enclos ledger verify`."""
_ENTRIES = "tile/entries/"


@dataclass(slots=True)
class Verification(Apart):
    """One verification: how far it is, and what it found."""

    started_at: datetime
    n_bundles: int = 1
    n_read: int = 0
    seconds: float = 0.0
    key: str = ""
    witness: str = ""
    """The witness whose memory the ledger was compared with."""
    witnessed_at: str = ""
    witnessed_size: int = 0
    report: LedgerReport | None = None

    @property
    def share(self) -> float:
        """The share of entries that were read, from 0 to 1."""
        return 1.0 if self.is_over else min(self.n_read / self.n_bundles, 0.99)

    def as_json(self) -> dict[str, Any]:
        """What is told of it."""
        report = self.report
        return {
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "is_over": self.is_over,
            "share": round(self.share, 3),
            "seconds": round(self.seconds, 1),
            "key": self.key,
            "witness": self.witness,
            "witnessed_at": self.witnessed_at,
            "witnessed_size": self.witnessed_size,
            "is_sound": report is not None and report.is_sound,
            "size": report.size if report else 0,
            "root": report.root.hex() if report else "",
            "last_at": report.last_at.isoformat(timespec="seconds") if report and report.last_at else "",
            "n_open": report.n_open if report else 0,
            "n_seals": report.n_seals if report else 0,
            "n_entries": {action.value: n for action, n in report.n_entries.items()} if report else {},
            "faults": [{"code": fault.code.id, "what": fault.what} for fault in report.faults] if report else [],
        }


class Verifications:
    """The verifications of one process: one at a time, and the last one is remembered."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last: Verification | None = None

    @property
    def last(self) -> Verification | None:
        """The one that runs, or ran last."""
        return self._last

    def begin(self, enclosure: Enclosure, *, key: str = "", note: str = "", witness: str = "") -> Verification:
        """Begin one, unless one runs; what is read are the published files alone.

        In: key — the verifying key that the auditor trusts, in C2SP's one-line form; the enclosure's own where none is
            given; note, witness — a checkpoint that a witness signed, and its verifying key: the ledger must contain it
        Refuses: LEDGER_UNSIGNED when a key or the witness's note is none, or not of this ledger.
        """
        ledger = enclosure.ledger
        ledger.checkpoint()  # all that is durable is published before it is read
        trusted = key.strip() or verifying_key(ledger.origin, ledger.public_key)
        origin, public_key = read_verifying_key(trusted)
        if origin != ledger.origin:
            raise refusal(Code.LEDGER_UNSIGNED, "The verifying key belongs to another ledger.", "Give this ledger's.")
        begun = Verification(datetime.now(UTC).replace(microsecond=0), key=trusted)
        remembered: bytes | None = None
        if note.strip() or witness.strip():
            begun.witness, witness_key = read_verifying_key(witness.strip(), COSIGNATURE)
            remembered = (note.replace("\r\n", "\n").strip("\n") + "\n").encode("utf-8")
            seen, at = read_cosigned(remembered, origin, begun.witness, witness_key)
            begun.witnessed_at, begun.witnessed_size = at.isoformat(timespec="seconds"), seen.size
        with self._lock:
            if self._last is not None and not self._last.is_over:
                return self._last
            self._last = begun
        reader = _Watched(LedgerFiles(enclosure.paths.ledger), begun, self._seconds)
        begun.begin(lambda: _verify(reader, begun, public_key, origin, remembered), "verify")
        return begun


def _verify(reader: _Watched, begun: Verification, public_key: bytes, origin: str, remembered: bytes | None) -> None:
    started = monotonic()
    try:
        begun.report = examine_ledger(reader, public_key, origin, remembered)
    except Refusal:
        raise
    except _TooLongError:
        raise refusal(
            Code.LEDGER_DAMAGED,
            "Verifying took too long and was given up: nothing is known.",
            "Run `enclos ledger verify`, which takes its time.",
        ) from None
    except Exception:  # noqa: BLE001 - whatever happens, who waits is told, and nothing is called sound
        raise refusal(Code.LEDGER_DAMAGED, "The ledger could not be read.", "Run `enclos ledger verify`.") from None
    finally:
        begun.seconds = monotonic() - started


class _TooLongError(Exception):
    """The time is over; no refusal, which would count as a fault of the ledger."""


class _Watched:
    """The files as they were when the reading began, counted while they are read, until the time is over."""

    def __init__(self, files: LedgerReader, begun: Verification, seconds: float) -> None:
        self._files, self._begun = files, begun
        self._until = monotonic() + seconds
        self._checkpoint = files.read(CHECKPOINT)
        lines = (self._checkpoint or b"").split(b"\n")
        size = int(lines[1]) if len(lines) > 1 and lines[1].isdigit() else 0
        begun.n_bundles = max(1, -(-size // WIDTH))

    def read(self, name: str) -> bytes | None:
        """A file; what was signed while this goes on is not looked at."""
        if monotonic() > self._until:
            raise _TooLongError
        if name.startswith(_ENTRIES):
            self._begun.n_read += 1
        return self._checkpoint if name == CHECKPOINT else self._files.read(name)

    def names(self, under: str) -> Iterable[str]:
        """The names of all files below a folder."""
        return self._files.names(under)
