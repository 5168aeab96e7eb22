"""Records written ahead: each entry is durable here before a tile or a checkpoint speaks of it.

One file for each bundle: a head, then one record per entry. Every record ends with a keyed code that covers all before
it, so that nobody without the ledger's salt key can slip an entry in for the ledger to sign after a crash; a record
that a crash cut short does not fit its code and does not count.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from enclos.ledger.rules.entries import instant_of, instant_text
from enclos.lexicon.canonical import canonical_bytes

FOLDER = "private/ahead"
CODE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Head:
    """Where the file begins: the ledger, its size and root at the bundle's start, and the last instant before it."""

    origin: str
    size: int
    root: bytes
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """One entry, the code that follows it, and where it ends in the file."""

    entry: bytes
    code: bytes
    end: int


def file_name(bundle: int) -> str:
    """The name of the file written ahead of a bundle."""
    return f"{FOLDER}/{bundle}"


def bundle_of(name: str) -> int | None:
    """The bundle that a file is written ahead of, or None for another file."""
    digits = name.removeprefix(FOLDER + "/")
    return int(digits) if digits.isdecimal() and file_name(int(digits)) == name else None


def record(key: bytes, entry: bytes, code_before: bytes) -> bytes:
    """The record of an entry that follows the given code (empty for the head)."""
    framed = len(entry).to_bytes(2, "big") + entry
    return framed + hmac.digest(key, code_before + framed, hashlib.sha256)


def records(key: bytes, data: bytes, code_before: bytes = b"", start: int = 0) -> list[Record]:
    """The records that are whole and fit their codes, up to the first that is not; ``start`` is where data begins."""
    found: list[Record] = []
    offset = 0
    while offset + 2 <= len(data):
        length = int.from_bytes(data[offset : offset + 2], "big")
        end = offset + 2 + length + CODE_BYTES
        entry = data[offset + 2 : offset + 2 + length]
        if end > len(data) or not hmac.compare_digest(record(key, entry, code_before), data[offset:end]):
            break
        code_before = data[end - CODE_BYTES : end]
        found.append(Record(entry, code_before, start + end))
        offset = end
    return found


def head_bytes(head: Head) -> bytes:
    """The head as its record holds it."""
    return canonical_bytes(
        {
            "last_at": None if head.last_at is None else instant_text(head.last_at),
            "origin": head.origin,
            "root": head.root.hex(),
            "size": head.size,
        }
    )


def read_head(data: bytes) -> Head:
    """The head of its bytes, whose code was found to fit."""
    document = json.loads(data)
    last_at = document["last_at"]
    return Head(
        document["origin"],
        document["size"],
        bytes.fromhex(document["root"]),
        None if last_at is None else instant_of(last_at),
    )
