"""Study files that a permit's users write: sealed under the permit's key, so that they end with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.keys import SecretKey
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_NAME_DIGITS = 32


class StudyFiles:
    """``permits/<permit>/studies/``, a file for each name, which the file's own name does not tell.

    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, permit_folder: Path, key: SecretKey) -> None:
        self._folder = permit_folder / "studies"
        self._key = key

    def __repr__(self) -> str:
        return "StudyFiles()"

    def keep(self, name: str, document: dict[str, Any]) -> None:
        """Keep a file in the place of the one of that name."""
        file = _file_of(name)
        with storage_border("a study file"):
            self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._folder / file, seal(self._key, canonical_bytes(document), file), "a study file")

    def read(self, name: str) -> dict[str, Any] | None:
        """The file of that name; None when there is none."""
        path = self._folder / _file_of(name)
        return self._content(path) if path.is_file() else None

    def all(self) -> list[dict[str, Any]]:
        """All files."""
        return [self._content(path) for path in sorted(self._folder.glob("*.sealed"))]

    def remove(self, name: str) -> None:
        """Remove the file of that name, if there is one."""
        with storage_border("a study file"):
            (self._folder / _file_of(name)).unlink(missing_ok=True)

    def _content(self, path: Path) -> dict[str, Any]:
        with storage_border("a study file"):
            sealed = path.read_bytes()
        document: dict[str, Any] = json.loads(unseal(self._key, sealed, path.name))
        return document


def _file_of(name: str) -> str:
    return f"{sha256_hex(name.encode('utf-8'))[:_NAME_DIGITS]}.sealed"
