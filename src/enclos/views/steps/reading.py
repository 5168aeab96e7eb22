"""Reading through a permit, bucket by bucket."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import PLACE_TABLES, RELATIONS, ViewTerms
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.views.model import Reader
from enclos.views.plans import (
    Members,
    may_show_references,
    plan_bucket_perimeter,
    plan_exceptions,
    plan_member_counts,
    plan_members,
    plan_open_table,
    plan_outsiders,
    plan_query,
    plan_view,
    reads_by_key,
)
from enclos.views.plans.members import MOST_EXCEPTIONS, bits_for
from enclos.views.ports import Check, PerimeterStore, Snapshot
from enclos.views.rules import OPEN_TABLES, opening_of
from enclos.views.steps.places import PlaceNumbers
from enclos.views.steps.registering import INCOMING, registered
from enclos.views.steps.relatives import Relatives

_WORD = re.compile(r"\w+")


class PermitReader:
    """What reads through a permit's perimeter, one bucket after the other.

    In: name — what results carry; lineage — a text that changes when the warehouse's builds do, by which what a bucket
        shows may be kept: a snapshot's number may come again
    Refuses: VIEW_UNOPENED; whatever ``check`` raises, before each bucket.
    """

    def __init__(
        self,
        terms: ViewTerms,
        *,
        engine: SqlEngine,
        snapshot: Snapshot,
        perimeter: PerimeterStore,
        check: Check,
        opted_out: Collection[int],
        name: str = "",
        lineage: str = "",
    ) -> None:
        if not perimeter.exists():
            raise refusal(
                Code.VIEW_UNOPENED,
                f"Permit {terms.permit_id} has not been opened.",
                "Open it first: enclos permit open DIR PERMIT.",
            )
        if perimeter.opened_for() != opening_of(terms):
            raise refusal(
                Code.VIEW_UNOPENED,
                f"Permit {terms.permit_id} was amended after it was opened: other persons, or another period.",
                "Open it again: enclos permit open DIR PERMIT.",
            )
        self._terms = terms
        self._engine = engine
        self._snapshot = snapshot
        self._perimeter = perimeter
        self._check = check
        self._opted_out = opted_out
        self._name = name
        self._lineage = lineage
        self._relatives = Relatives(engine, snapshot, perimeter.rows, self._objecting)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._terms.permit_id})"

    def persons(self) -> NDArray[np.int64]:
        """The permit's numbers of the persons shown now, ascending."""
        self._check()
        found: NDArray[np.int64] = np.sort(self._shown()["permit_person"].to_numpy())
        return found

    def population(self) -> str:
        """A text that the set of persons shown now decides; it changes when somebody joins, objects or comes back."""
        persons = self.persons()
        return f"{len(persons)}:{hashlib.sha256(persons.tobytes()).hexdigest()}"

    def _shown(self, bucket: int | None = None) -> pa.Table:
        """The perimeter without those who object."""
        rows = self._perimeter.rows(bucket)
        return rows.filter(pa.array(~np.isin(rows["person_id"].to_numpy(), self._objecting())))

    def _objecting(self) -> NDArray[np.int64]:
        return np.fromiter(self._opted_out, np.int64, len(self._opted_out))

    def _enter(self, bucket: int) -> None:
        """Ask for the right to go on, and put the perimeter of a bucket before the engine."""
        self._check()
        put_perimeter(self._engine, self._shown(bucket))

    def _edition(self, shown: pa.Table) -> str:
        """A text that decides what the tables of persons show when these persons are shown."""
        digest = hashlib.sha256(repr((self._snapshot.id, self._lineage, self._terms)).encode())
        for name in ("person_id", "permit_person"):
            digest.update(shown[name].to_numpy().tobytes())
        return digest.hexdigest()


class PermitCdm(PermitReader):
    """The CDM that a permit sees: what a study reads, bucket by bucket.

    The right to read is checked at every bucket and every statement, so that expiry and revocation stop a running
    study. Those who object are asked for anew at every bucket.
    Refuses: VIEW_UNOPENED; whatever ``check`` raises.
    """

    @property
    def name(self) -> str:
        """The name that results carry."""
        return self._name

    @property
    def buckets(self) -> Sequence[int]:
        """The buckets, in order."""
        return tuple(self._snapshot.buckets)

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[PermitBucket]:
        """Open one bucket on a connection of its own: when the block ends, nothing of it stays in the engine."""
        self._check()
        shown = self._shown(bucket)
        edition = partial(self._edition, shown)
        with self._engine.beside() as engine:
            places = PlaceNumbers(self._terms, engine, self._snapshot, self._perimeter)
            yield PermitBucket(
                engine, self._check, self._terms, self._snapshot, bucket, places, self._relatives, edition, shown
            )


