"""An engine for one question after the other, which holds nothing between two of them.

The engine verifies the signatures of its extensions whenever it loads them: two thirds of what a small question takes.
So it is what stays, and nothing else does. A question works on a connection of its own, and its temporary tables,
variables and registered rows end with that; what it attached is detached, with the keys that opened it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from enclos.stores.engine import Engine, open_engine
from enclos.stores.files import remove_tree, storage_border

_Limits: TypeAlias = tuple[Path, int, int]
"""Where it may spill, mebibytes of memory, threads."""
_GOES = (  # the database of a lake's catalog goes with the lake
    """SELECT 'DETACH "' || database_name || '"' FROM duckdb_databases() """
    "WHERE NOT internal AND database_name <> 'memory' AND NOT starts_with(database_name, '__ducklake_metadata_') "
    """UNION ALL SELECT 'DROP TEMPORARY SECRET "' || name || '"' FROM duckdb_secrets()"""
)
_SETTINGS = (
    "access_mode",
    "allow_community_extensions",
    "allow_persistent_secrets",
    "allow_unsigned_extensions",
    "autoinstall_known_extensions",
    "autoload_known_extensions",
    "enable_external_access",
    "memory_limit",
    "preserve_insertion_order",
    "temp_directory",
    "temp_file_encryption",
    "threads",
)
_HELD = (
    "duckdb_databases() WHERE NOT internal",
    "duckdb_schemas() WHERE NOT internal",
    "duckdb_tables()",
    "duckdb_views() WHERE NOT internal",
    "duckdb_sequences()",
    "duckdb_secrets()",
    "duckdb_external_file_cache()",
)
_STATE = (
    " UNION ALL ".join(f"SELECT {number} AS number, count(*) FROM {source}" for number, source in enumerate(_HELD))
    + " ORDER BY number",
    "SELECT " + ", ".join(f"current_setting('{name}')" for name in _SETTINGS),
)
"""What tells an engine that was used from a fresh one."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An engine with its extensions, and what it was when it was opened."""

    engine: Engine
    limits: _Limits
    spill: Path
    state: object


class SpareEngine:
    """Keeps one engine for the next question of an open enclosure; who finds it in use has another one opened.

    It is kept only when the question came to its end and the engine is found as it was opened.
    """

    def __init__(self) -> None:
        self._change = Lock()
        self._idle: _Loaded | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return "SpareEngine()"

    @contextmanager
    def lent(self, spill: Path, memory_limit_mb: int, threads: int) -> Iterator[Engine]:
        """An engine as if it were fresh, with these limits.

        In: spill — a new folder for its encrypted spill files, which is gone when the block ends; an engine that was
            kept has its own one beside
        """
        loaded = self._taken((spill.parent, memory_limit_mb, threads)) or _opened(spill, memory_limit_mb, threads)
        is_as_opened = False
        try:
            with storage_border("spill files"):
                loaded.spill.mkdir(parents=True, exist_ok=True)
            with loaded.engine.beside() as engine:
                yield engine
            is_as_opened = _emptied(loaded.engine) == loaded.state and not any(loaded.spill.iterdir())
        finally:
            if not is_as_opened or loaded.engine.holds_parquet_keys:
                loaded.engine.close()
                remove_tree(loaded.spill)
            else:
                remove_tree(loaded.spill)
                self._keep(loaded)

    def close(self) -> None:
        """Close the engine; nothing is kept from now on."""
        with self._change:
            idle, self._idle, self._is_closed = self._idle, None, True
        if idle is not None:
            idle.engine.close()

    def _taken(self, limits: _Limits) -> _Loaded | None:
        with self._change:
            idle = self._idle
            if idle is None or idle.limits != limits:
                return None
            self._idle = None
            return idle

    def _keep(self, loaded: _Loaded) -> None:
        with self._change:
            if self._idle is None and not self._is_closed:
                self._idle = loaded
                return
        loaded.engine.close()


def _opened(spill: Path, memory_limit_mb: int, threads: int) -> _Loaded:
    with storage_border("spill files"):
        spill.mkdir(parents=True, exist_ok=True)
    try:
        engine = open_engine(spill, memory_limit_mb, threads)
    except BaseException:
        remove_tree(spill)
        raise
    return _Loaded(engine, (spill.parent, memory_limit_mb, threads), spill, _state(engine))


def _emptied(engine: Engine) -> object:
    """Let go of all that a question leaves in an engine; what the engine is then."""
    for (statement,) in engine.rows(_GOES):
        engine.execute(statement)
    for is_on in ("false", "true"):  # what it remembers of files goes
        engine.execute(f"SET GLOBAL enable_external_file_cache = {is_on}")
    return _state(engine)


def _state(engine: Engine) -> object:
    return [engine.rows(statement) for statement in _STATE]
