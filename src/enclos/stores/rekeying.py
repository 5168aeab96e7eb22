"""Move what one key holds to its next generation, file by file; a file already moved is recognised and left.

Each function may be stopped anywhere and run again: a file is the old one or the new one, whole, and opens under
exactly one of the two keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.engine import Engine
from enclos.stores.files import put_durably, storage_border, write_atomically
from enclos.stores.sealed import seal, sealed_copy_sql, sealed_scan_sql, unseal

_OLD, _NEW = KeyName(KeyRole.CHECK, "rekey-old"), KeyName(KeyRole.CHECK, "rekey-new")
"""Under these names the engine holds the two keys during a move; no key store has them."""


def rekey_database(engine: Engine, path: Path, old: SecretKey, new: SecretKey) -> bool:
    """Move an encrypted DuckDB file (the vault, or a DuckLake catalog); whether it had to be moved.

    Refuses: STORAGE_BROKEN when it opens under neither key, or a table's rows would not be as many.
    """
    if not path.exists():
        return False
    if _database_opens(engine, path, new):
        return False
    copy_database(engine, path, old, path, new)
    return True


def copy_database(
    engine: Engine,
    path: Path,
    old: SecretKey,
    to: Path,
    new: SecretKey,
    *,
    read_only: bool = False,
    then: Callable[[str], None] = lambda _alias: None,
) -> None:
    """Put a copy of an encrypted DuckDB file under another key in a place, which may be its own.

    In: then — changes the copy, attached under that alias, before it takes its place.
    Refuses: STORAGE_BROKEN when it does not open under the old key, or a table's rows would not be as many;
        ENCLOSURE_BUSY while somebody writes to it.
    """
    temporary = to.with_name(f".{to.name}.rekeying")
    with storage_border("a moved file"):
        to.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
    engine.attach_database("rekey_old", path, old, read_only=read_only)
    try:
        engine.attach_database("rekey_new", temporary, new)
        try:
            engine.execute("COPY FROM DATABASE rekey_old TO rekey_new")
            same = _row_counts(engine, "rekey_old") == _row_counts(engine, "rekey_new")
            then("rekey_new")
        finally:
            engine.execute("DETACH rekey_new")
    finally:
        engine.execute("DETACH rekey_old")
    if not same:
        temporary.unlink()
        raise _lost()
    with storage_border("a moved file"):
        put_durably(temporary, to)


def rekey_parquet(engine: Engine, paths: Iterable[Path], old: SecretKey, new: SecretKey) -> int:
    """Move encrypted Parquet files, rows in their order; how many had to be moved.

    Refuses: STORAGE_BROKEN when a file opens under neither key, or its rows would not be as many.
    """
    engine.add_parquet_key(SecretKey(_OLD, old.reveal()))
    engine.add_parquet_key(SecretKey(_NEW, new.reveal()))
    engine.execute("SET preserve_insertion_order = true")
    n_moved = 0
    try:
        for path in sorted(paths):
            if _n_rows(engine, path, _NEW) is not None:
                continue
            n_rows = _n_rows(engine, path, _OLD)
            if n_rows is None:
                raise refusal(
                    Code.STORAGE_BROKEN, "A sealed table opens under neither key.", "Restore it from a backup."
                )
            temporary = path.with_name(f".{path.name}.rekeying")
            temporary.unlink(missing_ok=True)
            engine.execute(sealed_copy_sql(f"FROM {sealed_scan_sql(path, _OLD)}", temporary, _NEW))
            if _n_rows(engine, temporary, _NEW) != n_rows:
                temporary.unlink()
                raise _lost()
            with storage_border("a moved file"):
                put_durably(temporary, path)
            n_moved += 1
    finally:
        engine.execute("SET preserve_insertion_order = false")
    return n_moved


def rekey_sealed(contexts: Mapping[Path, str], old: SecretKey, new: SecretKey) -> int:
    """Move small sealed files, each with the context that it is bound to; how many had to be moved.

    Refuses: STORAGE_BROKEN when a file opens under neither key.
    """
    n_moved = 0
    for path, context in sorted(contexts.items()):
        sealed = path.read_bytes()
        try:
            unseal(new, sealed, context)
        except Refusal:
            write_atomically(path, seal(new, unseal(old, sealed, context), context), "a moved file")
            n_moved += 1
    return n_moved


def _database_opens(engine: Engine, path: Path, key: SecretKey) -> bool:
    try:
        engine.attach_database("rekey_try", path, key, read_only=True)
    except Refusal:
        return False
    engine.execute("DETACH rekey_try")
    return True


def _row_counts(engine: Engine, database: str) -> dict[str, int]:
    tables = engine.rows(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY ALL", [database]
    )
    return {
        f"{schema}.{table}": int(engine.scalar(f'SELECT count(*) FROM {database}."{schema}"."{table}"'))
        for schema, table in tables
    }


def _n_rows(engine: Engine, path: Path, key: KeyName) -> int | None:
    try:
        return int(engine.scalar(f"SELECT count(*) FROM {sealed_scan_sql(path, key)}"))
    except Refusal:
        return None


def _lost() -> Refusal:
    return refusal(
        Code.STORAGE_BROKEN, "Rows would be lost in the move to a new key; nothing was put.", "Check the storage."
    )
