"""The dictionary of what a permit opens: counted once for a snapshot, sealed under the permit's key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.keys import SecretKey
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_NAME = "dictionary.sealed"


class DictionaryFile:
    """``permits/<permit>/dictionary.sealed``.

    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, permit_folder: Path, key: SecretKey) -> None:
        self._path = permit_folder / _NAME
        self._key = key

    def __repr__(self) -> str:
        return "DictionaryFile()"

    def keep(self, document: dict[str, Any]) -> None:
        """Keep it in the place of the one before."""
        write_atomically(self._path, seal(self._key, canonical_bytes(document), _NAME), "a dictionary")

    def read(self) -> dict[str, Any] | None:
        """What was kept; None when nothing was."""
        if not self._path.is_file():
            return None
        with storage_border("a dictionary"):
            sealed = self._path.read_bytes()
        document: dict[str, Any] = json.loads(unseal(self._key, sealed, _NAME))
        return document
