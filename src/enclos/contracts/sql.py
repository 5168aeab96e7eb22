"""What a room may ask of a database; the stores provide it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa


class SqlEngine(Protocol):
    """One connection to an analytical engine."""

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement for its effect."""

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """Run a query and take its whole result as Arrow."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a query and take its rows as Python values."""

    def scalar(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """The first value of the first row, or None."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name."""

    def unregister(self, name: str) -> None:
        """Forget a registered table."""

    def beside(self) -> AbstractContextManager[SqlEngine]:
        """Another connection to the same databases; temporary tables, variables and registered rows end with it."""

    def transaction(self) -> AbstractContextManager[None]:
        """All statements of the block count, or none."""
