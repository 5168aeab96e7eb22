"""The lake: one encrypted DuckLake, attached as ``lake``; one snapshot id names a whole CDM.

Files are ciphertext Parquet under random keys, which lie in the catalog, which the catalog key opens. The engine gives
one key to all that one statement writes to one table; a build then gives each file its own. Their names are random:
they tell no table and no bucket. They lie in a local folder or in a bucket of an S3 server.
A build is one transaction, so a reader sees the snapshot before it or the one after it, never a part.

Source: DuckLake 1.0 specification (encryption, snapshots, partitioning).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from enclos.contracts.columns import TableContract
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.engine import Engine, EngineFault, quoted
from enclos.stores.lake_statistics import mend_statistics
from enclos.stores.objects import S3Lake

ALIAS = "lake"
_AUTHOR = "enclos"
_ROW_GROUP_ROWS = 122_880
_FILE_KINDS = ("data_file", "delete_file")
_FILE_OPTIONS = {
    "parquet_compression": "'zstd'",
    "parquet_row_group_size": f"'{_ROW_GROUP_ROWS}'",
    "hive_file_pattern": "false",
}


@dataclass(frozen=True, slots=True)
class SnapshotNote:
    """One committed build: its id, its instant, its buckets and what the builder wrote about it."""

    id: int
    built_at: datetime
    n_buckets: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LakeSnapshot:
    """The tables of one build, readable for ever under its id."""

    id: int
    n_buckets: int
    tables: frozenset[str]
    others: frozenset[int] = frozenset()
    """The other builds that are kept."""

    def keeps(self, id_: int) -> bool:
        """Whether that build can be read."""
        return id_ == self.id or id_ in self.others

    def at(self, id_: int) -> LakeSnapshot:
        """Another build, for what both hold.

        Refuses: KeyError when it is not kept.
        """
        if not self.keeps(id_):
            raise KeyError(id_)
        return replace(self, id=id_)

    @property
    def buckets(self) -> tuple[int, ...]:
        """The numbers of the buckets."""
        return tuple(range(self.n_buckets))

    def relation(self, table: str) -> str:
        """A FROM-able expression over the table as this build left it; it may be given an alias.

        Out: the OMOP table's columns; a person table has ``bucket`` before them, which a reader filters on.
        Refuses: KeyError for a table that the snapshot does not hold.
        """
        if table not in self.tables:
            raise KeyError(table)
        return f'(FROM {ALIAS}.main."{table}" AT (VERSION => {self.id}))'


class Lake:
    """The attached lake: reads committed builds; when attached for writing, makes the next one.

    In: is_still — nobody writes it while it is attached, so that its builds are asked for once
    """

    def __init__(self, engine: Engine, *, is_still: bool = False) -> None:
        self._engine = engine
        self._is_still = is_still
        self._notes: list[SnapshotNote] | None = None

    def __repr__(self) -> str:
        return "Lake()"

    def snapshots(self) -> list[SnapshotNote]:
        """The committed builds, oldest first."""
        if self._notes is not None:
            return list(self._notes)
        found = self._engine.rows(
            "SELECT snapshot_id, snapshot_time, commit_extra_info "
            f"FROM ducklake_snapshots('{ALIAS}') WHERE author = ? ORDER BY snapshot_id",
            [_AUTHOR],
        )
        notes = []
        for snapshot_id, built_at, text in found:
            facts = json.loads(text)
            notes.append(SnapshotNote(snapshot_id, built_at.astimezone(UTC), facts["n_buckets"], facts))
        if self._is_still:
            self._notes = list(notes)
        return notes

    def snapshot(self, id_: int | None = None) -> LakeSnapshot:
        """The build of that id, or the newest.

        Refuses: LAKE_EMPTY when nothing was built, SNAPSHOT_UNKNOWN when the id is not a build's.
        """
        notes = self.snapshots()
        if not notes:
            raise refusal(Code.LAKE_EMPTY, "This enclosure has no snapshot yet.", "Run `enclos build` first.")
        chosen = next((note for note in notes if note.id == id_), None) if id_ is not None else notes[-1]
        if chosen is None:
            raise refusal(Code.SNAPSHOT_UNKNOWN, "No build has this snapshot id.", "List them with `enclos snapshots`.")
        kept = frozenset(note.id for note in notes)
        return LakeSnapshot(chosen.id, chosen.n_buckets, frozenset(chosen.facts["tables"]), kept)

    def newest(self) -> int | None:
        """The id of the newest build; None before the first."""
        notes = self.snapshots()
        return notes[-1].id if notes else None

    def facts(self) -> Mapping[str, Any] | None:
        """What the newest build wrote about itself; None before the first."""
        notes = self.snapshots()
        return notes[-1].facts if notes else None

    def name(self, table: str) -> str:
        """The name under which a build reads and writes a table."""
        return f'{ALIAS}.main."{table}"'

    def objects(self) -> frozenset[str]:
        """The names, below the lake's folder, of all files that a kept build reads."""
        return frozenset(self.file_keys())

    def file_keys(self) -> dict[str, bytes]:
        """The key of every file that a kept build reads, by the file's name below the lake's folder."""
        catalog = f"__ducklake_metadata_{ALIAS}"
        found = self._engine.rows(f"SELECT name, encryption_key FROM ({_files_sql(catalog)})")
        return {name: base64.b64decode(key) for name, key in found}

    def replace_files(self, files: Mapping[str, tuple[str, bytes]]) -> None:
        """Let the catalog name other files, at once, in the place of some of its own: the same rows under other keys.

        In: files — for a file's name the new one, in the same folder, and its key.
        """
        catalog = f"__ducklake_metadata_{ALIAS}"
        rows = self._engine.rows(f"SELECT kind, id, name, path FROM ({_files_sql(catalog)})")
        changed = [
            (kind, id_, path.removesuffix(_last(name)) + _last(files[name][0]), files[name][1])
            for kind, id_, name, path in rows
            if name in files
        ]
        with self._engine.transaction():
            _put_files(self._engine, catalog, changed)

    def forget_all_but_newest(self) -> int:
        """Remove every snapshot but the newest build, and the files that only they need; how many builds went."""
        notes = self.snapshots()
        if len(notes) > 1:
            newest = notes[-1].id
            older = [
                str(found)
                for (found,) in self._engine.rows(f"SELECT snapshot_id FROM ducklake_snapshots('{ALIAS}')")
                if found < newest
            ]
            self._engine.execute(f"CALL ducklake_expire_snapshots('{ALIAS}', versions => [{', '.join(older)}])")
            self._engine.execute(f"CALL ducklake_cleanup_old_files('{ALIAS}', cleanup_all => true)")
        return len(notes) - 1

    def begin(self) -> None:
        """Start a build: remove what a killed build left behind, then open its one transaction."""
        self._engine.execute(f"CALL ducklake_delete_orphaned_files('{ALIAS}', cleanup_all => true)")
        self._engine.execute("BEGIN TRANSACTION")

    def create(self, table: TableContract, *, by_bucket: bool, folder: str = "") -> str:
        """Replace the table by an empty one inside the build.

        In: by_bucket — whether rows belong to persons: a leading ``bucket`` column, one file or more per bucket;
            folder — the name of the folder of its files, a new one when not given.
        Out: the name to insert into.
        """
        name = self.name(table.name)
        leading = '"bucket" INTEGER NOT NULL, ' if by_bucket else ""
        columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table)
        self._engine.execute(f"DROP TABLE IF EXISTS {name}")
        # DuckLake names a table's folder after the name that the table is made under, and leaves it so
        nameless = self.name(folder or uuid4().hex)
        self._engine.execute(f"CREATE TABLE {nameless} ({leading}{columns})")
        self._engine.execute(f'ALTER TABLE {nameless} RENAME TO "{table.name}"')
        if by_bucket:
            self._engine.execute(f"ALTER TABLE {name} SET PARTITIONED BY (bucket)")
        return name

    def commit(self, facts: Mapping[str, Any]) -> int:
        """Make the build visible, whole; facts hold at least ``n_buckets`` and ``tables``.

        Out: the snapshot's id.
        """
        text = quoted(json.dumps(dict(facts), sort_keys=True))
        self._engine.execute(f"CALL {ALIAS}.set_commit_message('{_AUTHOR}', 'build', extra_info => '{text}')")
        self._engine.execute("COMMIT")
        with self._engine.transaction():
            mend_statistics(self._engine, f"__ducklake_metadata_{ALIAS}")
        return self.snapshots()[-1].id

    def abandon(self) -> None:
        """Undo the build; the snapshot before it stays the newest."""
        with suppress(EngineFault):  # a commit that failed has ended the transaction itself
            self._engine.execute("ROLLBACK")


