"""One-time codes by time (RFC 6238), and how long who failed must wait."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from enclos.signin.model import Account, Failures

STEP_SECONDS = 30
DIGITS = 6
_STEPS_ASIDE = 1
"""A code of the step before and after is taken too. Source: RFC 6238 § 5.2, one step of delay."""
_FREE_FAILURES = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
MOST_FAILURES = 100
"""Then the account is closed until a steward opens it. Source: NIST SP 800-63B § 5.2.2."""
_MOST_NAMES = 4096


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


def waits_until(failures: Failures | None) -> datetime | None:
    """Until when no sign-in under the name is looked at; None when one is at once."""
    if failures is None or failures.n < _FREE_FAILURES:
        return None
    doublings = min(failures.n - _FREE_FAILURES, 10)
    return failures.last_at + min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT)


def name_digest(name: str) -> str:
    """Under what failures of a name are counted: names that nobody has are counted too, and are nobody's to keep."""
    return sha256(name.encode("utf-8")).hexdigest()[:32]


def with_failure(
    failures: Mapping[str, Failures], name: str, now: datetime, known: frozenset[str]
) -> dict[str, Failures]:
    """The failures with one more; of names without an account the oldest are let go beyond a bound.

    In: known — the digests of names that have an account
    """
    digest = name_digest(name)
    before = failures.get(digest)
    counted = {**failures, digest: Failures(before.n + 1 if before else 1, now)}
    strangers = sorted((each for each in counted if each not in known), key=lambda each: counted[each].last_at)
    for each in strangers[: max(len(strangers) - _MOST_NAMES, 0)]:
        del counted[each]
    return counted
