"""How often somebody may try: how long who failed must wait, and why a stranger's failures shut nobody out.

Failures are counted under the name that was typed, wherever they come from, except those from a place that is known: a
browser in which the account signed in before, or the enclosure's own command line. Those are counted apart, so that a
stranger who closes a name closes it for strangers. Source: the device cookies of OWASP's Authentication Cheat Sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from enclos.signin.model import Book, Failures, Place

HOME = "the command line of the enclosure"
REMEMBERED = timedelta(days=90)
"""How long a browser is remembered since the last sign-in in it."""
_FREE_FAILURES = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
MOST_FAILURES = 100
"""Then the name is closed for strangers until a steward opens it. Source: NIST SP 800-63B § 5.2.2."""
_MOST_OF_A_PLACE = 10
"""A known place from which so many failed is a stranger's from then on, until one from elsewhere does not fail."""
_MOST_NAMES = 4096
_MOST_PLACES = 20


def waits_until(failures: Failures | None) -> datetime | None:
    """Until when no sign-in under the name is looked at; None when one is at once."""
    if failures is None or failures.n < _FREE_FAILURES:
        return None
    doublings = min(failures.n - _FREE_FAILURES, 10)
    return failures.last_at + min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT)


def name_digest(name: str) -> str:
    """Under what failures of a name are counted: names that nobody has are counted too, and are nobody's to keep."""
    return sha256(name.encode("utf-8")).hexdigest()[:32]


def place_digest(account_id: str, place: str) -> str:
    """Under what an account's failures from a place are counted; no name that somebody types has this digest."""
    return f"p:{name_digest(f'{place} {account_id}')}"


def counted_under(book: Book, account_id: str, place: str, now: datetime) -> str:
    """Under what a failure is counted: the place when it is known to the account, else the name.

    In: place — what the browser brought, HOME on the command line, empty when nothing
    """
    digest = place_digest(account_id, place)
    found, failed = book.places.get(digest), book.failures.get(digest)
    is_known = place == HOME or (found is not None and now < found.until)
    return digest if is_known and (failed is None or failed.n < _MOST_OF_A_PLACE) else name_digest(account_id)


def with_place(places: Mapping[str, Place], account_id: str, place: str, now: datetime) -> dict[str, Place]:
    """The places with one that the account signed in from, without those that ended; the oldest of many are let go."""
    account = name_digest(account_id)
    kept = {digest: each for digest, each in places.items() if now < each.until}
    kept[place_digest(account_id, place)] = Place(account, now + REMEMBERED)
    own = sorted((digest for digest in kept if kept[digest].account == account), key=lambda each: kept[each].until)
    for digest in own[: max(len(own) - _MOST_PLACES, 0)]:
        del kept[digest]
    return kept


def with_failure(book: Book, digest: str, now: datetime) -> dict[str, Failures]:
    """The failures with one more; of names without an account the oldest are let go beyond a bound.

    In: digest — under what it is counted
    """
    before = book.failures.get(digest)
    counted = {**book.failures, digest: Failures(before.n + 1 if before else 1, now)}
    known = {name_digest(each) for each in book.accounts} | {place_digest(each, HOME) for each in book.accounts}
    strangers = sorted(set(counted) - known - set(book.places), key=lambda each: counted[each].last_at)
    for each in strangers[: max(len(strangers) - _MOST_NAMES, 0)]:
        del counted[each]
    return counted


def forgotten(book: Book, account_id: str) -> tuple[dict[str, Failures], dict[str, Place]]:
    """Failures and places without those of an account."""
    account = name_digest(account_id)
    own = {digest for digest, each in book.places.items() if each.account == account}
    own |= {account, place_digest(account_id, HOME)}
    return (
        {digest: each for digest, each in book.failures.items() if digest not in own},
        {digest: each for digest, each in book.places.items() if digest not in own},
    )