def _files_sql(catalog: str) -> str:
    """Every file that a catalog names: kind, number in it, name below the lake's folder, path below its table, key."""
    kinds = " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, {kind}_id AS id, table_id, path, encryption_key FROM {catalog}.ducklake_{kind}"
        for kind in _FILE_KINDS
    )
    return (
        f"SELECT kind, id, schema_.path || table_.path || file.path AS name, file.path AS path, encryption_key "
        f"FROM ({kinds}) AS file "
        f"JOIN {catalog}.ducklake_table AS table_ USING (table_id) "
        f"JOIN {catalog}.ducklake_schema AS schema_ USING (schema_id)"
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def give_files_keys(engine: Engine, catalog: str, keys: Mapping[str, bytes]) -> None:
    """Let a copy of a catalog, attached under that alias, open its files under other keys; no others are its files.

    In: keys — by the file's name, one for every file.
    Refuses: KeyError when a file has none.
    """
    catalog = f"{catalog}.main"
    rows = engine.rows(f"SELECT kind, id, name, path FROM ({_files_sql(catalog)})")
    _put_files(engine, catalog, [(kind, id_, path, keys[name]) for kind, id_, name, path in rows])
    engine.execute(f"DELETE FROM {catalog}.ducklake_files_scheduled_for_deletion")


def _put_files(engine: Engine, catalog: str, rows: Sequence[tuple[str, int, str, bytes]]) -> None:
    """Let a catalog name files, by kind and number, by these paths and keys."""
    for kind in _FILE_KINDS:
        mine = [(id_, path, base64.b64encode(key).decode()) for of_kind, id_, path, key in rows if of_kind == kind]
        if not mine:
            continue
        columns = dict(zip(("id", "path", "key"), zip(*mine, strict=True), strict=True))
        engine.register("enclos_files", pa.table({name: list(values) for name, values in columns.items()}))
        try:
            engine.execute(
                f"UPDATE {catalog}.ducklake_{kind} SET path = enclos_files.path, encryption_key = enclos_files.key "
                f"FROM enclos_files WHERE {kind}_id = enclos_files.id"
            )
        finally:
            engine.unregister("enclos_files")


def attach_lake(engine: Engine, catalog: Path, data: Path | S3Lake, key: SecretKey, *, read_only: bool = False) -> Lake:
    """Attach the enclosure's lake; the first attachment for writing makes it.

    In: data — the folder, or the bucket, where the files lie.
    Refuses: LAKE_EMPTY when it is only to be read and does not exist; STORAGE_BROKEN, ENCLOSURE_BUSY.
    """
    if read_only and not catalog.exists():
        raise refusal(Code.LAKE_EMPTY, "This enclosure has no snapshot yet.", "Run `enclos build` first.")
    _attach(engine, quoted(catalog), data, f"META_ENCRYPTION_KEY '{key.reveal_base64()}'", read_only=read_only)
    return Lake(engine, is_still=read_only)


def attach_piece(engine: Engine, data: Path | S3Lake) -> Lake:
    """Attach an empty lake whose files lie among those of another one, and whose catalog is in memory alone."""
    _attach(engine, ":memory:", data)
    return Lake(engine)


def detach_lake(engine: Engine) -> None:
    """Close the lake's catalog; what was committed is in its file then."""
    engine.execute(f"DETACH {ALIAS}")


def _attach(engine: Engine, catalog: str, data: Path | S3Lake, *options: str, read_only: bool = False) -> None:
    if isinstance(data, Path):
        data.mkdir(parents=True, exist_ok=True)
        folder = f"{data}/"
    else:
        data.lend_to(engine)
        folder = data.folder
    every = [
        f"DATA_PATH '{quoted(folder)}'",
        "OVERRIDE_DATA_PATH true",
        "ENCRYPTED",
        "DATA_INLINING_ROW_LIMIT 0",
        *options,
        *(["READ_ONLY"] if read_only else []),
    ]
    engine.execute(f"ATTACH 'ducklake:{catalog}' AS {ALIAS} ({', '.join(every)})")
    if not read_only:
        known = {name for (name,) in engine.rows(f"SELECT option_name FROM ducklake_options('{ALIAS}')")}
        for option in sorted(_FILE_OPTIONS.keys() - known):
            engine.execute(f"CALL {ALIAS}.set_option('{option}', {_FILE_OPTIONS[option]})")
