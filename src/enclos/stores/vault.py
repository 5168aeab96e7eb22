"""The vault's database: one encrypted DuckDB file, attached as ``vault``."""

from __future__ import annotations

from pathlib import Path

from enclos.lexicon.keys import SecretKey
from enclos.stores.engine import Engine
from enclos.stores.files import storage_border, sync_folder


def attach_vault(engine: Engine, path: Path, key: SecretKey, *, read_only: bool = False) -> None:
    """Attach the vault's database and let the engine read what the vault sealed.

    Refuses: ENCLOSURE_BUSY, STORAGE_BROKEN.
    """
    with storage_border("the vault"):
        path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(engine, path, key)
    engine.attach_database("vault", path, key, read_only=read_only)
    engine.add_parquet_key(key)


def _make(engine: Engine, path: Path, key: SecretKey) -> None:
    """Make the empty database beside its place and then put it there: half a database would never open again."""
    half = path.with_name(f".{path.name}.making")
    half.unlink(missing_ok=True)
    engine.attach_database("vault_in_the_making", half, key)
    engine.execute("DETACH vault_in_the_making")
    with storage_border("the vault"):
        half.replace(path)
        sync_folder(path.parent)
