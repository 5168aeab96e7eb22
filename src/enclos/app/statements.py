"""What every statement under a permit begins with: the ledger's line, the right to ask, the walls, the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import objectors_at_query
from enclos.app.permits import active, perimeter_of, permit_key, watcher
from enclos.app.watch import watched
from enclos.ledger.model import Action, Fact, Personal
from enclos.ledger.steps import Ticket
from enclos.permits.model import SignedPermit
from enclos.stores.cohort_file import CohortFile
from enclos.stores.confined.process import Incoming, QueryLimits, require_confinement, run_confined
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.views.sql.model import CheckedQuery
from enclos.views.sql.steps import PermitRows

_OVERHEAD_MB = 1536
"""Address space beside the engine's own memory: programs, libraries, stacks, the answer."""


@dataclass(frozen=True, slots=True, repr=False)
class Statement:
    """A statement that a person may ask: under which version of the permit, and its line of the ledger."""

    enclosure: Enclosure
    signed: SignedPermit
    user: str
    unconfined: bool
    ticket: Ticket
    also: Callable[[], object]

    def check(self) -> None:
        """Whether the person may still ask.

        Refuses: what permits refuse of the user; whatever ``also`` raises.
        """
        self.also()
        active(self.enclosure, self.signed.permit.id, self.user)

    def rows(self, query: CheckedQuery, engine: Engine, snapshot: LakeSnapshot) -> PermitRows:
        """The rows that it may read, saved cohorts among them; what it asks about is noted in the ledger."""
        self.ticket.facts["shape"] = Personal(query.shape)
        self.ticket.facts.update({"snapshot": snapshot.id, "tables": sorted({scan.table for scan in query.scans})})
        permit = self.signed.permit.id
        saved = CohortFile(self.enclosure.paths.permits / permit, self.enclosure.keys.secret(permit_key(permit)))
        return PermitRows(
            self.signed.permit.terms,
            engine=engine,
            snapshot=snapshot,
            perimeter=perimeter_of(self.enclosure, permit, engine, snapshot),
            check=self.check,
            opted_out=objectors_at_query(self.enclosure, self.signed),
        ).beside(saved.rows())

    def answer(self, query: CheckedQuery, rows: PermitRows, engine: Engine, limits: QueryLimits) -> pa.Table:
        """What it gives of these rows, computed behind the walls.

        Refuses: SQL_UNCONFINED, SQL_LIMIT, SQL_FAILED; what ``check`` refuses, which is asked all the while.
        """
        incoming = [Incoming(scan.name, scan.keep, rows.schema(scan), rows.tables(scan)) for scan in query.scans]
        watch = watcher(self.enclosure, self.signed.permit.id, self.user, self.also)
        with watched(engine, watch):
            return run_confined(
                query.sql,
                incoming,
                limits=limits,
                check=self.check,
                watch=watch,
                unconfined_for_trying_out=self.unconfined,
            )


@contextmanager
def asked(
    enclosure: Enclosure,
    permit: str,
    user: str,
    facts: Mapping[str, Fact],
    unconfined_for_trying_out: bool,
    also: Callable[[], object] = lambda: None,
) -> Iterator[Statement]:
    """Begin a statement of a person: nothing of it is read before the permit lets them ask and there are walls.

    In: unconfined_for_trying_out — also where no process can be shut in; also — asked whenever the right is checked
    Refuses: what permits refuse of the user; SQL_UNCONFINED.
    """
    with enclosure.ledger.intent(Action.SQL, user, permit, facts) as ticket:
        signed = active(enclosure, permit, user)
        unconfined = unconfined_for_trying_out or enclosure.settings.sql.unconfined_for_trying_out
        walls = require_confinement(unconfined_for_trying_out=unconfined)
        ticket.facts.update({"permit_version": signed.version, "confined": not unconfined, "walls": walls.value})
        yield Statement(enclosure, signed, user, unconfined, ticket, also)


def limits_of(enclosure: Enclosure) -> QueryLimits:
    """What one query may use, as the enclosure's settings say."""
    chosen = enclosure.settings.sql
    threads = enclosure.settings.engine.threads
    return QueryLimits(
        memory_mb=chosen.memory_limit_mb,
        address_space_mb=chosen.memory_limit_mb + _OVERHEAD_MB,
        threads=threads,
        wall_seconds=chosen.wall_seconds,
        cpu_seconds=chosen.wall_seconds * threads,
        result_rows=chosen.result_rows,
        result_bytes=chosen.result_mb << 20,
    )
