"""Tables that the engine sees for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from enclos.contracts.sql import SqlEngine

INCOMING = "permit_incoming"


@contextmanager
def registered(engine: SqlEngine, name: str, table: pa.Table) -> Iterator[None]:
    """Let the engine read the table under this name while the block runs."""
    engine.register(name, table)
    try:
        yield
    finally:
        engine.unregister(name)
