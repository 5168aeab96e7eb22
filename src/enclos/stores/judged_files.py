"""What the checks of quality said of each snapshot, sealed: exact counts, which only who runs the enclosure sees."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from enclos.lexicon.keys import SecretKey
from enclos.stores.files import write_atomically
from enclos.stores.sealed import seal, unseal


class JudgedFiles:
    """``quality/<snapshot>.sealed``, each bound to its name.

    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, root: Path, key: SecretKey) -> None:
        self._root = root
        self._key = key

    def __repr__(self) -> str:
        return "JudgedFiles()"

    def snapshots(self) -> Sequence[int]:
        """The snapshots that were judged, in their order."""
        return sorted(int(path.stem) for path in self._root.glob("*.sealed") if path.stem.isdigit())

    def read(self, snapshot: int) -> dict[str, Any] | None:
        """What was said of a snapshot last; None when it was not judged."""
        path = self._path(snapshot)
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(unseal(self._key, path.read_bytes(), judged_context(path)))
        return found

    def keep(self, snapshot: int, judged: Mapping[str, Any]) -> None:
        """Keep what was said of a snapshot, in the place of what was said before."""
        path = self._path(snapshot)
        content = json.dumps(judged, ensure_ascii=False).encode("utf-8")
        write_atomically(path, seal(self._key, content, judged_context(path)), "what the checks said")

    def _path(self, snapshot: int) -> Path:
        return self._root / f"{snapshot}.sealed"


def judged_context(path: Path) -> str:
    """What such a file is bound to."""
    return f"quality/{path.stem}"
