"""The crossing: the only folder that vault and research wing both open, encrypted under its own key.

crossing/<unit>/<table>/bucket=<n>/<part>_<i>.parquet, or crossing/<unit>/<table>/<part>.parquet where a table holds no
person. A sealed list says which units count; readers open no other file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.secret_functions import PERSON_FUNCTION, RECORD_FUNCTION
from enclos.stores.engine import Engine
from enclos.stores.files import remove_tree, storage_border, sync_folder, write_atomically
from enclos.stores.sealed import seal, sealed_copy_sql, sealed_scan_sql, unseal

UNITS_FILE = "units.sealed"
UNITS_CONTEXT = "enclos crossing units"


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
        self._files: dict[str, list[tuple[str, int, Path]]] | None = None
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
        return int(self._engine.scalar(copy))

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
        self._files = None
        units = {name: dict(note) for name, note in notes.items()}
        document = {"complete": complete, "functions": [PERSON_FUNCTION, RECORD_FUNCTION], "units": units}
        sealed = seal(self._key, canonical_bytes(document), UNITS_CONTEXT)
        write_atomically(self._root / UNITS_FILE, sealed, "the crossing")
        for folder in self._root.iterdir():
            if folder.is_dir() and folder.name not in notes:
                remove_tree(folder)

    def functions(self) -> list[str]:
        """The keyed functions, with their versions, that the numbers of what crossed were made by."""
        return list(self._list().get("functions", []))

    # -- as the warehouse sees it

    def tables(self) -> Collection[str]:
        """Names of the tables that crossed, sorted."""
        return sorted(self._catalogue())

    def relation(self, table: str, buckets: Sequence[int] | None) -> str | None:
        """A FROM-able expression over some buckets (None: all of them), or None when nothing crossed.

        A table that holds no person has no bucket; it is given whole.
        """
        files = [path for _, _, path in self._found(table, buckets)]
        return sealed_scan_sql(files, self._key.name) if files else None

    def stamp(self, table: str, buckets: Sequence[int] | None) -> str:
        """Which units the rows of some buckets come from: the same units, the same rows."""
        return sha256_hex(canonical_bytes(sorted({(unit, bucket) for unit, bucket, _ in self._found(table, buckets)})))

    def n_rows(self) -> int:
        """How many rows crossed, in all tables."""
        return sum(table["crossed"] for note in self.notes().values() for table in note["account"])

    def _found(self, table: str, buckets: Sequence[int] | None) -> list[tuple[str, int, Path]]:
        """Unit, bucket (-1: none) and path of the files of some buckets."""
        wanted = None if buckets is None else {-1, *buckets}
        return [file for file in self._catalogue().get(table, []) if wanted is None or file[1] in wanted]

    def _catalogue(self) -> dict[str, list[tuple[str, int, Path]]]:
        """The files of the units that count, by table; looked up once, until a unit is written."""
        if self._files is None:
            files: dict[str, list[tuple[str, int, Path]]] = {}
            for unit in sorted(self._complete_units()):
                for path in sorted((self._root / unit).rglob("*.parquet")):
                    table, *within = path.relative_to(self._root / unit).parts
                    bucket = int(within[0].removeprefix("bucket=")) if len(within) > 1 else -1
                    files.setdefault(table, []).append((unit, bucket, path))
            self._files = files
        return self._files

    def _complete_units(self) -> list[str]:
        document = self._list()
        if not document["complete"]:
            raise refusal(
                Code.CROSSING_UNBALANCED, "The last crossing was stopped before its end.", "Build again to complete it."
            )
        return list(document["units"])

    def _list(self) -> dict[str, Any]:
        try:
            sealed = (self._root / UNITS_FILE).read_bytes()
        except FileNotFoundError:
            return {"complete": True, "units": {}}
        document: dict[str, Any] = json.loads(unseal(self._key, sealed, UNITS_CONTEXT))
        return document
