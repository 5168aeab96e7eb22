"""The one door to DuckDB: signed extensions, encrypted spill files, and errors without the engine's text."""

from __future__ import annotations

import importlib.util
import os
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal

_EXTENSIONS = ("httpfs", "ducklake")
_TRACE_VARIABLE = "ENCLOS_UNSAFE_TRACE"
"""Prints engine errors with their text on stderr; for developers on synthetic data only."""

_FULL_MARKS = ("no space left", "disk full", "could not write all bytes", "file too large", "disk quota")
_BROKEN_MARKS = (
    "encryption key",
    "wrong key",
    "is encrypted",
    "without a key",
    "computed aes tag",
    "magic bytes",
    "footer length",
    "too small to be a parquet",
    "could not read enough bytes",
    "decryptiontransport",
    # of a footer that is not one
    "don't know what type",
    "invalid ttype",
    "tprotocolexception",
    "corrupt",
    "checksum",
    "no files found",
    "cannot open file",
    "not a valid duckdb",
    "no such file",
)
_OF_FILES = (duckdb.IOException, duckdb.InvalidInputException, duckdb.CatalogException, duckdb.InternalException)
_BUSY_MARKS = ("could not set lock", "conflicting lock")
_REMOTE_MARKS = ("http error", "error for http", "unable to connect to url", "http code")
_DENIED_MARKS = ("http code 401", "http code 403", "http 401", "http 403")
_ABSENT_MARKS = ("http code 404", "http 404", "http code 416", "http 416", "mismatches requested range")
"""The object is not there, or has not all the bytes that the catalog or its footer names."""


class EngineFault(RuntimeError):
    """The engine failed in a way that is a bug of ours; its text, which may quote data, stays behind."""


def _extension_path(name: str) -> Path:
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        raise EngineFault(f"the extension wheel duckdb-extension-{name} is not installed")
    return Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


@contextmanager
def engine_border() -> Iterator[None]:
    """Replace the engine's exceptions by refusals or an EngineFault that carry none of its text."""
    try:
        yield
    except duckdb.Error as error:
        if os.environ.get(_TRACE_VARIABLE):
            traceback.print_exception(error)
        text = str(error).lower()
        kind = type(error).__name__
        if isinstance(error, duckdb.OutOfMemoryException) or any(mark in text for mark in _FULL_MARKS):
            raise refusal(
                Code.STORAGE_FULL,
                "The step stopped: the storage or the memory it may use is full.",
                "Free space, then run it again.",
            ) from None
        if any(mark in text for mark in _BUSY_MARKS):
            raise refusal(
                Code.ENCLOSURE_BUSY,
                "Another process is using this enclosure.",
                "Wait until it ends, then run it again.",
            ) from None
        if isinstance(error, duckdb.HTTPException) or any(mark in text for mark in _REMOTE_MARKS):
            raise _remote_refusal(text) from None
        is_of_files = type(error) is duckdb.Error or isinstance(error, _OF_FILES)
        if is_of_files and any(mark in text for mark in _BROKEN_MARKS):
            raise refusal(
                Code.STORAGE_BROKEN,
                "A stored file cannot be read: it is missing, altered, or its key is another one.",
                "Check the storage, or restore the enclosure from a backup.",
            ) from None
        raise EngineFault(f"the engine stopped with {kind}") from None


def _remote_refusal(text: str) -> Refusal:
    """What the storage's answer to the engine means."""
    if any(mark in text for mark in _DENIED_MARKS):
        return refusal(
            Code.STORAGE_CREDENTIALS,
            "The object storage refuses these credentials.",
            "Give the ones of this bucket: ENCLOS_S3_KEY_ID and ENCLOS_S3_SECRET.",
        )
    if any(mark in text for mark in _ABSENT_MARKS):
        return refusal(
            Code.STORAGE_BROKEN,
            "The object storage does not give an object that the catalog names, or not all of it.",
            "Find which: enclos hosting verify DIR; then restore it from a backup.",
        )
    return refusal(
        Code.STORAGE_UNREACHABLE,
        "The object storage does not answer as it should, several times in a row.",
        "Nothing was lost: run it again when the storage answers.",
    )


class _Lent:
    """An Arrow table that a connection reads until it is taken back.

    A view that is dropped inside a transaction holds its object until the transaction ends; a build is one transaction,
    and all that it ever staged would lie in memory. So the view holds this and this lets go of the table.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table: pa.Table | None = table

    def __arrow_c_schema__(self) -> object:
        return self._rows().schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._rows().__arrow_c_stream__(requested_schema)

    def take_back(self) -> None:
        """Free the table's memory."""
        self._table = None

    def _rows(self) -> pa.Table:
        if self._table is None:
            raise AssertionError("a statement read rows that were taken back")
        return self._table


