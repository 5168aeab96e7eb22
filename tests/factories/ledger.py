"""One-line builders of ledgers, their keys and their clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclos.ledger.model import Action, Entry, Outcome
from enclos.ledger.ports import LedgerStore, Pace
from enclos.ledger.rules.notes import verifying_key
from enclos.ledger.steps import Ledger
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey

ORIGIN = "ledger.example/emc2"
ALICE = "alice@example.org"
PERMIT = "FR-2026-0042"
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
SALT = SecretKey(KeyName(KeyRole.LEDGER_SALT), bytes(range(32)))


class SeedSigner:
    """A signer whose key comes from a seed."""

    def __init__(self, seed: int = 7) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class SteppingClock:
    """A clock that moves on by a step each time it is looked at."""

    def __init__(self, at: datetime = START, step: timedelta = timedelta(milliseconds=5)) -> None:
        self.at = at
        self.step = step

    def now(self) -> datetime:
        self.at += self.step
        return self.at


class MachineClock:
    """The machine's clock, for processes that run side by side."""

    def now(self) -> datetime:
        return datetime.now(UTC)


PUBLIC_KEY = SeedSigner().public_key()
VERIFYING_KEY = verifying_key(ORIGIN, PUBLIC_KEY)


def begun(store: LedgerStore, *, seed: int = 7, clock: Any = None, origin: str = ORIGIN) -> Ledger:
    """A new ledger in the store."""
    return Ledger.create(store, SeedSigner(seed), clock or SteppingClock(), SALT, origin)


def opened(
    store: LedgerStore, *, seed: int = 7, clock: Any = None, origin: str = ORIGIN, pace: Pace | None = None
) -> Ledger:
    """The ledger in the store, opened by a new process."""
    late = SteppingClock(START + timedelta(days=1))
    return Ledger.open(store, SeedSigner(seed), clock or late, SALT, origin, pace)


def filled(ledger: Ledger, n_entries: int) -> Ledger:
    """The ledger with that many more entries: studies with their outcomes, now and then an event."""
    n_before = ledger.size()
    while ledger.size() < n_before + n_entries:
        n = ledger.size()
        if n % 7 == 3 or n == n_before + n_entries - 1:
            ledger.record(Action.LOGIN, ALICE, facts={"n": n})
        else:
            ledger.intent(Action.STUDY, ALICE, PERMIT, {"snapshot": n}).outcome(Outcome.DONE, {"n_rows": n})
    return ledger


def entries_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The indices of the entries that are read from now on, of whichever ledger; the list grows as they are."""
    met: list[int] = []
    entries = Ledger.entries

    def reading(ledger: Ledger, start: int = 0) -> Iterator[tuple[int, Entry]]:
        for index, entry in entries(ledger, start):
            met.append(index)
            yield index, entry

    monkeypatch.setattr(Ledger, "entries", reading)
    return met
