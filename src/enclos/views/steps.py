"""Opening a permit, and reading through it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import ViewTerms
from enclos.lexicon.codes import Code
from enclos.lexicon.ids import MAX_PERSONS, PERSON_BITS
from enclos.lexicon.refusals import refusal
from enclos.views.model import Numbered, Opened, Reader
from enclos.views.plans import (
    OPTED_OUT,
    Members,
    plan_bucket_perimeter,
    plan_candidates,
    plan_exceptions,
    plan_forget_members,
    plan_member_counts,
    plan_members,
    plan_open_table,
    plan_outsiders,
    plan_query,
    plan_view,
    reads_by_key,
)
from enclos.views.plans.members import MOST_EXCEPTIONS, bits_for
from enclos.views.ports import Check, PerimeterStore, Randomness, Snapshot
from enclos.views.rules import OPEN_TABLES, opening_of

_INCOMING = "permit_incoming"
_MAX_DRAWS = 64
_WORD = re.compile(r"\w+")

UNNUMBERED = 0
"""Stands for a person who has no number yet."""


def open_view(
    terms: ViewTerms,
    *,
    engine: SqlEngine,
    snapshot: Snapshot,
    perimeter: PerimeterStore,
    randomness: Randomness,
    opted_out: Collection[int] = (),
) -> Opened:
    """Write the permit's perimeter, and nothing else.

    Opened again, on a later snapshot, everybody who is still in keeps their number.
    Out: one row per person: bucket, person_id, permit_person (secretly permuted, unique).
    Empty: a population without persons gives an empty perimeter.
    Refuses: VIEW_POPULATION.
    """
    known = perimeter.rows() if perimeter.exists() else _NOBODY
    with _registered(engine, OPTED_OUT, _persons(opted_out)), _registered(engine, _INCOMING, known):
        found = engine.query(
            f"SELECT now_in.bucket, now_in.person_id, known.permit_person FROM ({plan_candidates(terms, snapshot)}) "
            f"AS now_in LEFT JOIN {_INCOMING} AS known USING (person_id) ORDER BY now_in.bucket, now_in.person_id"
        ).combine_chunks()
    persons = found["person_id"].to_numpy()
    known_numbers = found["permit_person"].fill_null(UNNUMBERED).to_numpy()
    numbers = numbered(known_numbers, perimeter.renumbered(Numbered.PERSON, persons), randomness)
    n_bytes = perimeter.write(found.set_column(2, "permit_person", pa.array(numbers)), terms)
    n_new = int(np.count_nonzero(known_numbers == UNNUMBERED))
    return Opened(snapshot.id, found.num_rows, n_new, n_bytes)


def numbered(known: NDArray[np.int64], own: NDArray[np.int64], randomness: Randomness) -> NDArray[np.int64]:
    """A number for everybody: the known ones stay, others have their own; where two are equal one is drawn anew.

    In: known — one number per person, UNNUMBERED where there is none yet; own — what each would have
    Out: numbers from 1 up to, not including, 2**43, all different.
    """
    is_new = known == UNNUMBERED
    numbers = np.where(is_new, own, known)
    for _ in range(_MAX_DRAWS):
        if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < MAX_PERSONS:
            raise ValueError("random numbers are out of range")
        ordered = np.sort(numbers)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        numbers[is_new & np.isin(numbers, twice)] = UNNUMBERED
        wanted = numbers == UNNUMBERED
        if not wanted.any():
            return numbers
        numbers[wanted] = randomness.numbers(int(np.count_nonzero(wanted)), PERSON_BITS)
    raise RuntimeError("the source of random numbers repeats itself")


_NOBODY = pa.schema([("bucket", pa.int32()), ("person_id", pa.int64()), ("permit_person", pa.int64())]).empty_table()


class PermitReader:
    """What reads through a permit's perimeter, one bucket after the other.

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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._terms.permit_id})"

    def _shown(self, bucket: int | None = None) -> pa.Table:
        """The perimeter without those who object."""
        rows = self._perimeter.rows(bucket)
        objecting = np.fromiter(self._opted_out, np.int64, len(self._opted_out))
        return rows.filter(pa.array(~np.isin(rows["person_id"].to_numpy(), objecting)))

    def _enter(self, bucket: int) -> None:
        """Ask for the right to go on, and put the perimeter of a bucket before the engine."""
        self._check()
        with _registered(self._engine, _INCOMING, self._shown(bucket)):
            self._engine.execute(plan_bucket_perimeter(_INCOMING))


