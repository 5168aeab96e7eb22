"""Who answers for an enclosure: every statement through the function behind ``enclos sql``, in turn."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

import pyarrow as pa

from enclos.app.enclosure import Enclosure
from enclos.app.house import House
from enclos.app.sql import ask, names_of, shape
from enclos.app.turns import FairQueue, Stop, stopped
from enclos.gateway.catalog.reading import read_catalog_query
from enclos.gateway.catalog.tables import INFORMATION_PREFIX, catalog_table
from enclos.gateway.catalog.words import CatalogReader, not_understood
from enclos.gateway.model import Caller, GateLimits, Verifier
from enclos.gateway.people import not_let_in
from enclos.gateway.ports import Who
from enclos.ledger.model import Action, Fact
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.confined.process import Incoming, QueryLimits, run_confined

_CATALOG_LIMITS = QueryLimits(
    memory_mb=256,
    address_space_mb=1792,
    threads=1,
    wall_seconds=20,
    cpu_seconds=20,
    result_rows=20_000,
    result_bytes=8 << 20,
)
_KEPT_ANSWERS, _KEPT_BYTES = 512, 32 << 20
"""Of the catalog; the oldest go."""
_QUIET_SECONDS = 10.0
"""Between two entries about sign-ins of a person that failed."""


class EnclosureKeeper:
    """The keeper of one enclosure.

    In: who_of — what tells who comes to it while it is open; the credential and the permit are looked at in every call
    """

    def __init__(self, house: House, who_of: Callable[[Enclosure], Who], limits: GateLimits) -> None:
        self._house = house
        self._who_of = who_of
        self._queue = FairQueue(limits)
        self._catalog_queue = FairQueue(replace(limits, n_per_permit=limits.n_at_once))
        self._answers: OrderedDict[tuple[str, str, str], pa.Table] = OrderedDict()
        self._changes_answers = threading.Lock()
        self._failures: dict[str, tuple[float, int]] = {}
        self._counts_failures = threading.Lock()

    @property
    def origin(self) -> str:
        """The enclosure's name, which the salts of its passwords are made of."""
        return self._house.origin

    def close(self) -> None:
        """Let nobody's turn come any more."""
        self._queue.close()
        self._catalog_queue.close()

    # -- who

    def verifiers(self, user: str) -> Sequence[Verifier]:
        """Of each credential of the person that holds now, what SCRAM checks."""
        with self._house.open() as enclosure:
            return self._who_of(enclosure).verifiers(user)

    def enter(self, user: str, permit: str, credential: str) -> Caller:
        """Let in a person who has shown the credential; the ledger says so, or that the permit turned them away."""
        caller = Caller(user, permit, credential)
        with self._house.open() as enclosure:
            self._who_of(enclosure).require(credential)
            try:
                names_of(enclosure, permit=permit, user=user)
            except Refusal as refused:
                enclosure.ledger.record(Action.DENIED, user, permit, {"via": "gateway", "code": refused.code.id})
                raise
            enclosure.ledger.record(Action.LOGIN, user, permit, {"via": "gateway"})
        return caller

    def known(self, user: str, shown: str) -> tuple[str, str]:
        """The person who bears a token, or knows the password of the name, and the credential."""
        with self._house.open() as enclosure:
            who = self._who_of(enclosure)
            found = who.person_of(shown, user)
            if found is None:
                raise not_let_in()
            who.require(found[1])
            return found

    def turned_away(self, user: str) -> None:
        """Keep in the ledger that somebody failed to show a credential of a person; of strangers nothing is kept.

        Who tries again and again cannot fill it: the next entry about a person comes after a while, with how many there
        were since.
        """
        with self._house.open() as enclosure:
            if not self._who_of(enclosure).verifiers(user):
                return
            now = monotonic()
            with self._counts_failures:
                last, n_since = self._failures.get(user, (-_QUIET_SECONDS, 0))
                is_due = now - last >= _QUIET_SECONDS
                self._failures[user] = (now, 0) if is_due else (last, n_since + 1)
            if is_due:
                facts: dict[str, Fact] = {"via": "gateway", "code": Code.GATE_CREDENTIAL.id, "n_before": n_since}
                enclosure.ledger.record(Action.DENIED, user, None, facts)

    # -- what

    def ask(self, caller: Caller, text: str, stop: Stop) -> pa.Table:
        """The answer of ``enclos sql``, in turn."""
        with self._queue.turn(caller, stop), self._inside(caller, stop) as (enclosure, still):
            return ask(enclosure, permit=caller.permit, user=caller.user, text=text, also=still).table

    def shape(self, caller: Caller, text: str, stop: Stop) -> pa.Schema:
        """The columns that an answer will have."""
        with self._catalog_queue.turn(caller, stop), self._inside(caller, stop) as (enclosure, still):
            return shape(enclosure, permit=caller.permit, user=caller.user, text=text, also=still)

    def names(self, caller: Caller) -> dict[str, dict[str, str]]:
        """The tables of the permit with their columns and the engine's types."""
        with self._inside(caller, threading.Event()) as (enclosure, _):
            return names_of(enclosure, permit=caller.permit, user=caller.user)[1]

    def catalog(self, caller: Caller, text: str, stop: Stop) -> pa.Table:
        """What a PostgreSQL catalog that holds the permit's names answers; the same question is worked out once."""
        with self._inside(caller, stop) as (enclosure, still):
            version, names = names_of(enclosure, permit=caller.permit, user=caller.user)
            key = (version, caller.user, text)
            with self._changes_answers:
                if key in self._answers:
                    self._answers.move_to_end(key)
                    return self._answers[key]
            query = read_catalog_query(text, CatalogReader(caller.user, caller.permit, names))
            incoming = []
            for name, information in query.tables:
                table = catalog_table(name, names, caller.user, caller.permit, information=information)
                called = f"{INFORMATION_PREFIX}{name}" if information else name
                incoming.append(Incoming(called, "", table.schema, [table]))
            unconfined = enclosure.settings.sql.unconfined_for_trying_out
            try:
                with self._catalog_queue.turn(caller, stop):
                    found = run_confined(
                        query.sql,
                        incoming,
                        limits=_CATALOG_LIMITS,
                        check=still,
                        unconfined_for_trying_out=unconfined,
                    )
            except Refusal as refused:
                if refused.code is Code.SQL_FAILED:
                    raise not_understood() from None
                raise
        with self._changes_answers:
            self._answers[key] = found
            n_bytes = sum(table.nbytes for table in self._answers.values())
            while n_bytes > _KEPT_BYTES or len(self._answers) > _KEPT_ANSWERS:
                n_bytes -= self._answers.popitem(last=False)[1].nbytes
        return found

    @contextmanager
    def _inside(self, caller: Caller, stop: Stop) -> Iterator[tuple[Enclosure, Callable[[], None]]]:
        """The enclosure, and what tells while work goes on whether the caller may still have it done."""
        with self._house.open() as enclosure:
            who = self._who_of(enclosure)

            def still() -> None:
                if stop.is_set():
                    raise stopped()
                who.require(caller.credential)

            still()
            yield enclosure, still
