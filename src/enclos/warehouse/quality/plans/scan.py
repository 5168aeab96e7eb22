"""A scan that answers many checks with one row of counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from enclos.warehouse.quality.model import CheckKey

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
"""Types of whole numbers."""


class Part(Enum):
    """Which count of a check a cell of the answer is."""

    VIOLATED = "violated"
    DENOMINATOR = "denominator"


@dataclass(frozen=True, slots=True)
class Scan:
    """One query whose single row holds the counts of many checks.

    Out: one row; ``cells`` says which column is which count of which check.
    """

    sql: str
    cells: tuple[tuple[CheckKey, Part, int], ...]


@dataclass(slots=True)
class ScanWriter:
    """Collects counts; the same expression is computed once."""

    expressions: list[str] = field(default_factory=list)
    cells: list[tuple[CheckKey, Part, int]] = field(default_factory=list)

    def _column(self, expression: str) -> int:
        if expression not in self.expressions:
            self.expressions.append(expression)
        return self.expressions.index(expression)

    def add(self, key: CheckKey, *, violated: str | None = None, denominator: str | None = None) -> None:
        """Count the rows for which ``violated`` holds, and those of ``denominator``; "" counts every row."""
        for part, condition in ((Part.VIOLATED, violated), (Part.DENOMINATOR, denominator)):
            if condition is not None:
                expression = f"count(*) FILTER (WHERE {condition})" if condition else "count(*)"
                self.cells.append((key, part, self._column(expression)))

    def scan(self, source: str) -> Scan | None:
        """The scan over a FROM-able source; None when nothing was asked."""
        if not self.cells:
            return None
        return Scan(f"SELECT {', '.join(self.expressions)} FROM {source}", tuple(self.cells))


def quoted(name: str) -> str:
    """A column name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
