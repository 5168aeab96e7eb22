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
_RESULT, _FILE = "-result", "-file-"


class JobFiles:
    """``jobs/<job>.sealed``, ``jobs/<job>-result.sealed`` and ``jobs/<job>-file-<name>.sealed`` of one folder.

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

    def keep_file(self, job: str, name: str, content: bytes) -> None:
        """Keep a file that came of it."""
        self._seal(f"{job}{_FILE}{name}", content)

    def read(self, job: str) -> dict[str, Any] | None:
        """What a piece of work is; None when there is none."""
        if not self._is_there(job):
            return None
        found: dict[str, Any] = json.loads(self._unsealed(job))
        return found

    def result(self, job: str) -> bytes | None:
        """What came of it, as JSON; None when nothing did yet."""
        return self._unsealed(job + _RESULT) if self._is_there(job + _RESULT) else None

    def files_of(self, job: str) -> list[str]:
        """The names of the files that came of it."""
        before = f"{job}{_FILE}"
        return sorted(path.name.removesuffix(".sealed").removeprefix(before) for path in self._beside(job, _FILE))

    def file(self, job: str, name: str) -> bytes | None:
        """A file that came of it; None when there is none of this name."""
        return self._unsealed(f"{job}{_FILE}{name}") if name in self.files_of(job) else None

    def names(self) -> list[str]:
        """The ids of all, newest first."""
        paths = [path for path in self._folder.glob("*.sealed") if _ID.fullmatch(path.name.removesuffix(".sealed"))]
        paths.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        return [path.name.removesuffix(".sealed") for path in paths]

    def all(self) -> Iterator[dict[str, Any]]:
        """Every piece of work, newest first; what cannot be read is left out: it was under a key that is gone."""
        for name in self.names():
            try:
                found = self.read(name)
            except Refusal:
                continue
            if found is not None:
                yield found

    def remove(self, job: str) -> None:
        """Forget a piece of work and what came of it."""
        for path in (self._path(job), self._path(job + _RESULT), *self._beside(job, _FILE)):
            path.unlink(missing_ok=True)

    def _write(self, name: str, document: dict[str, Any]) -> None:
        self._seal(name, json.dumps(document, ensure_ascii=False, default=str).encode("utf-8"))

    def _seal(self, name: str, content: bytes) -> None:
        with storage_border("a piece of work"):
            self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), seal(self._key, content, f"jobs/{name}"), "a piece of work")

    def _is_there(self, name: str) -> bool:
        return _ID.fullmatch(name.removesuffix(_RESULT)) is not None and self._path(name).is_file()

    def _unsealed(self, name: str) -> bytes:
        return unseal(self._key, self._path(name).read_bytes(), f"jobs/{name}")

    def _beside(self, job: str, what: str) -> list[Path]:
        return list(self._folder.glob(f"{job}{what}*.sealed")) if _ID.fullmatch(job) else []

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sealed"
