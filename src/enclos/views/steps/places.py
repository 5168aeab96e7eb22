"""The permit's own numbers of professionals and care sites, as far as a bucket needs them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from enclos.contracts.omop import PERSON_TABLES
from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import ViewTerms
from enclos.views.model import Numbered
from enclos.views.plans import plan_add_numbers, plan_numbers_table, plan_unnumbered
from enclos.views.ports import PerimeterStore, Snapshot
from enclos.views.rules import REFERRED, column_rules, shown_columns
from enclos.views.steps.registering import INCOMING, registered


class PlaceNumbers:
    """Temporary tables (number, shown) that grow with what is asked for."""

    def __init__(self, terms: ViewTerms, engine: SqlEngine, snapshot: Snapshot, perimeter: PerimeterStore) -> None:
        self._terms = terms
        self._engine = engine
        self._snapshot = snapshot
        self._perimeter = perimeter
        self._begun = False
        self._there: set[tuple[Numbered, str, int | None]] = set()

    def __repr__(self) -> str:
        return f"PlaceNumbers({self._terms.permit_id})"

    def prepare(self, table: str, bucket: int) -> None:
        """Have the numbers that a view of the table joins."""
        if not self._begun:
            self._begun = True
            for kind in sorted(set(REFERRED.values()), key=lambda kind: kind.word):
                self._engine.execute(plan_numbers_table(kind))
        within = bucket if table in PERSON_TABLES else None
        for kind in self._kinds(table):
            if (kind, table, within) not in self._there:
                self._there.add((kind, table, within))
                self._add(kind, table, within)

    def _kinds(self, table: str) -> Iterator[Numbered]:
        for column, kind in REFERRED.items():
            is_column = (table, column) in column_rules() and table in self._snapshot.tables
            if is_column and column in shown_columns(self._terms, table, [column]):
                yield kind

    def _add(self, kind: Numbered, table: str, bucket: int | None) -> None:
        found = self._engine.query(plan_unnumbered(kind, table, self._snapshot, bucket))["number"].to_numpy()
        if len(found):
            shown = self._perimeter.renumbered(kind, found)
            with registered(self._engine, INCOMING, pa.table({"number": found, "shown": shown})):
                self._engine.execute(plan_add_numbers(kind, INCOMING))
