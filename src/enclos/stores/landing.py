"""The landing zone: delivered rows as encrypted Parquet, one folder per delivery."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import delivered_tables
from enclos.intake.model import REJECTED
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.stores.engine import Engine
from enclos.stores.files import remove_tree, storage_border, sync_folder
from enclos.stores.sealed import sealed_copy_sql, sealed_scan_sql

_WAITING = ".waiting-"
"""Prefix of a folder whose delivery is not accepted yet."""
_OWN = "link-"
"""Prefix of the keys that belong to one delivery."""
_HIDDEN = ("_delivery", "_line")


class LandingKeys(Protocol):
    """What the landing zone needs of a key store."""

    def create(self, name: KeyName) -> None:
        """Make a new random key."""

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there."""

    def secret(self, name: KeyName) -> SecretKey:
        """The key for symmetric use."""

    def destroy(self, name: KeyName) -> None:
        """Forget the key for ever."""

    def names(self) -> list[str]:
        """The names of the keys that are there."""


def landed_under(engine: Engine, root: Path, key: KeyName) -> list[Path]:
    """Every table of the landing zone, rejected lines included, that one of the vault's keys seals."""
    rows = engine.rows("SELECT DISTINCT delivery_id FROM vault.landed WHERE key_subject = ?", [key.subject])
    return [path for (delivery,) in rows for path in sorted((root / str(delivery)).rglob("*.parquet"))]


def landed_of_source(engine: Engine, root: Path, source: str) -> list[Path]:
    """Every table of a source that the vault's own key seals, rejected lines included."""
    rows = engine.rows(
        "SELECT DISTINCT delivery_id FROM vault.landed WHERE source = ? AND key_subject = '' ORDER BY ALL", [source]
    )
    return [path for (delivery,) in rows for path in sorted((root / str(delivery)).rglob("*.parquet"))]


def _fresh_subject(delivery_id: str) -> str:
    """The name of a delivery's own key; never used twice, since a destroyed key's name is not given again."""
    return f"{_OWN}{delivery_id[:16]}-{secrets.token_hex(4)}"


def _landed_sql(deliveries: Sequence[int]) -> str:
    """The landed files of a table that have rows. Parameters: kind, family, and twice the source or NULL for any."""
    ordinals = f"ordinal IN ({', '.join(map(str, deliveries))})" if deliveries else "true"
    return (
        "FROM vault.landed WHERE kind = ? AND family = ? AND path IS NOT NULL AND n_landed > 0 "
        f"AND (? IS NULL OR source = ?) AND ({ordinals})"
    )


class LandingZone:
    """Landed rows of all deliveries; a link delivery's rows have a key of their own, so that they can be destroyed."""

    def __init__(self, engine: Engine, root: Path, keys: LandingKeys) -> None:
        self._engine = engine
        self._root = root
        self._keys = keys
        self._held: set[KeyName] = set()
        with storage_border("the landing zone"):
            root.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return "LandingZone()"

    # -- as intake sees it

    def sweep(self, deliveries: frozenset[str], key_subjects: frozenset[str]) -> int:
        """Remove the folders and keys that no accepted delivery owns (left by a crash); the number of folders."""
        prefix = f"{KeyRole.VAULT.value}/"
        for name in self._keys.names():
            subject = name.removeprefix(prefix)
            if name.startswith(prefix + _OWN) and subject not in key_subjects:
                self._keys.destroy(KeyName(KeyRole.VAULT, subject))
        orphans = [folder for folder in sorted(self._root.iterdir()) if folder.name not in deliveries]
        for folder in orphans:
            remove_tree(folder)
        return len(orphans)

    def begin(self, delivery_id: str, *, own_key: bool) -> LandingStaging:
        """Open a staging area for a delivery."""
        key = KeyName(KeyRole.VAULT, _fresh_subject(delivery_id) if own_key else "")
        if own_key:
            self._keys.create(key)
        return LandingStaging(self._engine, self._root, delivery_id, self._hold(key))

    # -- as linkage and pseudonyms see it

    def relation(
        self,
        kind: str,
        family: str,
        columns: Sequence[str],
        *,
        source: str | None = None,
        deliveries: Sequence[int] = (),
    ) -> str:
        """A FROM-able expression over all landed rows of a table: the columns asked for, then ``_source``,
        ``_table`` (the delivered name, which holds a PMSI table's year), ``_delivery`` and ``_line``.

        In: deliveries — ordinals; none means all. A column that a file lacks is empty.
        Empty: no landed file gives no row.
        """
        rows = self._engine.rows(
            "SELECT source, table_name, columns, key_subject, list(path ORDER BY path) "
            f"{_landed_sql(deliveries)} GROUP BY source, table_name, columns, key_subject ORDER BY ALL",
            [kind, family, source, source],
        )
        types = {c.name: c.sql_type for c in delivered_tables(Kind(kind))[family.lower()].columns}
        selects = [
            self.rows_of(
                of_source,
                table,
                tuple(present),
                [self._root / path for path in paths],
                columns,
                types,
                KeyName(KeyRole.VAULT, key_subject),
            )
            for of_source, table, present, key_subject, paths in rows
        ]
        if not selects:
            nothing = [f'CAST(NULL AS {types[name]}) AS "{name}"' for name in columns]
            nothing += ["'' AS _source", "'' AS _table", "CAST(NULL AS INTEGER) AS _delivery"]
            nothing.append("CAST(NULL AS BIGINT) AS _line")
            selects = [f"SELECT {', '.join(nothing)} WHERE false"]
        return f"({' UNION ALL '.join(selects)})"

    def rows_of(
        self,
        source: str,
        table: str,
        present: tuple[str, ...],
        paths: list[Path],
        columns: Sequence[str],
        types: dict[str, str],
        key: KeyName,
    ) -> str:
        """A SELECT of the landed rows of some files of one table."""
        values = [f'"{name}"' if name in present else f'CAST(NULL AS {types[name]}) AS "{name}"' for name in columns]
        values += [f"'{source}' AS _source", f"'{table}' AS _table", *_HIDDEN]
        return f"SELECT {', '.join(values)} FROM {sealed_scan_sql(paths, self._hold(key))}"

    def rejected_lines(self, delivery_id: str) -> str | None:
        """A FROM-able expression over the raw rejected lines of a delivery, or None when it has none.

        Out: table_name, delivered_path, line_number, reason, column_name, raw (bytes)
        """
        path = self._root / delivery_id / REJECTED
        owned = "SELECT DISTINCT key_subject FROM vault.landed WHERE delivery_id = ?"
        subjects = self._engine.rows(owned, [delivery_id])
        if not path.exists() or not subjects:
            return None
        return sealed_scan_sql(path, self._hold(KeyName(KeyRole.VAULT, subjects[0][0])))

    # -- as linkage sees link deliveries

    def destroy_link(self, delivery_id: str, key_subject: str) -> None:
        """Make a link delivery's rows unreadable for ever: its key first, then its files."""
        if not key_subject.startswith(_OWN):
            raise ValueError("only a delivery with a key of its own can be destroyed")
        self._keys.destroy(KeyName(KeyRole.VAULT, key_subject))
        remove_tree(self._root / delivery_id)

    def _hold(self, key: KeyName) -> KeyName:
        if key not in self._held:
            self._engine.add_parquet_key(self._keys.secret(key))
            self._held.add(key)
        return key