class Engine:
    """One DuckDB connection with everything loaded and nothing downloaded."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, keys: set[str] | None = None) -> None:
        self._connection = connection
        self._lent: dict[str, _Lent] = {}
        self._beside: list[Engine] = []
        self._keys: set[str] = set() if keys is None else keys
        """Names of the Parquet keys that were added, by any connection to the same databases."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "Engine()"

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, for a library of the stores that runs statements itself."""
        return self._connection

    def close(self) -> None:
        """Close the connection and everything attached to it."""
        with engine_border():
            self._connection.close()

    def interrupt(self) -> None:
        """Stop the statement that runs now, here or in a connection beside, from another thread."""
        self._connection.interrupt()
        for other in tuple(self._beside):
            other.interrupt()

    @contextmanager
    def beside(self) -> Iterator[Engine]:
        """Another connection to the same databases; its temporary tables, variables and registered rows end with it."""
        with engine_border():
            other = Engine(_set_up(self._connection.cursor()), self._keys)
        self._beside.append(other)
        try:
            yield other
        finally:
            self._beside.remove(other)
            other.close()

    @property
    def holds_parquet_keys(self) -> bool:
        """Whether a Parquet key was added; the engine forgets none until it closes."""
        return bool(self._keys)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement for its effect."""
        with engine_border():
            self._connection.execute(sql, list(parameters)) if parameters else self._connection.execute(sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements of the block count, or none."""
        self.execute("BEGIN TRANSACTION")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # a failed commit has rolled back already; the first fault is the one to tell
                self.execute("ROLLBACK")
            raise

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """Run a query and take its whole result as Arrow."""
        with engine_border():
            cursor = self._connection.execute(sql, list(parameters)) if parameters else self._connection.execute(sql)
            return cursor.to_arrow_table()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a query and take its rows as Python values."""
        with engine_border():
            cursor = self._connection.execute(sql, list(parameters)) if parameters else self._connection.execute(sql)
            return cursor.fetchall()

    def scalar(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """The first value of the first row, or None."""
        found = self.rows(sql, parameters)
        return found[0][0] if found else None

    def load(self, name: str, rows: pa.Table) -> None:
        """Make a temporary table of some rows, in the place of one of that name."""
        incoming = f"{name}_incoming"
        self.register(incoming, rows)
        try:
            self.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM "{incoming}"')
        finally:
            self.unregister(incoming)

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name."""
        self.unregister(name)
        self._lent[name] = lent = _Lent(table)
        with engine_border():
            self._connection.register(name, lent)

    def unregister(self, name: str) -> None:
        """Forget a registered table and free its memory; what is not registered is forgotten already."""
        if lent := self._lent.pop(name, None):
            with engine_border():
                self._connection.unregister(name)
            lent.take_back()

    def add_parquet_key(self, key: SecretKey) -> None:
        """Let this engine read and write Parquet sealed with the key, under the key's name."""
        self._keys.add(str(key.name))
        self.execute(f"PRAGMA add_parquet_key('{key.name}', '{key.reveal_base64()}')")

    def attach_database(self, alias: str, path: Path, key: SecretKey, *, read_only: bool = False) -> None:
        """Attach an encrypted DuckDB database file."""
        mode = ", READ_ONLY" if read_only else ""
        self.execute(f"ATTACH '{quoted(path)}' AS {alias} (ENCRYPTION_KEY '{key.reveal_base64()}'{mode})")


def quoted(path: Path | str) -> str:
    """A path inside a SQL string literal."""
    return str(path).replace("'", "''")


def open_engine(
    temp_dir: Path | None = None, memory_limit_mb: int = 4096, threads: int = 2, *, is_bare: bool = False
) -> Engine:
    """A fresh engine: signed extensions from the installed wheels, spill files encrypted, nothing autoloaded.

    In: temp_dir — where it may spill (None: nowhere); memory_limit_mb — mebibytes; threads; is_bare — without
        extensions: it opens in a tenth of the time, reads encrypted databases and writes none.
    """
    with engine_border():
        connection = _connected(
            {
                "allow_persistent_secrets": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "memory_limit": f"{memory_limit_mb}MiB",
                "threads": str(threads),
                "preserve_insertion_order": "false",
                "temp_directory": str(temp_dir) if temp_dir else "",
            },
            [] if is_bare else [_extension_path(name) for name in _EXTENSIONS],
        )
        connection.execute("SET temp_file_encryption = true")
        return Engine(_set_up(connection))


def _connected(config: dict[str, str], extensions: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """A connection to a database in memory, with these extensions; the engine verifies the signature of each."""
    connection = duckdb.connect(config={**config})
    for extension in extensions:
        connection.execute(f"LOAD '{quoted(extension)}'")
    return connection


def _set_up(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The connection, with what each one is told for itself."""
    # In a notebook without ipywidgets the engine has no bar to switch off, and refuses to be told so.
    with suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    return connection
