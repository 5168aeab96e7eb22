"""A person's query: checked, and fed with the permit's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap64

from enclos.contracts.cohort import SAVED_COHORT
from enclos.contracts.durations import DRUG_DURATION
from enclos.contracts.omop import omop_tables
from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import RELATIONS, Access, ViewTerms
from enclos.views.model import Reader, Treatment
from enclos.views.plans import plan_open_table, plan_saved, plan_view
from enclos.views.plans.tables import SAVED
from enclos.views.rules import OPEN_TABLES, PLACE_KEYS, REFERRED, column_rules, shown_columns
from enclos.views.sql.model import CheckedQuery, Scan
from enclos.views.sql.rules.aggregates import Nouns
from enclos.views.sql.rules.engine_tree import check_engine_tree
from enclos.views.sql.rules.reading import Granted, read_query, read_table
from enclos.views.sql.rules.withholding import shown_sets
from enclos.views.steps import PermitReader
from enclos.views.steps.places import PlaceNumbers
from enclos.views.steps.registering import registered

_NUMBERS = frozenset({Treatment.PERSON, Treatment.ROW_ID, Treatment.ROW_REF})


def granted_columns(terms: ViewTerms, *, for_table: bool = False) -> Granted:
    """What a query under these terms may name.

    In: for_table — for an answer that may be asked to leave: it is counted by persons whatever the permit shows
    """
    tables = {}
    for table in (*terms.tables, *OPEN_TABLES):
        contract = DRUG_DURATION if table == DRUG_DURATION.name else omop_tables()[table]
        shown = contract.names if table in OPEN_TABLES else shown_columns(terms, table, contract.names)
        tables[table] = {column.name: column.sql_type for column in contract if column.name in shown}
    tables[SAVED_COHORT.name] = {column.name: column.sql_type for column in SAVED_COHORT}
    if terms.access is Access.ROWS and not for_table:
        return Granted(tables)
    persons = frozenset(table for table in (*terms.tables, SAVED_COHORT.name) if "person_id" in tables[table])
    numbers = frozenset(rule.column for rule in column_rules().values() if rule.treatment in _NUMBERS)
    return Granted(tables, Nouns(persons, frozenset(OPEN_TABLES), numbers | {"subject_id"}))


def check_query(text: str, terms: ViewTerms, engine: SqlEngine) -> CheckedQuery:
    """The query that may run in the place of the person's text.

    Refuses: SQL_NOT_ALLOWED, SQL_LIMIT, VIEW_NOT_GRANTED.
    """
    query = read_query(text, granted_columns(terms))
    check_engine_tree(engine.scalar("SELECT json_serialize_sql(?)", [query.sql]), query)
    return query


def check_table(text: str, terms: ViewTerms, engine: SqlEngine) -> CheckedQuery:
    """The rows that a statement counts, for a table that may be asked to leave.

    Refuses: SQL_NOT_ALLOWED, SQL_LIMIT, VIEW_NOT_GRANTED.
    """
    query = read_table(text, granted_columns(terms, for_table=True))
    check_engine_tree(engine.scalar("SELECT json_serialize_sql(?)", [query.sql]), query)
    return query


def schema_of(scan: Scan, engine: SqlEngine) -> pa.Schema:
    """The columns of a scan, with Arrow's types."""
    own = {DRUG_DURATION.name: DRUG_DURATION, SAVED_COHORT.name: SAVED_COHORT}
    contract = own[scan.table] if scan.table in own else omop_tables()[scan.table]
    columns = ", ".join(f'NULL::{contract.column(name).sql_type} AS "{name}"' for name in scan.columns)
    return engine.query(f"SELECT {columns} WHERE false").schema


class PermitRows(PermitReader):
    """The rows of a permit's tables as a person may see them, bucket by bucket."""

    _saved: pa.Table | None = None

    def beside(self, saved: pa.Table) -> Self:
        """With the cohorts that the permit's users saved, under the permit's numbers."""
        self._saved = saved
        return self

    def schema(self, scan: Scan) -> pa.Schema:
        """The columns of a scan, with Arrow's types."""
        return schema_of(scan, self._engine)

    def tables(self, scan: Scan) -> Iterator[pa.Table]:
        """The rows of a scan; those of a table without persons come at once and may leave out what is not kept."""
        columns = ", ".join(f'"{name}"' for name in scan.columns)
        if scan.table in OPEN_TABLES:
            self._check()
            kept = f" WHERE {scan.keep}" if scan.keep else ""
            yield self._engine.query(f"SELECT {columns} FROM ({plan_open_table(scan.table, self._snapshot)}){kept}")
            return
        if scan.table == SAVED_COHORT.name:
            yield from self._cohorts(columns)
            return
        places = PlaceNumbers(self._terms, self._engine, self._snapshot, self._perimeter)
        shown: set[int] = set()
        # No comparison of a person's goes below the view: how long it takes would tell of rows that are not shown.
        for bucket in self._snapshot.buckets:
            self._enter(bucket)
            refers = scan.table in PLACE_KEYS or not REFERRED.keys().isdisjoint(scan.columns)
            if refers:
                places.prepare(scan.table, bucket)
            if scan.table == RELATIONS:
                self._relatives.prepare(bucket, self._engine)
            view = plan_view(scan.table, self._terms, self._snapshot, bucket, Reader.PERSON, refers=refers)
            if scan.table in PLACE_KEYS:
                yield self._once(scan, view, shown)
            else:
                yield self._engine.query(f"SELECT {columns} FROM ({view})")

    def _cohorts(self, columns: str) -> Iterator[pa.Table]:
        """The saved rows of persons who are in now; where there are none, nothing."""
        if self._saved is None:
            return
        for bucket in self._snapshot.buckets:
            self._enter(bucket)
            with registered(self._engine, SAVED, self._saved):
                yield self._engine.query(f"SELECT {columns} FROM ({plan_saved(self._terms)})")

    def _once(self, scan: Scan, view: str, shown: set[int]) -> pa.Table:
        """The rows that no bucket showed before; two buckets may lead to the same one."""
        found = self._engine.query(f"FROM ({view})")
        keys = found[PLACE_KEYS[scan.table]].to_pylist()
        is_new = pa.array([key not in shown for key in keys], pa.bool_())
        shown.update(keys)
        return found.filter(is_new).select(list(scan.columns))


def withhold(
    table: pa.Table, query: CheckedQuery, shown_before: Sequence[BitMap64], min_count: int
) -> tuple[pa.Table, list[BitMap64]]:
    """The counts that may be shown.

    Out: the rows without their persons, where a withheld count is empty and a withheld row is gone; the sets that are
         shown now. How many were withheld is not said: it would tell of the groups that one person has.
    """
    n_rows, n_lists = table.num_rows, query.n_person_lists
    first = table.num_columns - n_lists
    sets = [BitMap64(persons or ()) for at in range(n_lists) for persons in table.column(first + at).to_pylist()]
    shown = shown_sets(sets, shown_before, min_count)
    of_rows, *of_counts = [shown[at * n_rows : (at + 1) * n_rows] for at in range(n_lists)]
    kept = [is_in and any(found[row] for found in of_counts) for row, is_in in enumerate(of_rows)]
    columns = [table.column(at) for at in range(first)]
    for place, found in zip(query.counts, of_counts, strict=True):
        columns[place] = pc.if_else(pa.array(found, pa.bool_()), columns[place], pa.scalar(None, columns[place].type))
    answer = pa.table(columns, names=table.column_names[:first]).filter(pa.array(kept, pa.bool_()))
    told = [found for found, is_shown in zip(sets, shown, strict=True) if is_shown]
    return answer, told
