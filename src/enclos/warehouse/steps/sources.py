"""The pseudonymised tables of the persons of a pass, absent ones included."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.pseudonymised import PSEUDONYMISED, VOCABULARY
from enclos.contracts.sql import SqlEngine
from enclos.warehouse.model import Cut
from enclos.warehouse.plans.parts import sliced_sql
from enclos.warehouse.plans.relations import empty_relation_sql
from enclos.warehouse.ports import CrossingReader

WITHOUT_BUCKET = frozenset(
    {*VOCABULARY, *(name for name, table in PSEUDONYMISED.items() if "bucket" not in table.names)}
)
"""Tables that hold no person."""


class Sources:
    """What crossed the wall of the persons of a cut (None: of everybody).

    A table is asked for by name and given as the call of a macro, ``at_prs()`` or ``all_prs()``: statements stay
    readable, and say themselves what they read.
    """

    def __init__(self, engine: SqlEngine, crossing: CrossingReader, cut: Cut | None) -> None:
        self._engine = engine
        self._crossing = crossing
        self._cut = cut
        self._present = frozenset(crossing.tables())
        self._prefix = "all" if cut is None else "at"
        self._made: dict[str, str] = {}

    def __getitem__(self, table: str) -> str:
        """A FROM-able expression with the contract's columns; without rows when the table never came."""
        if table not in self._made:
            relation = self._crossing.relation(table, self._where(table)) if table in self._present else None
            call = empty_relation_sql(PSEUDONYMISED.get(table) or VOCABULARY[table])
            if relation:
                call = f"{self._prefix}_{table}()"
                among = sliced_sql(self._cut) if self._cut and table not in WITHOUT_BUCKET else "true"
                self._engine.execute(
                    f"CREATE OR REPLACE TEMP MACRO {call} AS TABLE SELECT * FROM {relation} WHERE {among}"
                )
            self._made[table] = call
        return self._made[table]

    def __contains__(self, table: object) -> bool:
        """Whether the table came, in any bucket."""
        return table in self._present

    def stamps(self) -> dict[str, str]:
        """What each asked-for table is, by the call that gives it: the same stamp means the same rows."""
        return {
            call: self._crossing.stamp(table, self._where(table))
            for table, call in self._made.items()
            if call.endswith("()")
        }

    @property
    def of_persons(self) -> tuple[str, ...]:
        """The tables that came and hold persons."""
        return tuple(name for name in PSEUDONYMISED if name in self._present and name not in WITHOUT_BUCKET)

    def _where(self, table: str) -> Sequence[int] | None:
        return None if self._cut is None or table in WITHOUT_BUCKET else self._cut.buckets
