"""What the counts of a permit have shown: sets of persons, sealed under the permit's key."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from pyroaring import BitMap64

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.files import lock_in_turn, storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_LENGTH = struct.Struct(">I")
_SECONDS_TO_WAIT = 30.0
"""For the others under the same permit, each of whom compares for a moment."""


class QueryHistory:
    """``permits/<permit>/sql/000001.sealed`` and so on: one file per question that showed counts.

    In: n_known — how many questions the ledger knows of; the files alone do not show that the last ones are gone
    Refuses: STORAGE_FULL, STORAGE_BROKEN when a file is missing, in between or at the end, or altered.
    """

    def __init__(self, permit_folder: Path, key: SecretKey, *, n_known: int) -> None:
        self._folder = permit_folder / "sql"
        self._key = key
        self._n_known = n_known

    def __repr__(self) -> str:
        return "QueryHistory()"

    @contextmanager
    def alone(self) -> Iterator[Self]:
        """Be the only one who compares and remembers, once those before have done so.

        Refuses: ENCLOSURE_BUSY when they have not in half a minute.
        """
        with storage_border("a question"):
            self._folder.mkdir(parents=True, exist_ok=True)
        with lock_in_turn(self._folder / ".lock", _SECONDS_TO_WAIT):
            yield self

    def sets(self) -> list[BitMap64]:
        """Every set whose count was shown, oldest first; equal ones are the same object."""
        found: list[BitMap64] = []
        met: dict[bytes, BitMap64] = {}
        files = self._files()
        if [path.name for path in files] != [_name(number) for number in range(1, len(files) + 1)] or (
            len(files) < self._n_known
        ):
            raise refusal(Code.STORAGE_BROKEN, "A question of this permit is missing.", "Restore it from a backup.")
        for number, path in enumerate(files, start=1):
            content = unseal(self._key, path.read_bytes(), _context(number))
            at = content.index(b"\n") + 1
            while at < len(content):
                (length,) = _LENGTH.unpack_from(content, at)
                at += _LENGTH.size
                part = content[at : at + length]
                if part not in met:
                    met[part] = BitMap64.deserialize(part)
                found.append(met[part])
                at += length
        return found

    def keep(self, digest: str, sets: Sequence[BitMap64]) -> int:
        """Remember, durably, that a question showed the counts of these sets; gives the question's number."""
        number = len(self._files()) + 1
        parts = [found.serialize() for found in sets]
        content = digest.encode("ascii") + b"\n" + b"".join(_LENGTH.pack(len(part)) + part for part in parts)
        with storage_border("a question"):
            write_atomically(self._folder / _name(number), seal(self._key, content, _context(number)), "a question")
        return number

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.sealed"))


def _name(number: int) -> str:
    return f"{number:06d}.sealed"


def _context(number: int) -> str:
    return f"sql/{number:06d}"
