"""Which code runs: the hash of every file of the program, so that a released result names what computed it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import enclos
from enclos.lexicon.canonical import canonical_bytes, sha256_hex

_NOT_CODE = frozenset({".pyc", ".pyo"})


@cache
def code_digest() -> str:
    """The SHA-256 of the canonical list of the program's files with their own."""
    root = Path(next(iter(enclos.__path__)))
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix not in _NOT_CODE)
    return sha256_hex(
        canonical_bytes({path.relative_to(root).as_posix(): sha256_hex(path.read_bytes()) for path in files})
    )
