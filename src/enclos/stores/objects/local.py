"""Objects in a local folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from enclos.stores.files import storage_border, write_atomically

_PIECE = 1 << 20


class LocalObjects:
    """The files below a folder, by their path in it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return "LocalObjects()"

    def names(self) -> Iterator[str]:
        """The names of all objects, in the order of their bytes."""
        return iter(sorted(str(path.relative_to(self._root)) for path in self._root.rglob("*") if path.is_file()))

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of an object in pieces.

        Refuses: KeyError when it is absent.
        """
        path = self._root / name
        try:
            with storage_border("an object"), path.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
        except FileNotFoundError:
            raise KeyError(name) from None

    def put(self, name: str, content: bytes) -> None:
        """Store an object, whole or not at all.

        Refuses: STORAGE_FULL, STORAGE_BROKEN.
        """
        write_atomically(self._root / name, content, "an object")

    def remove(self, name: str) -> None:
        """Remove an object; nothing happens when it is absent."""
        with storage_border("the removal of an object"):
            (self._root / name).unlink(missing_ok=True)

    def remove_half_written(self) -> int:
        """Remove what a killed process was writing; how many files. Nobody may be writing."""
        half = list(self._root.rglob(".*.tmp"))
        with storage_border("the removal of an object"):
            for path in half:
                path.unlink()
        return len(half)