FILE_LINES = 1 << 40
"""More lines than a file has."""


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A file that landed: what its lines are called by."""

    delivery: str
    source: str
    table: str
    path: str
    sha256: str
    """Of the content, unpacked."""


class LandingByFile:
    """The landed rows with their file: ``_line`` is the file's number times FILE_LINES, plus the line."""

    def __init__(self, engine: Engine, zone: LandingZone, root: Path) -> None:
        self._engine = engine
        self._zone = zone
        self._root = root
        found = engine.rows(
            "SELECT path, delivery_id, source, table_name, delivered_path, content_sha256 "
            "FROM vault.landed WHERE path IS NOT NULL "
            "ORDER BY ordinal, path"
        )
        self._numbers = {str(row[0]): number for number, row in enumerate(found)}
        self._files = [LandedFile(*(str(value) for value in row[1:])) for row in found]

    def __repr__(self) -> str:
        return "LandingByFile()"

    def line(self, number: int) -> tuple[LandedFile, int]:
        """The file and the line that a ``_line`` says."""
        return self._files[number // FILE_LINES], number % FILE_LINES

    def relation(
        self,
        kind: str,
        family: str,
        columns: Sequence[str],
        *,
        source: str | None = None,
        deliveries: Sequence[int] = (),
    ) -> str:
        """As the landing zone gives it, with the file in ``_line``."""
        rows = self._engine.rows(
            f"SELECT source, table_name, columns, key_subject, path {_landed_sql(deliveries)}",
            [kind, family, source, source],
        )
        if not rows:
            return self._zone.relation(kind, family, columns, source=source, deliveries=deliveries)
        types = {c.name: c.sql_type for c in delivered_tables(Kind(kind))[family.lower()].columns}
        selects = []
        for of_source, table, present, subject, path in rows:
            key = KeyName(KeyRole.VAULT, subject)
            read = self._zone.rows_of(of_source, table, tuple(present), [self._root / path], columns, types, key)
            line = f"_line + {self._numbers[path] * FILE_LINES}"
            selects.append(f"SELECT * REPLACE ({line} AS _line) FROM ({read})")
        return f"({' UNION ALL '.join(selects)})"


class LandingStaging:
    """Where a delivery's rows wait until the delivery is accepted as a whole."""

    def __init__(self, engine: Engine, root: Path, delivery_id: str, key: KeyName) -> None:
        self._engine = engine
        self._root = root
        self._delivery_id = delivery_id
        self._key = key
        self._folder = root / f"{_WAITING}{delivery_id}"
        remove_tree(self._folder)
        with storage_border("the delivery"):
            self._folder.mkdir()

    @property
    def key_subject(self) -> str:
        """Which of the vault's keys seals the rows; empty for the vault's own."""
        return self._key.subject

    def write(self, name: str, select_sql: str) -> int:
        """Write a query's rows under a name; the number of rows."""
        path = self._folder / name
        with storage_border("the delivery"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        return int(self._engine.scalar(sealed_copy_sql(select_sql, path, self._key)))

    def scan(self, name: str) -> str:
        """A FROM-able expression over what was written."""
        return sealed_scan_sql(self._folder / name, self._key)

    def publish(self) -> None:
        """Make everything durable under the delivery's id; the vault's tables decide whether it counts."""
        with storage_border("the delivery"):
            for path in sorted(self._folder.rglob("*"), reverse=True):
                _sync(path)
            sync_folder(self._folder)
            self._folder.rename(self._root / self._delivery_id)
            sync_folder(self._root)

    def discard(self) -> None:
        """Forget everything, published or not; a key of its own goes with the next sweep."""
        remove_tree(self._folder)
        remove_tree(self._root / self._delivery_id)


def _sync(path: Path) -> None:
    if path.is_dir():
        sync_folder(path)
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
