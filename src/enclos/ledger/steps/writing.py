"""Write into the ledger: an intent before, its outcome after, or one event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from enclos.ledger.model import Action, Entry, Fact, Outcome, Proof
from enclos.ledger.ports import Clock, LedgerStore, Pace, Signer
from enclos.ledger.rules import ahead
from enclos.ledger.rules.entries import derived_key, entry_bytes
from enclos.ledger.rules.intents import open_intents, outcome_of
from enclos.ledger.rules.merkle import inclusion_path
from enclos.ledger.rules.notes import checkpoint_note, is_key_name, verifying_key, with_signature_of
from enclos.ledger.rules.tiles import CHECKPOINT, TILES, VERIFYING_KEY, WIDTH, seal_of
from enclos.ledger.steps.bookmarks import Bookmarks
from enclos.ledger.steps.drafting import Drafter
from enclos.ledger.steps.reading import nodes_of, read_entries
from enclos.ledger.steps.tail import Tail, TailKeeper
from enclos.ledger.steps.tickets import Ticket
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal

_NO_FACTS: Mapping[str, Fact] = {}


class Ledger:
    """The ledger of one enclosure, open for writing; many processes and threads may have it open at once.

    A method that returns has made its entry durable; one that refuses has left nothing that counts. Facts: names are
    lower-case words; text in clear must be a plain token (an id, a digest, a code, a date); any other text, and
    ``Personal``, is kept as a salted digest.
    Refuses: LEDGER_UNWRITABLE when the storage is full, read-only or unreachable; CLOCK_BEHIND when the clock shows an
    instant before the last entry's; LEDGER_DAMAGED, LEDGER_UNSIGNED, LEDGER_FORKED when it is not what was signed.
    """

    def __init__(
        self,
        store: LedgerStore,
        signer: Signer,
        clock: Clock,
        salt: SecretKey,
        origin: str,
        pace: Pace | None = None,
    ) -> None:
        if not is_key_name(origin):
            raise ValueError("an origin has neither spaces nor a plus sign")
        self._store = store
        self._pace = pace
        self._draft = Drafter(store, clock, salt)
        self._keeper = TailKeeper(store, signer, signer.public_key(), derived_key(salt, b"ahead"), origin)
        self._bookmarks = Bookmarks(store, derived_key(salt, b"bookmarks"))
        self._tail: Tail | None = None
        self._session: str | None = None
        self._open_tickets: dict[int, Action] = {}
        self._doubtful: set[int] = set()
        self._is_in_doubt = False
        self._of_thread = threading.local()

    def __repr__(self) -> str:
        return f"Ledger({self._keeper.origin})"

    # -- opening and closing

    @classmethod
    def create(
        cls,
        store: LedgerStore,
        signer: Signer,
        clock: Clock,
        salt: SecretKey,
        origin: str,
        pace: Pace | None = None,
    ) -> Ledger:
        """Begin a ledger, once; a begun one whose making was killed is begun anew.

        Refuses: LEDGER_EXISTS when there is one.
        """
        ledger = cls(store, signer, clock, salt, origin, pace)
        with store.lock():
            if store.read(CHECKPOINT) is not None or any(True for _ in store.names(TILES)):
                raise refusal(
                    Code.LEDGER_EXISTS, "There is a ledger here already.", "Open it, or choose another place."
                )
            ledger._put_verifying_key()
            ledger._tail = ledger._keeper.begin()
        return ledger

    @classmethod
    def open(
        cls,
        store: LedgerStore,
        signer: Signer,
        clock: Clock,
        salt: SecretKey,
        origin: str,
        pace: Pace | None = None,
    ) -> Ledger:
        """Open a ledger; what a crash left half done is completed first, as ``recover`` says."""
        ledger = cls(store, signer, clock, salt, origin, pace)
        ledger.recover()
        return ledger

    def recover(self) -> int:
        """Publish what was durable but not yet published, and close the intents of dead processes as INTERRUPTED.

        Out: the number of intents that were closed.
        """
        with self._locked() as tail:
            self._put_verifying_key()
            sessions = list(self._store.sessions())
            dead = [session for session in sessions if not session.is_alive]
            living = {session.id for session in sessions if session.is_alive}
            if not dead and not tail.is_rebuilt:
                return 0
            start = 0 if tail.is_rebuilt else min(session.size for session in dead)
            orphans = open_intents(self._entries_of(tail, start), living)
            for index, intent in orphans.items():
                last_at = (self._tail or tail).last_at
                self._append(self._draft.outcome(last_at, index, intent, Outcome.INTERRUPTED), at_once=True)
            tail.is_rebuilt = False
            for session in dead:
                self._store.end_session(session.id)
            return len(orphans)

    def close(self) -> None:
        """End this process's session; intents that are still open then count as interrupted."""
        self._rest()
        if self._tail is not None and self._tail.is_behind:
            with self._locked():
                """Publish what was left for later, or to somebody who waited."""
        if self._session is not None:
            with self._store.lock():
                if not self._open_tickets and not self._is_in_doubt:
                    self._store.end_session(self._session)
            self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- writing

    def intent(
        self, action: Action, actor: str, permit: str | None = None, facts: Mapping[str, Fact] = _NO_FACTS
    ) -> Ticket:
        """State what is about to be done; nothing may begin before this returns."""
        with self._locked(publishes=False) as tail:
            if self._session is None:
                self._session = self._store.start_session(tail.size)
            entry = self._draft.entry(tail.last_at, action, actor, permit, facts, self._session)
            self._is_in_doubt = True  # should this be broken off, the intent may yet turn out to stand
            index = self._append(entry)
            self._is_in_doubt = False
            self._open_tickets[index] = action
        self._make_durable()
        return Ticket(self, index, entry)

    def record(
        self, action: Action, actor: str, permit: str | None = None, facts: Mapping[str, Fact] = _NO_FACTS
    ) -> int:
        """State what happened at once; the entry's index."""
        with self._locked(publishes=False) as tail:
            index = self._append(self._draft.entry(tail.last_at, action, actor, permit, facts))
        self._make_durable()
        return index

    def hand_over(self, successor: Signer) -> None:
        """Sign the checkpoint with the successor's key beside this one's, so that either opens the ledger next.

        Source: C2SP signed-note (a note may bear several signatures)
        """
        with self._locked() as tail:
            mine, theirs = tail.note, tail.published
            if theirs is None:
                raise ValueError("there is no checkpoint to hand over")
            second = checkpoint_note(theirs, successor.public_key(), successor.sign)
            self._store.write(CHECKPOINT, with_signature_of(mine, second), durable=True)
            self._tail = None
        self._rest()

    def settle(self) -> None:
        """Publish everything for good, so that the ledger opens without the records written ahead.

        They are bound to the salt key; under another one they are made again from what is published.
        """
        with self._locked() as tail:
            self._keeper.publish(tail, durable=True)
            self._tail = None
        self._rest()

    def close_intent(
        self, index: int, intent: Entry, outcome: Outcome, code: Code | None, facts: Mapping[str, Fact]
    ) -> int:
        """State how an intent ended; the entry's index. ``Ticket`` calls this, once for each intent."""
        is_doubtful = index in self._doubtful
        with self._locked(publishes=is_doubtful) as tail:
            place = outcome_of(index, self._entries_of(tail, index + 1)) if is_doubtful else None
            if place is None:
                self._doubtful.add(index)  # should this be cut short, its entry may yet turn out to stand
                place = self._append(self._draft.outcome(tail.last_at, index, intent, outcome, code, facts))
        self._make_durable()
        self._doubtful.discard(index)
        self._open_tickets.pop(index, None)
        return place

    # -- reading

    @property
    def doing(self) -> Action | None:
        """What this process is about to do: the intent that it stated last and that is still open."""
        return next(reversed(self._open_tickets.values()), None)

    @property
    def origin(self) -> str:
        """The name that the ledger signs under."""
        return self._keeper.origin

    @property
    def public_key(self) -> bytes:
        """The public key that its checkpoints are verified with."""
        return self._keeper.public_key

    def size(self) -> int:
        """The number of entries."""
        with self._locked(publishes=self._pace is None) as tail:
            return tail.size

    def checkpoint(self) -> bytes:
        """The signed checkpoint over all entries."""
        with self._locked() as tail:
            return tail.note

    def last_at(self) -> datetime | None:
        """The instant of the last entry, or None when there is none."""
        with self._locked(publishes=self._pace is None) as tail:
            return tail.last_at

    def now(self) -> datetime:
        """The clock's instant, to the millisecond, found not to be behind the last entry.

        Refuses: CLOCK_BEHIND.
        """
        with self._locked(publishes=self._pace is None) as tail:
            return self._draft.instant(tail.last_at)

    def entries(self, start: int = 0) -> Iterator[tuple[int, Entry]]:
        """Index and entry, from ``start`` to the end as it is now."""
        with self._locked(publishes=self._pace is None) as tail:
            return self._entries_of(tail, start)

    def bookmark(self, reader: str) -> tuple[int, bytes]:
        """How many entries a reader had read when it last kept what it knew, and that; (0, nothing) when it has to
        read all.
        """
        with self._locked(publishes=self._pace is None) as tail:
            return self._bookmarks.read(reader, tail.head)

    def put_bookmark(self, reader: str, size: int, content: Callable[[], bytes]) -> bool:
        """Keep what a reader knows of the first entries, for other processes; whether it was kept.

        It is where these are all that full bundles hold, and the storage takes it: nothing rests on it.
        In: content — asked for where it is kept
        """
        with suppress(Refusal), self._locked(publishes=self._pace is None) as tail:
            if tail.head.size == size:
                self._bookmarks.put(reader, tail.head, content())
                return True
        return False

    def prove(self, index: int) -> Proof:
        """The proof that an entry is in the ledger, under its newest checkpoint.

        Refuses: ValueError when there is no entry of that index.
        """
        return self.prove_all([index])[0]

    def prove_all(self, indices: Sequence[int]) -> list[Proof]:
        """The proofs of several entries, all under one checkpoint, the newest.

        Refuses: ValueError when there is no entry of an index.
        """
        with self._locked() as tail:
            node = nodes_of(self._store, tail.size)
            return [Proof(index, inclusion_path(index, tail.size, node), tail.note) for index in indices]

    def digests(self, value: str, earlier: Sequence[SecretKey] = ()) -> tuple[str, ...]:
        """The salted digests by which the ledger knows a personal value, such as an actor; the newest first.

        In: earlier — the salt keys that were in use before this one
        Empty: the ledger never knew the value, or its salts were destroyed
        """
        with self._store.lock():
            return self._draft.digests(value, earlier)

    # -- forgetting

    def forget(self, value: str, earlier: Sequence[SecretKey] = ()) -> int:
        """Destroy the salts of a personal value: nobody can tell any more which digests were its own; proofs hold.

        Out: how many there were, one for each salt key under which the value was met
        """
        with self._store.lock():
            return self._draft.forget(value, earlier)

    def forget_permit(self, permit: str, earlier: Sequence[SecretKey] = ()) -> int:
        """Destroy the salts of all that was stated under a permit, its queries and reasons; proofs hold.

        Out: how many there were
        """
        with self._store.lock():
            return self._draft.forget_permit(permit, earlier)

    def forget_unused_since(self, at: datetime) -> int:
        """Destroy the salts of all values that were last met before; how many there were."""
        with self._store.lock():
            return self._store.destroy_salts_unused_since(at)

    # -- inside

    @contextmanager
    def _locked(self, *, publishes: bool = True) -> Iterator[Tail]:
        """The tail as it is now; no other writer until the block ends.

        Everything durable is also published, except where that may wait: an entry follows, whose checkpoint speaks of
        all, or the pace sees to it.
        """
        with self._store.lock():
            known, self._tail = self._tail, None  # whatever goes wrong, the next use loads anew
            tail = self._keeper.load() if known is None else self._keeper.refresh(known)
            if not tail.is_whole and (publishes or not tail.is_behind):
                self._keeper.settle(tail, durable=not tail.is_behind)
            self._tail = tail
            yield tail
            if self._pace is not None and self._tail is not None and self._tail.is_behind:
                self._pace.later(self._publish_late)

    def _publish_late(self) -> None:
        """What the pace calls; should the storage refuse, the next entry loads the tail anew, and is refused too."""
        if self._tail is not None and self._tail.is_behind:  # else whoever writes just now asks for it again
            with suppress(Refusal), self._locked():
                pass

    def _rest(self) -> None:
        """Publish nothing later: under another key it is another ledger's to do."""
        if self._pace is not None:
            self._pace.stop()

    def _append(self, entry: Entry, *, at_once: bool = False) -> int:
        """Put an entry at the end of the tail; its index. The caller is in a ``_locked`` block.

        Its checkpoint may wait where the pace sees to it. While others wait for the lock it is only added, and
        ``_make_durable`` after the block makes it last: so many processes share one sync of the disk, and one
        checkpoint. In: at_once — not so.
        """
        tail, self._tail = self._tail, None
        if tail is None:
            raise ValueError("the ledger is not locked")
        if tail.last_at is not None and tail.last_at.date() < entry.at.date():  # nothing more can fall into that day
            if not tail.is_whole:
                self._keeper.settle(tail, durable=True)
            self._store.write(seal_of(tail.last_at.date()), tail.note, durable=True)
        tail = self._keeper.roll(tail)
        end_before = tail.end
        is_awaited = self._store.is_awaited()
        if not at_once and len(tail.leaves) + 1 < WIDTH and (is_awaited or self._pace is not None):
            self._keeper.write_ahead(tail, entry_bytes(entry), entry.at, durable=not is_awaited)
            tail.is_whole, tail.is_behind = False, True
            self._tail = tail
            if is_awaited:
                self._of_thread.unsynced = ahead.file_name(tail.bundle)
            return tail.size - 1
        self._keeper.write_ahead(tail, entry_bytes(entry), entry.at)
        try:
            self._keeper.publish(tail)
        except Refusal:
            if self._keeper.take_back(tail, end_before):
                raise
        else:
            self._tail = tail
        return tail.size - 1

    def _make_durable(self) -> None:
        """Make durable what this thread has added; outside the lock, so that others go on meanwhile."""
        unsynced: str | None = getattr(self._of_thread, "unsynced", None)
        if unsynced is not None:
            self._of_thread.unsynced = None
            self._store.sync(unsynced)

    def _entries_of(self, tail: Tail, start: int) -> Iterator[tuple[int, Entry]]:
        return read_entries(self._store, tail.head.size, tail.head.root, start, tuple(tail.entries))

    def _put_verifying_key(self) -> None:
        line = verifying_key(self._keeper.origin, self._keeper.public_key) + "\n"
        if self._store.read(VERIFYING_KEY) != line.encode():  # absent, or of a key that was rotated since
            self._store.write(VERIFYING_KEY, line.encode(), durable=True)
