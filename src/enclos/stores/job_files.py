"""Long work on disk: what was asked and what came of it, sealed under the key of its permit or of the desk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_ID = re.compile(r"[0-9a-f]{16}")
_RESULT = "-result"


class JobFiles:
    """``jobs/<job>.sealed`` and ``jobs/<job>-result.sealed`` of one folder.

    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, folder: Path, key: SecretKey) -> None:
        self._folder = folder
        self._key = key

    def __repr__(self) -> str:
        return "JobFiles()"

    def keep(self, job: str, document: dict[str, Any]) -> None:
        """Keep what a piece of work is, in the place of what it was."""
        self._write(job, document)

    def keep_result(self, job: str, document: dict[str, Any]) -> None:
        """Keep what came of it."""
        self._write(job + _RESULT, document)

    def read(self, job: str) -> dict[str, Any] | None:
        """What a piece of work is; None when there is none."""
        return self._read(job)

    def result(self, job: str) -> dict[str, Any] | None:
        """What came of it; None when nothing did yet."""
        return self._read(job + _RESULT)

    def names(self) -> list[str]:
        """The ids of all, newest first."""
        paths = [path for path in self._folder.glob("*.sealed") if _ID.fullmatch(path.name.removesuffix(".sealed"))]
        paths.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        return [path.name.removesuffix(".sealed") for path in paths]

    def all(self) -> Iterator[dict[str, Any]]:
        """Every piece of work, newest first; what cannot be read is left out: it was under a key that is gone."""
        for name in self.names():
            try:
                found = self._read(name)
            except Refusal:
                continue
            if found is not None:
                yield found

    def remove(self, job: str) -> None:
        """Forget a piece of work and what came of it."""
        for name in (job, job + _RESULT):
            self._path(name).unlink(missing_ok=True)

    def _write(self, name: str, document: dict[str, Any]) -> None:
        content = json.dumps(document, ensure_ascii=False, default=str).encode("utf-8")
        with storage_border("a piece of work"):
            self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), seal(self._key, content, f"jobs/{name}"), "a piece of work")

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self._path(name)
        if not _ID.fullmatch(name.removesuffix(_RESULT)) or not path.is_file():
            return None
        found: dict[str, Any] = json.loads(unseal(self._key, path.read_bytes(), f"jobs/{name}"))
        return found

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sealed"
