"""Opening a permit, and reading through it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import ViewTerms
from enclos.lexicon.codes import Code
from enclos.lexicon.ids import MAX_PERSONS, PERSON_BITS
from enclos.lexicon.refusals import refusal
from enclos.views.model import Opened, Reader
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
    plan_population,
    plan_query,
    plan_view,
)
from enclos.views.plans.members import MOST_EXCEPTIONS, bits_for
from enclos.views.ports import Check, PerimeterStore, Randomness, Snapshot
from enclos.views.rules import OPEN_TABLES

_CANDIDATES = "permit_candidates"
_MAX_DRAWS = 64

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
    Out: one row per person: bucket, person_id, permit_person (random, unique), observed_from, observed_until.
    Empty: a population without persons gives an empty perimeter.
    Refuses: VIEW_POPULATION.
    """
    with _opted_out(engine, opted_out):
        candidates = plan_candidates(terms, snapshot)
        known = f"LEFT JOIN (FROM {perimeter.relation()}) AS known USING (person_id)" if perimeter.exists() else ""
        number = "known.permit_person" if known else "NULL::BIGINT"
        table = engine.query(
            f"SELECT now_in.*, {number} AS permit_person FROM ({candidates}) AS now_in {known} "
            "ORDER BY now_in.bucket, now_in.person_id"
        )
    known_numbers = table["permit_person"].combine_chunks().fill_null(UNNUMBERED).to_numpy(zero_copy_only=False)
    numbers = numbered(known_numbers, randomness)
    place = table.schema.get_field_index("permit_person")
    rows = table.set_column(place, pa.field("permit_person", pa.int64()), pa.array(numbers))
    engine.register(_CANDIDATES, rows)
    try:
        n_bytes = perimeter.write(
            "SELECT bucket, person_id, permit_person, observed_from, observed_until "
            f"FROM {_CANDIDATES} ORDER BY bucket, person_id"
        )
    finally:
        engine.unregister(_CANDIDATES)
    n_new = int(np.count_nonzero(known_numbers == UNNUMBERED))
    return Opened(snapshot.id, rows.num_rows, n_new, n_bytes)


def numbered(known: NDArray[np.int64], randomness: Randomness) -> NDArray[np.int64]:
    """A number for everybody: the known ones stay, the others are drawn until no two are equal.

    In: known — one number per person, UNNUMBERED where there is none yet.
    Out: numbers from 1 up to, not including, 2**43, all different.
    """
    numbers = known.copy()
    is_new = known == UNNUMBERED
    for _ in range(_MAX_DRAWS):
        wanted = numbers == UNNUMBERED
        numbers[wanted] = randomness.numbers(int(np.count_nonzero(wanted)), PERSON_BITS)
        if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < MAX_PERSONS:
            raise ValueError("random numbers are out of range")
        ordered = np.sort(numbers)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        numbers[is_new & np.isin(numbers, twice)] = UNNUMBERED
        if not (numbers == UNNUMBERED).any():
            return numbers
    raise RuntimeError("the source of random numbers repeats itself")


class PermitCdm:
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
        if not perimeter.exists():
            raise refusal(
                Code.VIEW_UNOPENED,
                f"Permit {terms.permit_id} has not been opened.",
                "Open it first: enclos permit open DIR PERMIT.",
            )
        self._terms = terms
        self._name = name
        self._engine = engine
        self._snapshot = snapshot
        self._perimeter = perimeter
        self._check = check
        self._opted_out = opted_out

    def __repr__(self) -> str:
        return f"PermitCdm({self._terms.permit_id})"

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
        with _opted_out(self._engine, self._opted_out):
            n_persons, of_all = self._engine.rows(plan_population(self._perimeter.relation()))[0]
        return f"{n_persons}:{of_all}"

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[PermitBucket]:
        """Open one bucket; when the block ends, nothing of it stays in the engine."""
        self._check()
        before = _temporary(self._engine)
        with _opted_out(self._engine, self._opted_out):
            self._engine.execute(plan_bucket_perimeter(self._perimeter.relation(), bucket))
        try:
            for table, select in self._selects(bucket):
                self._engine.execute(f'CREATE OR REPLACE TEMP VIEW "{table}" AS {select}')
            members = open_members(self._engine, self._snapshot, bucket)

            def keyed_view(table: str) -> str:
                return plan_view(table, self._terms, self._snapshot, bucket, Reader.PLATFORM, keyed=members)

            yield PermitBucket(self._engine, self._check, keyed_view, self._terms.tables)
        finally:
            for statement in plan_forget_members():
                self._engine.execute(statement)
            for kind, name in sorted(_temporary(self._engine) - before, reverse=True):
                self._engine.execute(f'DROP {kind} IF EXISTS temp."{name}"')

    def _selects(self, bucket: int) -> Iterator[tuple[str, str]]:
        for table in OPEN_TABLES:
            yield table, plan_open_table(table, self._snapshot)
        for table in self._terms.tables:
            yield table, plan_view(table, self._terms, self._snapshot, bucket, Reader.PLATFORM)


class PermitBucket:
    """One open bucket of a permit.

    In: keyed_view — the SQL of a granted table's rows under warehouse numbers; queries that show no number to anybody
        are run on it, since they need not look the permit's numbers up.
    """

    def __init__(
        self, engine: SqlEngine, check: Check, keyed_view: Callable[[str], str], tables: Collection[str]
    ) -> None:
        self._engine = engine
        self._check = check
        self._keyed_view = keyed_view
        self._tables = frozenset(tables)

    def __repr__(self) -> str:
        return "PermitBucket()"

    def query(self, sql: str) -> pa.Table:
        """Run a query of the platform and take its whole result."""
        self._check()
        return self._engine.query(plan_query(sql, self._keyed_view, self._tables))

    def execute(self, sql: str) -> None:
        """Run a statement of the platform for its effect."""
        self._check()
        self._engine.execute(sql)


def open_members(engine: SqlEngine, snapshot: Snapshot, bucket: int) -> Members:
    """Set the bitmaps of a bucket whose perimeter is there, and say how they tell who is in."""
    if "person" not in snapshot.tables:
        return Members(everyone=False, bits=0, exceptions=None)
    ((n_out, n_in),) = engine.rows(plan_member_counts(snapshot, bucket))
    if n_out == 0:
        return Members(everyone=True, bits=0, exceptions=())
    bits = bits_for(n_in)
    for statement in plan_members(bits):
        engine.execute(statement)
    found = tuple(int(person) for (person,) in engine.rows(plan_exceptions(snapshot, bucket, bits)))
    return Members(everyone=False, bits=bits, exceptions=found if len(found) <= MOST_EXCEPTIONS else None)


@contextmanager
def _opted_out(engine: SqlEngine, persons: Collection[int]) -> Iterator[None]:
    engine.register(OPTED_OUT, pa.table({"person_id": pa.array(sorted(persons), pa.int64())}))
    try:
        yield
    finally:
        engine.unregister(OPTED_OUT)


def _temporary(engine: SqlEngine) -> set[tuple[str, str]]:
    """The temporary views and tables in the engine."""
    views = engine.rows("SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal")
    tables = engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary")
    return {("VIEW", str(name)) for (name,) in views} | {("TABLE", str(name)) for (name,) in tables}
