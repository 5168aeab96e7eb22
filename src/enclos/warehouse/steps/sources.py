"""The pseudonymised tables of one bucket, absent ones included."""

from __future__ import annotations

from enclos.contracts.pseudonymised import PSEUDONYMISED, VOCABULARY
from enclos.warehouse.plans.relations import empty_relation_sql
from enclos.warehouse.ports import CrossingReader

WITHOUT_BUCKET = frozenset(
    {*VOCABULARY, *(name for name, table in PSEUDONYMISED.items() if "bucket" not in table.names)}
)
"""Tables that hold no person."""


class Sources:
    """What crossed the wall, seen from one bucket (None: all of them)."""

    def __init__(self, crossing: CrossingReader, bucket: int | None) -> None:
        self._crossing = crossing
        self._bucket = bucket
        self._present = frozenset(crossing.tables())

    def __getitem__(self, table: str) -> str:
        """A FROM-able expression with the contract's columns; without rows when the table never came."""
        relation = None
        if table in self._present:
            relation = self._crossing.relation(table, None if table in WITHOUT_BUCKET else self._bucket)
        return relation or empty_relation_sql(PSEUDONYMISED.get(table) or VOCABULARY[table])

    def __contains__(self, table: object) -> bool:
        """Whether the table came, in any bucket."""
        return table in self._present

    @property
    def of_persons(self) -> tuple[str, ...]:
        """The tables that came and hold persons."""
        return tuple(name for name in PSEUDONYMISED if name in self._present and name not in WITHOUT_BUCKET)
