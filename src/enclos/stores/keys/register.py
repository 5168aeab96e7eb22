"""The register of a key store: a file that names every key and its generations and holds no key in clear."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, read_key_name
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.files import write_atomically
from enclos.stores.keys.port import KeyEntry, instant, key_missing

Document = dict[str, Any]
CHECK = KeyName(KeyRole.CHECK)
"""The entry that proves the passphrase."""


class KeyRegister:
    """Names, generations and dates of keys in one file, which changes whole or not at all.

    ``keys`` maps ``name`` (first generation) or ``name#n`` to an entry; ``current`` maps a rotated name to n.
    Refuses: STORAGE_BROKEN, KEY_MISSING.
    """

    def __init__(self, path: Path, format_: str) -> None:
        self._path = path
        self._format = format_
        self._told: tuple[bytes, str, tuple[KeyEntry, ...]] | None = None
        """Digest of the file, place, and what may be known of its keys: every check of a permit asks for it."""

    def begin(self, facts: Document) -> None:
        """Write an empty register with facts about its store."""
        self._write({"format": self._format, **facts, "keys": {}})

    def read(self) -> Document:
        """The whole document."""
        return self._document(self._content())

    def _content(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError:
            raise _unreadable() from None

    def _document(self, content: bytes) -> Document:
        try:
            document = json.loads(content)
        except ValueError:
            raise _unreadable() from None
        if not isinstance(document, dict) or document.get("format") != self._format:
            raise refusal(Code.STORAGE_BROKEN, "The key store has an unknown format.", "Restore it from a backup.")
        return document

    def label(self, name: KeyName) -> str:
        """Under which label the key of that name, or its generation in use, stands."""
        return _label(name, self.read())

    def entry(self, name: KeyName) -> tuple[str, Document]:
        """Label and entry of a key that is there.

        Refuses: KEY_MISSING
        """
        document = self.read()
        label = _label(name, document)
        entry = document["keys"].get(label)
        if entry is None or "destroyed_at" in entry:
            raise key_missing(name)
        return label, dict(entry)

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there and not destroyed."""
        document = self.read()
        entry = document["keys"].get(_label(name, document))
        return entry is not None and "destroyed_at" not in entry

    def check_new(self, name: KeyName) -> str:
        """The label for a new key.

        Refuses: ValueError when a key of that name exists or existed, since its data must stay unreadable
        """
        label = self.label(name)
        if label in self.read()["keys"]:
            raise ValueError("a key of that name exists or existed")
        return label

    def add(self, label: str, facts: Document) -> None:
        """Enter a key that was just made."""
        document = self.read()
        document["keys"][label] = {"id": secrets.token_hex(8), "created_at": instant(), **facts}
        self._write(document)

    def take_over(self, entry: KeyEntry) -> None:
        """Enter a key of another store as one that ended there, name, dates and public key; twice is as once."""
        label = _label(entry.name, {})
        document = self.read()
        if label in document["keys"]:
            return
        facts = {"id": entry.id, "created_at": entry.created_at, "place": entry.place}
        if entry.public:
            facts["public"] = entry.public.hex()
        document["keys"][label] = {**facts, "destroyed_at": entry.destroyed_at or instant()}
        whole = str(entry.name.of_generation(0))
        if entry.was_used:
            current = document.setdefault("current", {})
            current[whole] = max(entry.name.generation, int(current.get(whole, 1)))
        self._write(document)

    def living(self, name: KeyName) -> list[str]:
        """The labels that a destruction of this name ends, those of all generations when it names none."""
        keys = self.read()["keys"]
        if name.generation:
            labels = [self.label(name)]
        else:
            labels = [label for label in keys if label.partition("#")[0] == str(name)]
        return [label for label in labels if label in keys and "destroyed_at" not in keys[label]]

    def end(self, label: str) -> None:
        """Note that a key was destroyed; its name and dates stay, and a public key, and nothing else."""
        document = self.read()
        entry = document["keys"][label]
        kept = {field: entry[field] for field in ("id", "created_at", "place", "public") if field in entry}
        document["keys"][label] = {**kept, "destroyed_at": instant()}
        self._write(document)

    def names(self) -> list[str]:
        """The names of the keys that are there, without generations."""
        keys = self.read()["keys"]
        living = {label.partition("#")[0] for label, entry in keys.items() if "destroyed_at" not in entry}
        return sorted(living - {str(CHECK)})

    def promote(self, name: KeyName) -> None:
        """Let this generation be the one in use."""
        self.entry(name)
        document = self.read()
        document.setdefault("current", {})[str(name.of_generation(0))] = name.generation
        self._write(document)

    def entries(self, place: str) -> Sequence[KeyEntry]:
        """What may be known of every key; worked out once for one content of the file."""
        content = self._content()
        digest = sha256(content).digest()
        told = self._told
        if told is None or told[:2] != (digest, place):
            told = self._told = digest, place, tuple(self._entries(self._document(content), place))
        return told[2]

    def _entries(self, document: Document, place: str) -> list[KeyEntry]:
        found = []
        for label, entry in sorted(document["keys"].items()):
            name = read_key_name(label)
            if name.role is KeyRole.CHECK:
                continue
            current = _label(name.of_generation(0), document) == label
            in_use = int(document.get("current", {}).get(str(name.of_generation(0)), 1))
            numbered = name if name.generation else name.of_generation(1)
            public = bytes.fromhex(entry["public"]) if "public" in entry else None
            found.append(
                KeyEntry(
                    name=numbered,
                    id=str(entry.get("id", "")),
                    place=str(entry.get("place", place)),
                    is_current=current and "destroyed_at" not in entry,
                    created_at=str(entry["created_at"]),
                    destroyed_at=entry.get("destroyed_at"),
                    public=public,
                    was_used=numbered.generation <= in_use,
                )
            )
        return found

    def _write(self, document: Document) -> None:
        write_atomically(self._path, canonical_bytes(document), "the key store")


def _unreadable() -> Refusal:
    return refusal(Code.STORAGE_BROKEN, "The key store cannot be read.", "Restore it from a backup.")


def _label(name: KeyName, document: Document) -> str:
    whole = str(name.of_generation(0))
    generation = name.generation or int(document.get("current", {}).get(whole, 1))
    return whole if generation == 1 else f"{whole}#{generation}"


def to_base64(data: bytes) -> str:
    """Bytes as the register keeps them."""
    return base64.b64encode(data).decode("ascii")
