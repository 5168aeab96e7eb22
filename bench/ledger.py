"""How long a query waits for the ledger, alone and among many processes, against a bare synced append in the same run.

Usage: ledger.py [processes] [entries each]; prints one JSON document. An entry counts when it is durable: written ahead
and synced; tiles and signed checkpoint follow within half a second. Waits are of the clock, in milliseconds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclos.ledger.model import Action
from enclos.ledger.steps import Ledger
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.stores.ledger_files import LedgerFiles
from enclos.stores.ledger_pace import Soon

ORIGIN = "bench.example/ledger"
SEED, SALT = b"\x07" * 32, SecretKey(KeyName(KeyRole.LEDGER_SALT), bytes(range(32)))
GOAL_MS = 5.0
BYTES = 300
"""Of an entry, about."""


class Signer:
    """A key in memory."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(SEED)

    def public_key(self) -> bytes:
        """The public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature."""
        return self._key.sign(message)


class Clock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


def main() -> int:
    """Measure, print."""
    n_processes = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    n_each = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with tempfile.TemporaryDirectory(dir=os.environ.get("ENCLOS_BENCH_DIR")) as folder:
        Ledger.create(LedgerFiles(Path(folder)), Signer(), Clock(), SALT, ORIGIN).close()
        alone = write(Path(folder), 4 * n_each)
        started = perf_counter()
        with get_context("spawn").Pool(n_processes) as pool:
            pool.starmap(write, [(Path(folder), 1)] * n_processes)  # started, imported
            started = perf_counter()
            waits = [wait for one in pool.starmap(write, [(Path(folder), n_each)] * n_processes) for wait in one]
            seconds = perf_counter() - started
        bare = plain(Path(folder) / "plain", 4 * n_each)
    rows = [
        {
            "name": "one process waits for its entry, against 5 ms",
            "ratio": round(GOAL_MS / median(alone), 2),
            "goal": 1.0,
            "met": median(alone) <= GOAL_MS,
            "median_ms": round(median(alone), 2),
            "entries_per_second": round(1000 * len(alone) / sum(alone)),
            "bare_appends_per_second": round(1000 * len(bare) / sum(bare)),
            "waits_of_a_bare_append": round(median(alone) / median(bare), 2),
        },
        {
            "name": f"{n_processes} processes wait for theirs, against 5 ms",
            "ratio": round(GOAL_MS / median(waits), 2),
            "goal": 1.0,
            "met": median(waits) <= GOAL_MS,
            "median_ms": round(median(waits), 2),
            "entries_per_second": round(len(waits) / seconds),
        },
    ]
    print(json.dumps(rows, indent=1))
    return 0


def write(folder: Path, n: int) -> list[float]:
    """The milliseconds that each of n entries took."""
    waits = []
    with Ledger.open(LedgerFiles(folder), Signer(), Clock(), SALT, ORIGIN, Soon()) as ledger:
        for number in range(n):
            started = perf_counter()
            ledger.record(Action.SQL, "alice@example.org", "FR-2026-0042", {"snapshot": 3, "n_rows": number})
            waits.append(1000 * (perf_counter() - started))
    return waits


def plain(path: Path, n: int) -> list[float]:
    """The milliseconds that each of n synced appends to one file took."""
    waits = []
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for _ in range(n):
        started = perf_counter()
        os.write(handle, bytes(BYTES))
        os.fdatasync(handle)
        waits.append(1000 * (perf_counter() - started))
    os.close(handle)
    return waits


if __name__ == "__main__":
    sys.exit(main())
