"""What a password must not be: one that many have used, a pattern, near to its account's id; and first passwords."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

FEWEST_SIGNS, MOST_SIGNS = 12, 256
FIRST_LASTS = timedelta(hours=24)
"""How long a first password lets its holder choose their own. Source: OWASP ASVS 5.0.0, 6.4.1: a short time."""
DIGEST_BYTES = 6
_PRODUCT = "enclos"
_FEWEST_TELLING = 4
"""What stands before the @, when shorter, is in too many words by chance."""
_FEWEST_DIFFERENT = 4
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm")
_STEPS_IN_ROWS = frozenset(pair for row in _ROWS for pair in pairwise(row))
_FIRST_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
"""No two of them are taken for one another."""
_FIRST_GROUPS, _OF_A_GROUP = 4, 5


def used_digest(password: str) -> bytes:
    """Under what a password is looked for in the list of used ones: capitals make no difference (6 bytes)."""
    return sha256(password.casefold().encode("utf-8", "surrogatepass")).digest()[:DIGEST_BYTES]


def is_pattern(password: str) -> bool:
    """Whether a password is one piece again and again, has fewer than four different signs, or runs in rows of keys."""
    text = password.casefold()
    repeats = any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))
    steps = list(pairwise(text))
    in_rows = sum(pair in _STEPS_IN_ROWS or pair[::-1] in _STEPS_IN_ROWS for pair in steps)
    return repeats or len(set(text)) < _FEWEST_DIFFERENT or in_rows * 4 >= len(steps) * 3


def what_is_wrong(password: str, account_id: str, is_used: Callable[[str], bool]) -> str:
    """Why an account cannot have a password, empty when it can.

    In: is_used — whether a password is on the list of those that many have used
    """
    name = account_id.lower().partition("@")[0]
    near = {account_id.lower(), _PRODUCT} | ({name} if len(name) >= _FEWEST_TELLING else set())
    if not FEWEST_SIGNS <= len(password) <= MOST_SIGNS or any(each in password.lower() for each in near):
        return (
            f"The password has fewer than {FEWEST_SIGNS} signs, more than {MOST_SIGNS}, or the id or this product's "
            "name in it."
        )
    if is_used(password) or is_pattern(password):
        return "The password is one that many have used, or a pattern: it is among the first that somebody would try."
    return ""


def first_password(choose: Callable[[str], str]) -> str:
    """A password that is random, 99 bits of it. In: choose — one sign of a text, by chance that nobody foresees"""
    return "-".join("".join(choose(_FIRST_SIGNS) for _ in range(_OF_A_GROUP)) for _ in range(_FIRST_GROUPS))
