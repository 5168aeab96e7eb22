"""Saved cohorts of a permit on disk: one file sealed under the permit's key, replaced whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.files import lock_exclusive, storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_CONTEXT = "cohorts/saved"
_NAMES, _DEFINITIONS = b"enclos cohort names", b"enclos cohort definitions"
_FIRST_GIVEN = 1_000_000
_ID = "cohort_definition_id"
SCHEMA = pa.schema(
    [
        ("cohort_definition_id", pa.int64()),
        ("subject_id", pa.int64()),
        ("cohort_start_date", pa.date32()),
        ("cohort_end_date", pa.date32()),
    ]
)


class CohortFile:
    """``permits/<permit>/cohorts/saved.sealed``: rows under the permit's own numbers, and each cohort's name and
    definition.

    Refuses: STORAGE_FULL, STORAGE_BROKEN when the file is altered.
    """

    def __init__(self, permit_folder: Path, key: SecretKey) -> None:
        self._path = _path(permit_folder)
        self._key = key

    def __repr__(self) -> str:
        return "CohortFile()"

    def rows(self) -> pa.Table:
        """The rows of all saved cohorts; none before any was saved."""
        if not self._path.is_file():
            return SCHEMA.empty_table()
        content = unseal(self._key, self._path.read_bytes(), _CONTEXT)
        try:
            return pq.read_table(io.BytesIO(content))
        except pa.ArrowException:
            raise refusal(Code.STORAGE_BROKEN, "Saved cohorts cannot be read.", "Save them again.") from None

    def names(self) -> dict[str, int]:
        """The id of each saved cohort by its name."""
        return {name: int(number) for name, number in _told(self.rows(), _NAMES).items()}

    def definition(self, name: str) -> str | None:
        """The text of the definition that a cohort was saved by; None where there is none, or only its rows."""
        text = _told(self.rows(), _DEFINITIONS).get(name)
        return None if text is None else str(text)

    def replace(self, cohorts: Mapping[str, pa.Table], definitions: Mapping[str, str]) -> dict[str, int]:
        """Put these cohorts in the place of those of the same name, beside the others; gives each one's id.

        In: cohorts — by name the rows subject_id, cohort_start_date, cohort_end_date. A name that is a number below a
            million is its own id; another one gets the first free from a million on, and keeps it.
            definitions — the text of each one's definition
        """
        with storage_border("a cohort"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with lock_exclusive(self._path.parent / ".lock"):
            kept = self.rows()
            names: dict[str, int] = _told(kept, _NAMES)
            texts = {**_told(kept, _DEFINITIONS), **{name: definitions[name] for name in cohorts}}
            for name in cohorts:
                names.setdefault(name, _own_id(name) or 0)
            taken = set(names.values())
            for name in cohorts:
                if not names[name]:
                    names[name] = next(number for number in count(_FIRST_GIVEN) if number not in taken)
                    taken.add(names[name])
            ids = {name: names[name] for name in cohorts}
            replaced = pc.is_in(kept[_ID], pa.array(list(ids.values()), pa.int64()))
            parts = [
                rows.select(SCHEMA.names[1:]).add_column(0, _ID, pa.array([ids[name]] * rows.num_rows, pa.int64()))
                for name, rows in cohorts.items()
            ]
            parts.append(kept.filter(pc.invert(replaced)))
            whole = pa.concat_tables([part.replace_schema_metadata(None).cast(SCHEMA) for part in parts])
            told = {_NAMES: json.dumps(names).encode("utf-8"), _DEFINITIONS: json.dumps(texts).encode("utf-8")}
            self._write(whole.replace_schema_metadata(told))
        return ids

    def _write(self, table: pa.Table) -> None:
        out = io.BytesIO()
        pq.write_table(table, out, compression="zstd")
        write_atomically(self._path, seal(self._key, out.getvalue(), _CONTEXT), "a cohort")


def _told(rows: pa.Table, key: bytes) -> dict[str, Any]:
    """What the file says of each cohort by its name."""
    found: dict[str, Any] = json.loads((rows.schema.metadata or {}).get(key, b"{}"))
    return found


def remove_cohorts(permit_folder: Path) -> None:
    """Take all saved cohorts of a permit away; needs no key."""
    with storage_border("a cohort"):
        _path(permit_folder).unlink(missing_ok=True)


def _path(permit_folder: Path) -> Path:
    return permit_folder / "cohorts" / "saved.sealed"


def _own_id(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdigit() and 0 < int(name) < _FIRST_GIVEN else None
