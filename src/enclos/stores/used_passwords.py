"""The passwords that many have used, as far as Enclos carries them: 20 000 of at least twelve signs, known by breaches.

``tools/used_passwords.py`` makes the list and says from what. Nothing is asked of anybody outside.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from importlib import resources

from enclos.signin.rules.passwords import DIGEST_BYTES, used_digest

LIST = "used_passwords.bin"


def is_used(password: str) -> bool:
    """Whether the password is on the list, in small or capital letters.

    One that is not is taken for one that is once in 10^10 (six bytes of a digest, 20 000 entries).
    """
    held, wanted = _digests(), used_digest(password)
    at = bisect_left(range(len(held) // DIGEST_BYTES), wanted, key=lambda each: _entry(held, each))
    return _entry(held, at) == wanted


@cache
def _digests() -> bytes:
    return resources.files("enclos.stores").joinpath("data", LIST).read_bytes()


def _entry(held: bytes, at: int) -> bytes:
    return held[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]
