"""The rows of one bucket that several statements read.

They are Arrow tables registered under a name, not temporary tables: a temporary table dropped inside a transaction
keeps its memory until the transaction ends, and a build is one transaction over all buckets.
"""

from __future__ import annotations

import pyarrow as pa

from enclos.contracts.sql import SqlEngine

_ROWS_A_CHUNK = 61_440
"""An Arrow table is scanned by as many threads as it has chunks; slices copy nothing."""


class Stage:
    """Named intermediate rows; forgetting them frees their memory at once."""

    def __init__(self, engine: SqlEngine) -> None:
        self._engine = engine
        self._names: list[str] = []

    def put(self, name: str, sql: str) -> None:
        """Keep the query's rows as ``stage_<name>``."""
        full = f"stage_{name}"
        rows = self._engine.query(sql)
        rows = pa.Table.from_batches(rows.to_batches(max_chunksize=_ROWS_A_CHUNK), rows.schema)
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
