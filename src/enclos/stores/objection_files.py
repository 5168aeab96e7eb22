"""The table of those who objected: person numbers in one small sealed file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from enclos.lexicon.keys import SecretKey
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

CONTEXT = "enclos objections"
_FEWEST = 1024
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class ObjectionTable:
    """Who objected, at one revision; revisions only go up."""

    revision: int
    persons: npt.NDArray[np.int64]
    """Numbers in the warehouse, ascending."""

    def __repr__(self) -> str:
        return f"ObjectionTable(revision={self.revision})"


def write_objections(path: Path, table: ObjectionTable, key: SecretKey) -> None:
    """Put a table in the place of the one before, whole or not at all.

    Its size tells the host no more than the power of two above the count.
    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """
    n_places = max(_FEWEST, 1 << int(max(len(table.persons) - 1, 0)).bit_length())
    places = np.full(n_places + 1, _NOBODY, dtype="<i8")
    places[0] = table.revision
    places[1 : 1 + len(table.persons)] = table.persons
    with storage_border("a table of persons"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, seal(key, places.tobytes(), CONTEXT), "a table of persons")


def read_objections(path: Path, key: SecretKey) -> ObjectionTable:
    """The table as it was written.

    Refuses: STORAGE_BROKEN.
    """
    with storage_border("a table of persons"):
        sealed = path.read_bytes()
    places = np.frombuffer(unseal(key, sealed, CONTEXT), dtype="<i8").astype(np.int64)
    return ObjectionTable(int(places[0]), places[1:][places[1:] != _NOBODY])
