"""A person's query after it was checked, and what it may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from enclos.contracts.tables import TableForm


class FunctionKind(Enum):
    """What a function works on."""

    SCALAR = "scalar"
    AGGREGATE = "aggregate"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class AllowedFunction:
    """A function that people may call.

    ``leakproof``: it never fails and takes no more time for one value than for another, so that it may be applied to
    rows before a view has dropped those that nobody may see. Source: PostgreSQL, CREATE FUNCTION, LEAKPROOF.
    """

    name: str
    kind: FunctionKind
    leakproof: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """One table of the permit as a query reads it.

    ``columns`` are those that the query names; ``keep`` is SQL of ours over them that only drops rows, empty for all.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    keep: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class CheckedQuery:
    """A query that may run: the text is ours, written from the checked tree.

    ``columns`` are the names that a column may have: of the tables that are read, or made in the statement.
    ``digest`` is the same for statements that differ in spaces, letter case and comments only. ``counts`` are
    the places of the counts under a permit for aggregates, empty under one for rows. ``shape`` is the statement without
    its constants, for the review of who asks the same question of one person after the other.
    """

    sql: str
    scans: tuple[Scan, ...]
    names: frozenset[str]
    columns: frozenset[str]
    digest: str
    counts: tuple[int, ...] = ()
    shape: str = ""
    table: TableForm | None = None
    """What its rows are counted into, where they are for a table that may leave."""
    statement: str = ""
    """What was asked, as it leaves with that table."""
    codes: frozenset[int] = frozenset()
    """Numbers in it that must be concepts: shorter ones are days, ages, years."""

    @property
    def is_guarded(self) -> bool:
        """Whether only functions may run that cannot fail and take no longer for one person than for another."""
        return bool(self.counts) or self.table is not None

    @property
    def n_person_lists(self) -> int:
        """How many last columns are persons: those of the row, then those of each count."""
        return len(self.counts) + 1 if self.counts else 0

    def __repr__(self) -> str:
        return f"CheckedQuery({len(self.scans)} tables)"
