"""The crossing: the only folder that vault and research wing both open, encrypted under its own key.

crossing/<unit>/<table>/bucket=<n>/<part>_<i>.parquet, or crossing/<unit>/<table>/<part>.parquet where a table holds no
person. A sealed list says which units count; readers open no other file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.engine import Engine
from enclos.stores.files import remove_tree, storage_border, sync_folder, write_atomically
from enclos.stores.sealed import seal, sealed_copy_sql, sealed_scan_sql, unseal

_LIST = "units.sealed"
_CONTEXT = "enclos crossing units"


class CrossingKeys(Protocol):
    """What the crossing needs of a key store: one key."""

    def secret(self, name: KeyName) -> SecretKey:
        """The key for symmetric use."""


class CrossingZone:
    """Pseudonymised tables by unit; one writer (pseudonyms), any number of readers (warehouse)."""

    def __init__(self, engine: Engine, root: Path, keys: CrossingKeys) -> None:
        self._engine = engine
        self._root = root
        self._key = keys.secret(KeyName(KeyRole.CROSSING))
        engine.add_parquet_key(self._key)
        with storage_border("the crossing"):
            root.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return "CrossingZone()"

    # -- as pseudonyms see it

    def notes(self) -> dict[str, dict[str, Any]]:
        """The units that crossed: name → note."""
        units = self._list()["units"]
        return {str(name): dict(note) for name, note in units.items()}

    def begin(self, unit: str) -> None:
        """Open an empty unit; an unfinished one of that name is removed."""
        remove_tree(self._root / unit)
        with storage_border("the crossing"):
            (self._root / unit).mkdir()

    def write(self, unit: str, table: str, part: str, select_sql: str, *, by_bucket: bool) -> int:
        """Write a query's rows as one part of a unit's table; the number of rows."""
        folder = self._root / unit / table
        with storage_border("the crossing"):
            folder.mkdir(exist_ok=True)
        if by_bucket:
            copy = sealed_copy_sql(select_sql, folder, self._key.name, partition_by=("bucket",), file_name=part)
        else:
            copy = sealed_copy_sql(select_sql, folder / f"{part}.parquet", self._key.name)
        self._engine.execute(copy)
        files = sorted(folder.glob(f"bucket=*/{part}_*.parquet" if by_bucket else f"{part}.parquet"))
        if not files:
            return 0
        return int(self._engine.scalar(f"SELECT count(*) FROM {sealed_scan_sql(files, self._key.name)}"))

    def publish(self, unit: str) -> None:
        """Make a unit's files durable; only ``keep`` makes them count."""
        with storage_border("the crossing"):
            for path in (self._root / unit).rglob("*"):
                handle = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            sync_folder(self._root / unit)
            sync_folder(self._root)

    def keep(self, notes: Mapping[str, Mapping[str, Any]], *, complete: bool) -> None:
        """Let exactly these units count, at once, and remove all others; readers wait until it is complete."""
        document = {"complete": complete, "units": {name: dict(note) for name, note in notes.items()}}
        sealed = seal(self._key, canonical_bytes(document), _CONTEXT)
        write_atomically(self._root / _LIST, sealed, "the crossing")
        for folder in self._root.iterdir():
            if folder.is_dir() and folder.name not in notes:
                remove_tree(folder)

    # -- as the warehouse sees it

    def tables(self) -> Collection[str]:
        """Names of the tables that crossed, sorted."""
        folders = (self._root / unit for unit in self._complete_units())
        return sorted({table.name for folder in folders for table in folder.iterdir()})

    def relation(self, table: str, bucket: int | None) -> str | None:
        """A FROM-able expression over one bucket (None: all of them), or None when nothing crossed.

        A table that holds no person has no bucket; it is given whole.
        """
        within = "*/*.parquet" if bucket is None else f"bucket={bucket}/*.parquet"
        files: list[Path] = []
        for unit in self._complete_units():
            folder = self._root / unit / table
            files += sorted(folder.glob("*.parquet")) + sorted(folder.glob(within))
        return sealed_scan_sql(files, self._key.name) if files else None

    def _complete_units(self) -> list[str]:
        document = self._list()
        if not document["complete"]:
            raise refusal(
                Code.CROSSING_UNBALANCED, "The last crossing was stopped before its end.", "Build again to complete it."
            )
        return list(document["units"])

    def _list(self) -> dict[str, Any]:
        try:
            sealed = (self._root / _LIST).read_bytes()
        except FileNotFoundError:
            return {"complete": True, "units": {}}
        document: dict[str, Any] = json.loads(unseal(self._key, sealed, _CONTEXT))
        return document
