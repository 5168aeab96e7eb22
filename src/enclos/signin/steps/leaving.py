"""A provider tells that somebody left it: what they were given here ends."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from enclos.signin.model import Book
from enclos.signin.ports import Books
from enclos.signin.rules.guessing import name_digest
from enclos.signin.rules.logouts import TYPE, leaver
from enclos.signin.rules.tokens import LONGEST, SKEW, check_claims, refused, verified_claims
from enclos.signin.steps.going import sign_ins_of
from enclos.signin.steps.tokens import Door, own_digest, published_for, withdrawing


@dataclass(frozen=True, slots=True)
class Left:
    """Who left, as a verified logout token says.

    In: names — digests of the ids that they have here, none when they never came; token — under what the book keeps
        that it was acted on; until — when it ends
    """

    names: frozenset[str]
    token: str
    until: datetime


def told_of_leaving(token: str, door: Door, clients: Collection[str], now: datetime) -> Left:
    """Who left, by a logout token of the provider; nothing is changed yet.

    In: clients — our ids with the provider, for one of which it must be
    Refuses: SIGN_IN_TOKEN: not signed by the provider as agreed, no logout token, for others, not in time, acted on
        before, or no provider is set; SIGN_IN_PROVIDER when its keys cannot be had.
    """
    provider, keys = door.provider, door.provider_keys
    if provider is None or keys is None:
        raise refused("The enclosure names no provider.")
    claims = verified_claims(token, published_for(token, keys), provider.algorithms, (TYPE,), provider.least_rsa_bits)
    told = claims.get("aud")
    audiences = told if isinstance(told, list) else [told]
    ours = next((each for each in clients if each in audiences), provider.client)
    _, until = check_claims(claims, issuer=provider.issuer, audience=ours, now=now, skew=SKEW, longest=LONGEST)
    sub, number = leaver(claims)
    book, own = door.books.read(), own_digest(provider.issuer, sub)
    left = Left(
        frozenset(name for name, bound in book.bound.items() if bound == own), f"logout:{name_digest(number)}", until
    )
    _check_is_first(left, book)
    return left


def leave(left: Left, *, books: Books, now: datetime) -> dict[str, int]:
    """End all that was given until now to who left. Out: how many sign-ins ended, by the ids that they were under.

    Tokens that the provider itself issued end too; they are not counted, since nobody lists them.
    Refuses: SIGN_IN_TOKEN when the token was acted on meanwhile.
    """
    with books.changing() as page:
        _check_is_first(left, page.book)
        subjects = {each.subject for each in page.book.sign_ins.values() if name_digest(each.subject) in left.names}
        ended = {subject: len(sign_ins_of(subject, page.book, now)) for subject in subjects}
        # an entry is needed for as long as a token from before can live
        kept = {name: at for name, at in page.book.left.items() if at > now - LONGEST - SKEW}
        book = withdrawing(page.book, {left.token: left.until}, now)
        page.book = replace(book, left={**kept, **dict.fromkeys(left.names, now)})
    return ended


def _check_is_first(left: Left, book: Book) -> None:
    if left.token in book.withdrawn:
        raise refused("The token was acted on before.")
