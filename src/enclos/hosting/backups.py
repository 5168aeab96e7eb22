"""What a backup holds: an index of names that tell nothing, each object what it was when it was put."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from enclos.hosting.model import Seal
from enclos.lexicon.canonical import canonical_bytes

FORMAT = "enclos-backup-1"
INDEX, DATA = "index", "data"


@dataclass(frozen=True, slots=True)
class Kept:
    """One file in a backup: the object that holds it, what it is when it is opened, and its instant of change."""

    object: str
    seal: Seal
    changed_ns: str
    of_the_data: bool = False
    """Whether it belongs to the state of the data at the backup, or to what was decided, which only grows."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One state of an enclosure."""

    number: int
    made_at: str
    settings: str
    snapshot: int
    n_entries: int
    """Entries of the ledger that it has."""
    lake: Mapping[str, Kept] = field(default_factory=dict)
    files: Mapping[str, Kept] = field(default_factory=dict)
    ledger: Mapping[str, Kept] = field(default_factory=dict)

    def objects(self) -> frozenset[str]:
        """The names of all objects that it needs."""
        return frozenset(kept.object for group in (self.lake, self.files, self.ledger) for kept in group.values())

    def to_bytes(self) -> bytes:
        """One spelling for one content."""
        return canonical_bytes(
            {
                "format": FORMAT,
                "number": self.number,
                "made_at": self.made_at,
                "settings": self.settings,
                "snapshot": self.snapshot,
                "n_entries": self.n_entries,
                "lake": _written(self.lake),
                "files": _written(self.files),
                "ledger": _written(self.ledger),
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Backup:
        """The backup that was written so.

        Refuses: ValueError when it is of another format.
        """
        document = json.loads(content)
        if document.pop("format", None) != FORMAT:
            raise ValueError("another format of backups")
        for name in ("lake", "files", "ledger"):
            document[name] = _read(document[name])
        return cls(**document)


def _written(group: Mapping[str, Kept]) -> dict[str, list[object]]:
    return {
        name: [it.object, it.seal.size, it.seal.sha256, it.changed_ns, it.of_the_data] for name, it in group.items()
    }


def _read(group: Mapping[str, list[object]]) -> dict[str, Kept]:
    return {
        name: Kept(str(of[0]), Seal(int(str(of[1])), str(of[2])), str(of[3]), bool(of[4])) for name, of in group.items()
    }


def index_name(key_id: str, number: int) -> str:
    """Under which name a backup's index lies; the key's id is random."""
    return f"{INDEX}/{key_id}/{number:08d}"


def number_of(name: str, key_id: str) -> int | None:
    """The number of the backup whose index has that name; None when it is no index under that key."""
    prefix = f"{INDEX}/{key_id}/"
    digits = name.removeprefix(prefix)
    return int(digits) if name.startswith(prefix) and digits.isascii() and digits.isdigit() else None
