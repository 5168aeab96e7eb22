"""One-time codes by time (RFC 6238)."""

from __future__ import annotations

import hmac
from datetime import datetime

from enclos.signin.model import Account

STEP_SECONDS = 30
DIGITS = 6
_STEPS_ASIDE = 1
"""A code of the step before and after is taken too. Source: RFC 6238 § 5.2, one step of delay."""


def step_of(at: datetime) -> int:
    """The time step of an instant."""
    return int(at.timestamp()) // STEP_SECONDS


def code_of(secret: bytes, step: int) -> str:
    """The code of a step. Source: RFC 4226 § 5.3 with HMAC-SHA-1, six digits, as every authenticator computes it."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0xF
    return str((int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF) % 10**DIGITS).zfill(DIGITS)


def step_taken(account: Account, code: str, now: datetime) -> int | None:
    """The step whose code it is; None when it is none's, or not later than the last that was taken."""
    given, present = code.replace(" ", ""), step_of(now)
    taken = None
    for step in range(present - _STEPS_ASIDE, present + _STEPS_ASIDE + 1):
        same = hmac.compare_digest(code_of(account.totp, step).encode(), given.encode())
        if same and step > account.last_step:
            taken = step
    return taken