class PermitCdm(PermitReader):
    """The CDM that a permit sees: what a study reads, bucket by bucket.

    The right to read is checked at every bucket and every statement, so that expiry and revocation stop a running
    study. Those who object are asked for anew at every bucket.
    Refuses: VIEW_UNOPENED; whatever ``check`` raises.
    """

    def __init__(
        self,
        terms: ViewTerms,
        *,
        name: str,
        engine: SqlEngine,
        snapshot: Snapshot,
        perimeter: PerimeterStore,
        check: Check,
        opted_out: Collection[int],
    ) -> None:
        super().__init__(terms, engine=engine, snapshot=snapshot, perimeter=perimeter, check=check, opted_out=opted_out)
        self._name = name

    @property
    def name(self) -> str:
        """The name that results carry."""
        return self._name

    @property
    def buckets(self) -> Sequence[int]:
        """The buckets, in order."""
        return tuple(self._snapshot.buckets)

    def population(self) -> str:
        """A text that the set of persons shown now decides; it changes when somebody joins, objects or comes back."""
        self._check()
        persons = np.sort(self._shown()["permit_person"].to_numpy())
        return f"{len(persons)}:{hashlib.sha256(persons.tobytes()).hexdigest()}"

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[PermitBucket]:
        """Open one bucket; when the block ends, nothing of it stays in the engine."""
        before = _temporary(self._engine)
        self._enter(bucket)
        try:
            yield PermitBucket(self._engine, self._check, self._terms, self._snapshot, bucket)
        finally:
            for statement in plan_forget_members():
                self._engine.execute(statement)
            for kind, name in sorted(_temporary(self._engine) - before, reverse=True):
                self._engine.execute(f'DROP {kind} IF EXISTS temp."{name}"')


class PermitBucket:
    """One open bucket of a permit.

    A table's view is made when a statement first names the table: each costs a look into the lake's catalog. Queries
    that show no number to anybody are run on rows under warehouse numbers, since they need not look the permit's up.
    """

    def __init__(self, engine: SqlEngine, check: Check, terms: ViewTerms, snapshot: Snapshot, bucket: int) -> None:
        self._engine = engine
        self._check = check
        self._terms = terms
        self._snapshot = snapshot
        self._bucket = bucket
        self._open_members: Members | None = None
        self._views: set[str] = set()

    def __repr__(self) -> str:
        return "PermitBucket()"

    def query(self, sql: str) -> pa.Table:
        """Run a query of the platform and take its whole result."""
        self._check()
        planned = plan_query(sql, self._keyed_view, self._terms.tables)
        self._make_views(sql, without=reads_by_key(sql) if planned is not sql else ())
        return self._engine.query(planned)

    def execute(self, sql: str) -> None:
        """Run a statement of the platform for its effect."""
        self._check()
        self._make_views(sql)
        self._engine.execute(sql)

    def _make_views(self, sql: str, without: Collection[str] = ()) -> None:
        """Let every table that the statement may mean exist: a word too many makes a view that nobody reads."""
        words = set(_WORD.findall(sql.lower())) - self._views - set(without)
        for table in words & {*self._terms.tables, *OPEN_TABLES}:
            select = (
                plan_open_table(table, self._snapshot)
                if table in OPEN_TABLES
                else plan_view(table, self._terms, self._snapshot, self._bucket, Reader.PLATFORM)
            )
            self._engine.execute(f'CREATE OR REPLACE TEMP VIEW "{table}" AS {select}')
            self._views.add(table)

    def _keyed_view(self, table: str) -> str:
        members = self._open_members = self._open_members or open_members(self._engine, self._snapshot, self._bucket)
        return plan_view(table, self._terms, self._snapshot, self._bucket, Reader.PLATFORM, keyed=members)


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


def _persons(persons: Collection[int]) -> pa.Table:
    return pa.table({"person_id": pa.array(sorted(persons), pa.int64())})


@contextmanager
def _registered(engine: SqlEngine, name: str, table: pa.Table) -> Iterator[None]:
    engine.register(name, table)
    try:
        yield
    finally:
        engine.unregister(name)


def _temporary(engine: SqlEngine) -> set[tuple[str, str]]:
    """The temporary views and tables in the engine."""
    views = engine.rows("SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal")
    tables = engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary")
    return {("VIEW", str(name)) for (name,) in views} | {("TABLE", str(name)) for (name,) in tables}
