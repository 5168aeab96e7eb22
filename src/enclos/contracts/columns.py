"""A column and a table, as contracts describe them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its official name, its DuckDB type, and whether it may be empty."""

    name: str
    sql_type: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class TableContract:
    """A table that crosses a border; the order of its columns is part of the contract."""

    name: str
    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def ddl(self, qualified_name: str, *, leading: str = "") -> str:
        """The CREATE TABLE statement; ``leading`` is put before the first column, with its comma."""
        body = ", ".join(f'"{c.name}" {c.sql_type}{" NOT NULL" if c.required else ""}' for c in self.columns)
        return f"CREATE TABLE {qualified_name} ({leading}{body})"
