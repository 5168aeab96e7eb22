"""Runs of studies on disk: everything sealed under the permit's key, so that one destroyed key ends them all."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from enclos.contracts.result import (
    StudyResult,
    cells_from_tables,
    cells_to_tables,
    result_csv,
    result_from_csv,
)
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.files import remove_tree, storage_border, sync_folder, write_atomically
from enclos.stores.sealed import seal, unseal

_RESULT, _CELLS, _PERSONS, _STUDY, _FACTS = "result.csv", "cells.parquet", "persons.parquet", "study.yaml", "run.json"
_FOUND = "found"


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """One finished run: what was asked, what came out, and under which snapshot and permit version."""

    id: str
    study: str
    result: StudyResult
    facts: dict[str, Any]

    def __repr__(self) -> str:
        return f"Run({self.id})"


class RunFiles:
    """``permits/<permit>/runs/<run>/``, each file sealed under the permit's key.

    Refuses: STORAGE_FULL, STORAGE_BROKEN, RUN_UNKNOWN.
    """

    def __init__(self, permit_folder: Path, key: SecretKey) -> None:
        self._root = permit_folder / "runs"
        self._key = key

    def __repr__(self) -> str:
        return "RunFiles()"

    def exists(self, run_id: str) -> bool:
        """Whether the run finished and was kept whole."""
        return self._folder(run_id).is_dir()

    def keep(self, run: Run) -> Path:
        """Keep a run, whole or not at all; gives its folder."""
        cells, persons = cells_to_tables(run.result.cells)
        contents = {
            _RESULT: result_csv(run.result.table, run.result.settings),
            _CELLS: _parquet(cells),
            _PERSONS: _parquet(persons),
            _STUDY: run.study.encode("utf-8"),
            _FACTS: canonical_bytes(run.facts),
        }
        folder = self._folder(run.id)
        half = self._root / f".{run.id}.{os.getpid()}.tmp"
        with storage_border("a run"):
            remove_tree(half)
            half.mkdir(parents=True)
            try:
                for name, content in contents.items():
                    sealed = seal(self._key, content, f"{run.id}/{name}")
                    write_atomically(half / f"{name}.sealed", sealed, "a run")
                half.rename(folder)
                sync_folder(self._root)
            finally:
                remove_tree(half)
        return folder

    def read(self, run_id: str) -> Run:
        """A run that was kept.

        Refuses: RUN_UNKNOWN.
        """
        self._known(run_id)
        table, settings = result_from_csv(self._content(run_id, _RESULT))
        cells = _table(self._content(run_id, _CELLS))
        persons = _table(self._content(run_id, _PERSONS))
        result = StudyResult(table, settings, cells_from_tables(cells, persons))
        facts = json.loads(self._content(run_id, _FACTS))
        return Run(run_id, self._content(run_id, _STUDY).decode("utf-8"), result, facts)

    def all(self) -> list[dict[str, Any]]:
        """The facts of every run with its id and when it was kept (``at``, seconds since 1970), the newest first."""
        if not self._root.is_dir():
            return []
        folders = [folder for folder in self._root.iterdir() if folder.name.isalnum() and folder.is_dir()]
        # not the folder's own: what is found later is written into it
        at = {folder.name: (folder / f"{_FACTS}.sealed").stat().st_mtime for folder in folders}
        return [
            {**json.loads(self._content(run, _FACTS)), "run": run, "at": at[run]}
            for run in sorted(at, key=lambda run: (at[run], run), reverse=True)
        ]

    def study(self, run_id: str) -> str:
        """The study of a run, as it ran.

        Refuses: RUN_UNKNOWN.
        """
        self._known(run_id)
        return self._content(run_id, _STUDY).decode("utf-8")

    def keep_found(self, run_id: str, mark: str, document: dict[str, Any], safe: bytes) -> None:
        """Keep what was found about a run beside it, in the place of what was found before.

        In: mark — what tells under which rules; safe — the result that could leave, empty where none could
        """
        head = canonical_bytes({"mark": mark, **document})
        content = len(head).to_bytes(8, "big") + head + safe
        sealed = seal(self._key, content, f"{run_id}/{_FOUND}")
        write_atomically(self._folder(run_id) / f"{_FOUND}.sealed", sealed, "a run")

    def found(self, run_id: str, mark: str) -> tuple[dict[str, Any], bytes] | None:
        """What was found about a run under the same rules; None when nothing was."""
        if not (self._folder(run_id) / f"{_FOUND}.sealed").is_file():
            return None
        content = self._content(run_id, _FOUND)
        end = 8 + int.from_bytes(content[:8], "big")
        document: dict[str, Any] = json.loads(content[8:end])
        return (document, content[end:]) if document["mark"] == mark else None

    def folder(self, run_id: str) -> Path:
        """Where a run lies."""
        return self._folder(run_id)

    def _known(self, run_id: str) -> None:
        if not run_id.isalnum() or not self.exists(run_id):
            raise refusal(
                Code.RUN_UNKNOWN, "No such run was kept under this permit.", "Run the study first: enclos study."
            )

    def _folder(self, run_id: str) -> Path:
        return self._root / run_id

    def _content(self, run_id: str, name: str) -> bytes:
        path = self._folder(run_id) / f"{name}.sealed"
        if not path.is_file():
            raise refusal(Code.STORAGE_BROKEN, "A file of this run is missing.", "Run the study again.")
        return unseal(self._key, path.read_bytes(), f"{run_id}/{name}")


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def _table(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))
