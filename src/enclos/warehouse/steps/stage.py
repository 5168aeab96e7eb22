"""The rows of one bucket that several statements read.

They are Arrow tables registered under a name, not temporary tables: a temporary table dropped inside a transaction
keeps its memory until the transaction ends, and a build is one transaction over all buckets.
"""

from __future__ import annotations

from enclos.contracts.sql import SqlEngine


class Stage:
    """Named intermediate rows; forgetting them frees their memory at once."""

    def __init__(self, engine: SqlEngine) -> None:
        self._engine = engine
        self._names: list[str] = []

    def put(self, name: str, sql: str) -> None:
        """Keep the query's rows as ``stage_<name>``."""
        full = f"stage_{name}"
        rows = self._engine.query(sql)
        if full in self._names:
            self._engine.unregister(full)
        else:
            self._names.append(full)
        self._engine.register(full, rows)

    def clear(self) -> None:
        """Forget everything kept."""
        for name in self._names:
            self._engine.unregister(name)
        self._names.clear()
