"""Put what callers state into the form of entries: instants that do not run back, persons as salted digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from enclos.ledger.model import Action, Entry, Fact, Kind, Outcome, Written
from enclos.ledger.ports import Clock, LedgerStore
from enclos.ledger.rules.entries import (
    salted_digest,
    subject_name,
    to_the_millisecond,
    written_facts,
    written_text,
)
from enclos.ledger.rules.order import is_behind
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import refusal


class Drafter:
    """Makes entries; the caller holds the ledger's lock and says what the last instant was."""

    def __init__(self, store: LedgerStore, clock: Clock, salt: SecretKey) -> None:
        self._store = store
        self._clock = clock
        self._salt = salt
        self._met_at = clock.now()
        """The instant of the entry that is being made."""

    def __repr__(self) -> str:
        return "Drafter()"

    def instant(self, last_at: datetime | None) -> datetime:
        """The clock's instant, to the millisecond, found not to be behind the last entry.

        Refuses: CLOCK_BEHIND.
        """
        now = to_the_millisecond(self._clock.now())
        if is_behind(now, last_at):
            raise refusal(
                Code.CLOCK_BEHIND,
                "The clock shows an instant before the last entry of the ledger.",
                "Set this machine's clock, then run it again.",
            )
        self._met_at = now
        return now

    def entry(
        self,
        last_at: datetime | None,
        action: Action,
        actor: str,
        permit: str | None,
        facts: Mapping[str, Fact],
        session: str | None = None,
    ) -> Entry:
        """An intent when it names its session, else an event.

        Refuses: CLOCK_BEHIND.
        """
        return Entry(
            kind=Kind.EVENT if session is None else Kind.INTENT,
            action=action,
            at=self.instant(last_at),
            actor=self._salted(actor),
            permit=None if permit is None else written_text(permit, self._salted),
            session=session,
            facts=self._written(facts, permit),
        )

    def outcome(
        self,
        last_at: datetime | None,
        index: int,
        intent: Entry,
        outcome: Outcome,
        code: Code | None = None,
        facts: Mapping[str, Fact] | None = None,
    ) -> Entry:
        """The outcome of an intent; it is never refused for the clock, since what it tells has happened."""
        now = self._met_at = to_the_millisecond(self._clock.now())
        facts = facts or {}
        if last_at is not None and is_behind(now, last_at):
            behind_ms = int((last_at - now).total_seconds() * 1000)
            now, facts = last_at, {**facts, "clock_behind_ms": behind_ms}
        return replace(
            intent,
            kind=Kind.OUTCOME,
            at=now,
            session=None,
            intent=index,
            outcome=outcome,
            code=code.id if code else None,
            facts=self._written(facts, intent.permit),
        )

    def digests(self, value: str, earlier: Sequence[SecretKey]) -> tuple[str, ...]:
        """The salted digests by which the ledger knows a value, under the key in use and those before; newest first."""
        found = []
        for key in (self._salt, *earlier):
            salts = [self._store.known_salt(name) for name in self._names_of(key, value)]
            found += [salted_digest(key, salt, value) for salt in salts if salt is not None]
        return tuple(found)

    def forget(self, value: str, earlier: Sequence[SecretKey]) -> int:
        """Destroy the salts of a value, under each permit too; how many there were."""
        names = [name for key in (self._salt, *earlier) for name in self._names_of(key, value)]
        return self._store.destroy_salts(names)

    def forget_permit(self, permit: str, earlier: Sequence[SecretKey]) -> int:
        """Destroy the salts of everything that was stated under a permit; how many there were."""
        groups = tuple(_group(key, permit) for key in (self._salt, *earlier))
        return self._store.destroy_salts([name for name in self._store.salts() if name.startswith(groups)])

    def _names_of(self, key: SecretKey, value: str) -> list[str]:
        """Where a value's salts are kept: its own, then those of what was stated under a permit."""
        own = subject_name(key, value)
        return [own, *(name for name in self._store.salts() if name.endswith(f"/{own}"))]

    def _written(self, facts: Mapping[str, Fact], permit: str | None) -> dict[str, Written]:
        """What is stated under a permit has salts of that permit, which end with it; actors have their own."""
        group = "" if permit is None else _group(self._salt, permit)
        return written_facts(facts, lambda value: self._salted(value, group))

    def _salted(self, value: str, group: str = "") -> str:
        salt = self._store.salt(group + subject_name(self._salt, value), self._met_at)
        return salted_digest(self._salt, salt, value)


def _group(key: SecretKey, permit: str) -> str:
    return subject_name(key, f"permit\n{permit}") + "/"
