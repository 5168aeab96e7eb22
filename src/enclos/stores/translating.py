"""Put pseudonyms in the place of others in landed files, file by file; a file already translated is left as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.engine import Engine
from enclos.stores.files import put_durably, storage_border
from enclos.stores.sealed import sealed_copy_sql, sealed_scan_sql

_TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_ROWS = 50_000
_WAITING, _PIECE = "enclos_translated", "enclos_piece"


class Translation:
    """Old pseudonyms and new ones, 64 bytes a pair; its repr shows nothing."""

    def __init__(self, pairs: pa.Table) -> None:
        old = np.asarray(pairs["old"].to_pylist(), dtype="S32")
        order = np.argsort(old)
        self._old = old[order]
        self._new = np.asarray(pairs["new"].to_pylist(), dtype="S32")[order]

    def __repr__(self) -> str:
        return "Translation()"

    def of(self, texts: Iterable[str | None]) -> list[str | None]:
        """The texts with every old pseudonym in them replaced by its new one."""
        held = list(texts)
        asked = np.asarray(sorted({found for text in held if text for found in _TOKEN.findall(text)}), dtype="S32")
        if not len(asked):
            return held
        places = np.minimum(np.searchsorted(self._old, asked), len(self._old) - 1)
        known = self._old[places] == asked
        images = {old.decode(): new.decode() for old, new in zip(asked[known], self._new[places[known]], strict=True)}
        if not images:
            return held
        return [text and _TOKEN.sub(lambda found: images.get(found[0], found[0]), text) for text in held]


def translate_parquet(engine: Engine, paths: Iterable[Path], key: SecretKey, translation: Translation) -> int:
    """Translate sealed Parquet files, rows in their order; how many had anything to translate.

    Refuses: STORAGE_BROKEN when a file's rows would not be as many
    """
    engine.add_parquet_key(key)
    engine.execute("SET preserve_insertion_order = true")
    n_changed = 0
    try:
        for path in sorted(paths):
            n_changed += _translate(engine, path, key.name, translation)
    finally:
        engine.execute(f"DROP TABLE IF EXISTS {_WAITING}")
        engine.execute("SET preserve_insertion_order = false")
    return n_changed


def _translate(engine: Engine, path: Path, key: KeyName, translation: Translation) -> bool:
    scan = sealed_scan_sql(path, key)
    n_rows = int(engine.scalar(f"SELECT count(*) FROM {scan}"))
    changed = False
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {_WAITING} AS FROM {scan} LIMIT 0")
    for start in range(0, n_rows, _ROWS):
        piece = engine.query(f"FROM {scan} LIMIT {_ROWS} OFFSET {start}")
        translated = _piece(piece, translation)
        changed = changed or not translated.equals(piece)
        engine.register(_PIECE, translated)
        engine.execute(f"INSERT INTO {_WAITING} FROM {_PIECE}")
        engine.unregister(_PIECE)
    if not changed:
        return False
    temporary = path.with_name(f".{path.name}.rekeying")
    temporary.unlink(missing_ok=True)
    engine.execute(sealed_copy_sql(f"FROM {_WAITING}", temporary, key))
    if int(engine.scalar(f"SELECT count(*) FROM {sealed_scan_sql(temporary, key)}")) != n_rows:
        temporary.unlink()
        raise refusal(
            Code.STORAGE_BROKEN, "Rows would be lost in the translation; nothing was put.", "Check the storage."
        )
    with storage_border("a translated file"):
        put_durably(temporary, path)
    return True


def _piece(piece: pa.Table, translation: Translation) -> pa.Table:
    for place, field in enumerate(piece.schema):
        column: Any = piece.column(place).to_pylist() if _is_text(field.type) else None
        if column is None:
            continue
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            told = translation.of(None if each is None else each.decode("latin-1") for each in column)
            values: list[Any] = [None if each is None else each.encode("latin-1") for each in told]
        else:
            values = list(translation.of(column))
        piece = piece.set_column(place, field, pa.array(values, field.type))
    return piece


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return any(
        is_one(kind) for is_one in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )
