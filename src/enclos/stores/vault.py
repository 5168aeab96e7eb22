"""The vault's database: one encrypted DuckDB file, attached as ``vault``."""

from __future__ import annotations

from pathlib import Path

from enclos.lexicon.keys import SecretKey
from enclos.stores.engine import Engine


def attach_vault(engine: Engine, path: Path, key: SecretKey, *, read_only: bool = False) -> None:
    """Attach the vault's database and let the engine read what the vault sealed.

    Refuses: ENCLOSURE_BUSY, STORAGE_BROKEN.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine.attach_database("vault", path, key, read_only=read_only)
    engine.add_parquet_key(key)
