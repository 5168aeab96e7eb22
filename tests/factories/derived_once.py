"""Wrapping keys of passphrases that a run of the tests has derived before: Argon2id is meant to take long.

Tests make an enclosure once and open it again and again, from its copies too: a fifth of a second of the processor each
time. What the product derived for a salt and a passphrase is kept, so whatever is new is still derived by the product.
Processes that start cold, and those that serve, derive every time.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from enclos.stores.keys import file

PLACE = "ENCLOS_TESTS_DERIVED"
"""The variable that names the folder, for processes of this run."""
_BYTES = 32


def derive_once(folder: Path) -> None:
    """Let this process, and those forked from it, derive only what nobody did who has this folder."""
    derive = file._derived

    def derived(passphrase: str, salt: bytes) -> bytes:
        kept = folder / hashlib.sha256(salt + passphrase.encode()).hexdigest()
        with suppress(FileNotFoundError):
            key = kept.read_bytes()
            if len(key) == _BYTES:  # else somebody writes it just now
                return key
        key = derive(passphrase, salt)
        with suppress(OSError):  # somebody else wrote it, or a test has filled the disk
            place = os.open(kept, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                os.write(place, key)
            finally:
                os.close(place)
        return key

    file._derived = derived
