"""A build that leaves nothing: of a few persons' rows, into temporary tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa

from enclos.contracts.columns import TableContract
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.contracts.sql import SqlEngine
from enclos.warehouse.ports import CrossingReader

IN, _OUT = "explain_in_", "explain_out_"
"""How the names of what is read and of what is made begin."""
_UNUSED = frozenset({"concept_synonym", "relationship", "concept_class", "domain"})
"""Vocabulary tables that no rule reads."""


class Overlay:
    """The crossing with the rows of clones in place of everybody's, and of the vocabulary what can matter to them."""

    def __init__(
        self, engine: SqlEngine, crossing: CrossingReader, tables: Mapping[str, pa.Table], related: frozenset[str]
    ) -> None:
        self._crossing = crossing
        self._tables = frozenset(tables) | related
        for name, rows in tables.items():
            engine.register(f"{IN}{name}", rows)

    def tables(self) -> Collection[str]:
        shared = (name for name in self._crossing.tables() if not _of_persons(name) and name not in _UNUSED)
        return sorted({*shared, *self._tables})

    def relation(self, table: str, buckets: Sequence[int] | None) -> str | None:
        if table in self._tables:
            return f"{IN}{table}"
        return None if _of_persons(table) else self._crossing.relation(table, buckets)

    def stamp(self, table: str, buckets: Sequence[int] | None) -> str:  # noqa: ARG002 - nothing is kept from before
        return table

    def n_rows(self) -> int:
        return 0


class Scratch:
    """A lake of temporary tables."""

    def __init__(self, engine: SqlEngine) -> None:
        self._engine = engine

    def facts(self) -> Mapping[str, Any] | None:
        return None

    def name(self, table: str) -> str:
        return made_table(table)

    def begin(self) -> None:
        """Nothing waits here."""

    def create(self, table: TableContract, *, by_bucket: bool) -> str:
        leading = '"bucket" INTEGER, ' if by_bucket else ""
        columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table)
        self._engine.execute(f'CREATE OR REPLACE TEMP TABLE "{_OUT}{table.name}" ({leading}{columns})')
        return self.name(table.name)

    def commit(self, facts: Mapping[str, Any]) -> int:  # noqa: ARG002 - the port's word
        return 0

    def abandon(self) -> None:
        """What was made goes with the engine."""


def made_table(table: str) -> str:
    """The name under which a table of the rehearsal is read."""
    return f'temp."{_OUT}{table}"'


def _of_persons(table: str) -> bool:
    return table in PSEUDONYMISED and "bucket" in PSEUDONYMISED[table].names