class PermitBucket:
    """One open bucket of a permit.

    Its persons are put before the engine when something is first asked of it. A table's view is made when a statement
    first names the table: each costs a look into the lake's catalog. Queries
    that show no number to anybody are run on rows under warehouse numbers, since they need not look the permit's up.
    """

    def __init__(
        self,
        engine: SqlEngine,
        check: Check,
        terms: ViewTerms,
        snapshot: Snapshot,
        bucket: int,
        places: PlaceNumbers,
        relatives: Relatives,
        edition: Callable[[], str],
        shown: pa.Table,
    ) -> None:
        self._engine = engine
        self._check = check
        self._terms = terms
        self._snapshot = snapshot
        self._bucket = bucket
        self._places = places
        self._relatives = relatives
        self._edition = edition
        self._shown: pa.Table | None = shown
        """Until its persons are before the engine."""
        self._open_members: Members | None = None
        self._views: set[tuple[str, bool]] = set()

    def __repr__(self) -> str:
        return "PermitBucket()"

    @property
    def edition(self) -> tuple[int, str]:
        """The bucket's number, and a text that decides all of its rows: the same text, the same rows."""
        return self._bucket, self._edition()

    def query(self, sql: str) -> pa.Table:
        """Run a query of the platform and take its whole result."""
        self._check()
        self._begin()
        planned = plan_query(sql, partial(self._keyed_view, refers=may_show_references(sql)), self._terms.tables)
        self._make_views(sql, without=reads_by_key(sql) if planned is not sql else ())
        return self._engine.query(planned)

    def execute(self, sql: str) -> None:
        """Run a statement of the platform for its effect."""
        self._check()
        self._begin()
        self._make_views(sql)
        self._engine.execute(sql)

    def load(self, name: str, rows: pa.Table) -> None:
        """Make a temporary table of some rows of the platform, in the place of one of that name."""
        self._check()
        with registered(self._engine, INCOMING, rows):
            self._engine.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM {INCOMING}')

    def _begin(self) -> None:
        if self._shown is not None:
            put_perimeter(self._engine, self._shown)
            self._shown = None

    def _make_views(self, sql: str, without: Collection[str] = ()) -> None:
        """Let every table that the statement may mean exist: a word too many makes a view that nobody reads."""
        refers = may_show_references(sql)
        for table in {*self._terms.tables, *OPEN_TABLES} & set(_WORD.findall(sql.lower())) - set(without):
            if (table, True) in self._views or (table, refers) in self._views:
                continue
            if table in OPEN_TABLES:
                select = plan_open_table(table, self._snapshot)
            else:
                select = self._view(table, refers=refers)
            self._engine.execute(f'CREATE OR REPLACE TEMP VIEW "{table}" AS {select}')
            self._views.add((table, refers or table in OPEN_TABLES))

    def _view(self, table: str, *, refers: bool, keyed: Members | None = None) -> str:
        refers = refers or table in PLACE_TABLES
        if refers:
            self._places.prepare(table, self._bucket)
        if table == RELATIONS:
            self._relatives.prepare(self._bucket, self._engine)
        return plan_view(table, self._terms, self._snapshot, self._bucket, Reader.PLATFORM, keyed=keyed, refers=refers)

    def _keyed_view(self, table: str, *, refers: bool) -> str:
        members = self._open_members = self._open_members or open_members(self._engine, self._snapshot, self._bucket)
        return self._view(table, refers=refers, keyed=members)


def put_perimeter(engine: SqlEngine, shown: pa.Table) -> None:
    """Put the perimeter of a bucket before the engine, in the place of one that is there."""
    with registered(engine, INCOMING, shown):
        engine.execute(plan_bucket_perimeter(INCOMING))


def open_members(engine: SqlEngine, snapshot: Snapshot, bucket: int) -> Members:
    """Set the bitmaps of a bucket whose perimeter is there, and say how they tell who is in."""
    if "person" not in snapshot.tables:
        return Members(everyone=False, bits=0, exceptions=None)
    engine.execute(plan_outsiders(snapshot, bucket))
    ((n_out, n_in),) = engine.rows(plan_member_counts())
    if n_out == 0:
        return Members(everyone=True, bits=0, exceptions=())
    bits = bits_for(n_in)
    for statement in plan_members(bits):
        engine.execute(statement)
    found = tuple(int(person) for (person,) in engine.rows(plan_exceptions(bits)))
    return Members(everyone=False, bits=bits, exceptions=found if len(found) <= MOST_EXCEPTIONS else None)
