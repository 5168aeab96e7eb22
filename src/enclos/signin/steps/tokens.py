"""Give tokens, tell whose a token is, withdraw it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.signin.model import Book, Person, Provider, Role
from enclos.signin.ports import Books, ProviderKeys, Signer
from enclos.signin.rules.guessing import name_digest
from enclos.signin.rules.tokens import (
    LONGEST,
    OWN_ALGORITHM,
    OWN_TYPE,
    SKEW,
    check_claims,
    names_unknown_key,
    own_claims,
    own_keys,
    own_person,
    provider_person,
    refused,
    scoped,
    signed_token,
    unverified_issuer,
    verified_claims,
)

_NO_SKEW = timedelta(0)


@dataclass(frozen=True, slots=True)
class Door:
    """What tells whose a token is.

    In: place — the enclosure's name, issuer and audience of its own tokens; provider, provider_keys — when one is set
    """

    place: str
    public_key: bytes
    books: Books
    provider: Provider | None = None
    provider_keys: ProviderKeys | None = None

    def person_of(self, token: str, now: datetime) -> Person:
        """Whose token it is: one of the enclosure's own, or an access token of the provider that is meant for it.

        An ID token is none: it says to a client who signed in, and is taken at sign-in only, by who asked for it.
        Refuses: SIGN_IN_TOKEN, SIGN_IN_FACTOR, SIGN_IN_ROLE.
        """
        issuer = unverified_issuer(token)
        if issuer == self.place:
            return self._own(token, now)
        if self.provider is not None and self.provider_keys is not None and issuer == self.provider.issuer:
            return self._provided(token, now, self.provider, self.provider_keys)
        raise refused("The token is another issuer's.")

    def _own(self, token: str, now: datetime) -> Person:
        claims = verified_claims(token, own_keys(self.public_key), (OWN_ALGORITHM,), (OWN_TYPE,))
        issued, expires = check_claims(
            claims, issuer=self.place, audience=self.place, now=now, skew=_NO_SKEW, longest=LONGEST
        )
        person, book = own_person(claims, expires), self.books.read()
        if not person.is_local:
            if self.provider is None or person.provider != self.provider.issuer:
                raise refused("The provider that verified the person is not this enclosure's any more.")
            return _not_withdrawn(person, issued, book)
        account = book.accounts.get(person.subject)
        if account is None or issued <= account.tokens_after:
            raise refused("The token was withdrawn.")
        # roles that were taken away since are gone at once; roles that were given need a new sign-in
        return replace(_not_withdrawn(person, issued, book), roles=person.roles & account.roles)

    def _provided(self, token: str, now: datetime, provider: Provider, keys: ProviderKeys) -> Person:
        claims = verified_claims(
            token, published_for(token, keys), provider.algorithms, (OWN_TYPE,), provider.least_rsa_bits
        )
        issued, expires = check_claims(
            claims, issuer=provider.issuer, audience=provider.audience, now=now, skew=SKEW, longest=LONGEST
        )
        person = provider_person(
            claims,
            provider,
            authenticated_at=min(issued, now),
            expires_at=expires,
            token=str(claims.get("jti", "")) or name_digest(token),
        )
        # a token that is worth nothing binds nobody
        person = _not_withdrawn(scoped(person, claims, provider), issued, self.books.read())
        bind(person, books=self.books)
        return person


def published_for(token: str, keys: ProviderKeys) -> Mapping[str, Any]:
    """The provider's keys, asked for anew when the token names one that is not among them."""
    published = keys.keys()
    return keys.keys(anew=True) if names_unknown_key(token, published) else published


def own_digest(issuer: str, sub: str) -> str:
    """Under what an id is bound to the one person of a provider who has it."""
    return sha256(f"{issuer}\n{sub}".encode()).hexdigest()


def bind(person: Person, *, books: Books) -> None:
    """Keep an id for the one person whom a provider first verified under it, and let nobody else act by it.

    An address may be given to somebody else one day, ``sub`` never is (OpenID Connect Core § 2).
    Refuses: SIGN_IN_TOKEN when the id was another person's, another provider's, or is a local account's.
    """
    book, digest = books.read(), name_digest(person.subject)
    own = own_digest(person.provider, person.of_provider)
    if person.subject in book.accounts:
        raise refused("A local account has the id of this person.")
    if digest not in book.bound:
        with books.changing() as page:
            book = page.book = replace(page.book, bound={digest: own, **page.book.bound})
    if book.bound[digest] != own:
        raise refused("Another person had this id before; who runs the enclosure lets them go.")


def unbind(subject: str, *, books: Books, now: datetime) -> None:
    """Let go of the person who had an id; the next whom the provider verifies under it has it. Their tokens end.

    Refuses: ACCOUNT_UNKNOWN when nobody of a provider has it.
    """
    digest = name_digest(subject)
    if digest not in books.read().bound:
        raise refusal(Code.ACCOUNT_UNKNOWN, "Nobody whom the provider verified has this id.", "See the spelling.")
    sign_out_everywhere(subject, books=books, now=now)
    with books.changing() as page:
        page.book = replace(page.book, bound={each: own for each, own in page.book.bound.items() if each != digest})


def token_for(person: Person, *, place: str, signer: Signer, now: datetime) -> str:
    """A token of the enclosure's own, until the person's sign-in ends."""
    expires = min(person.expires_at, now + LONGEST)
    return signed_token(own_claims(person, place=place, now=now, expires=expires), signer.sign)


def withdraw(person: Person, *, books: Books, now: datetime) -> None:
    """Make the token that the person shows worth nothing."""
    with books.changing() as page:
        page.book = withdrawing(page.book, {person.token: person.expires_at}, now)


def withdrawing(book: Book, tokens: Mapping[str, datetime], now: datetime) -> Book:
    """The book with some tokens withdrawn, by their ids and ends; those that no clock takes any more are let go."""
    kept = {token: until for token, until in book.withdrawn.items() if until > now - SKEW}
    return replace(book, withdrawn={**kept, **tokens})


def sign_out_everywhere(subject: str, *, books: Books, now: datetime) -> None:
    """Make all tokens of somebody worth nothing that were issued until now, whoever verified them."""
    with books.changing() as page:
        # an entry is needed for as long as a token from before can live
        kept = {name: at for name, at in page.book.signed_out.items() if at > now - LONGEST - SKEW}
        page.book = replace(page.book, signed_out={**kept, subject: now})


def ended_at(subject: str, book: Book) -> datetime | None:
    """Until when all tokens of somebody are worth nothing, by us or because their provider told that they left."""
    told = (book.signed_out.get(subject), book.left.get(name_digest(subject)))
    return max((at for at in told if at), default=None)


def new_token_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_urlsafe(16)


def demand_role(person: Person, role: Role) -> None:
    """Let a person go on in a role that they have.

    Refuses: SIGN_IN_ROLE.
    """
    if not person.has(role):
        raise refusal(
            Code.SIGN_IN_ROLE,
            f"This needs the role {role.value}.",
            "Sign in as somebody who has it, or have it given.",
        )


def _not_withdrawn(person: Person, issued: datetime, book: Book) -> Person:
    since = ended_at(person.subject, book)
    if person.token in book.withdrawn or (since is not None and issued <= since):
        raise refused("The token was withdrawn.")
    return person
