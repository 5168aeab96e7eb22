"""Make accounts, sign in, give tokens, tell whose a token is, withdraw it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import USER_ID
from enclos.signin.model import LOCAL, Account, Book, Person, Provider, Role
from enclos.signin.ports import Books, Passwords, ProviderKeys, Signer
from enclos.signin.rules.codes import (
    MOST_FAILURES,
    name_digest,
    step_taken,
    waits_until,
    with_failure,
)
from enclos.signin.rules.tokens import (
    LONGEST,
    OWN_ALGORITHM,
    OWN_TYPE,
    SKEW,
    check_claims,
    checked_roles,
    names_unknown_key,
    own_claims,
    own_keys,
    own_person,
    provider_person,
    refused,
    signed_token,
    unverified_issuer,
    verified_claims,
)

_TOTP_BYTES = 20
_FEWEST_SIGNS, _MOST_SIGNS = 12, 256
_LOCAL_MEANS = ("pwd", "otp", "mfa")
_NO_SKEW = timedelta(0)


# -- local accounts


def add_account(
    account_id: str,
    name: str,
    roles: Collection[Role],
    password: str,
    *,
    books: Books,
    passwords: Passwords,
    now: datetime,
) -> Account:
    """A new account with a secret for one-time codes, told once.

    Refuses: ACCOUNT_INVALID, SIGN_IN_ROLE.
    """
    if not USER_ID.fullmatch(account_id):
        raise _invalid("The id is not one that permits can name.", "Use an address, or letters and digits.")
    held = checked_roles(frozenset(roles) - {Role.PUBLIC})
    kept = passwords.kept(_checked_password(password, account_id))
    made = Account(account_id, name or account_id, held, kept, secrets.token_bytes(_TOTP_BYTES), 0, now)
    with books.changing() as page:
        if account_id in page.book.accounts:
            raise _invalid("There is an account of this id.", "Change it, or choose another id.")
        page.book = replace(page.book, accounts={**page.book.accounts, account_id: made})
    return made


def change_account(
    account_id: str,
    *,
    books: Books,
    passwords: Passwords,
    now: datetime,
    roles: Collection[Role] = (),
    password: str = "",
    new_codes: bool = False,
) -> Account:
    """The account with other roles, another password or another secret for its codes; its tokens end with it.

    Also forgets failures, so that an account that they closed opens.
    Refuses: ACCOUNT_UNKNOWN, ACCOUNT_INVALID, SIGN_IN_ROLE.
    """
    held = checked_roles(frozenset(roles)) if roles else None
    kept = passwords.kept(_checked_password(password, account_id)) if password else None
    with books.changing() as page:
        account = _known(page.book, account_id)
        changed = replace(
            account,
            roles=held or account.roles,
            password=kept or account.password,
            totp=secrets.token_bytes(_TOTP_BYTES) if new_codes else account.totp,
            tokens_after=now,
        )
        failures = {name: each for name, each in page.book.failures.items() if name != name_digest(account_id)}
        page.book = replace(page.book, accounts={**page.book.accounts, account_id: changed}, failures=failures)
    return changed


def remove_account(account_id: str, *, books: Books) -> None:
    """End an account; its tokens are worth nothing at once.

    Refuses: ACCOUNT_UNKNOWN.
    """
    with books.changing() as page:
        _known(page.book, account_id)
        page.book = replace(
            page.book, accounts={name: each for name, each in page.book.accounts.items() if name != account_id}
        )


def sign_in(
    account_id: str, password: str, code: str, *, books: Books, passwords: Passwords, now: datetime, lasts: timedelta
) -> Person:
    """Who signed in with a local account: its password and a code that was not taken before.

    Each try counts as a failure before it is looked at, so that tries at once are no more than tries in turn; one
    that holds forgets them. Nothing tells whether the name, the password or the code was wrong.
    Refuses: SIGN_IN_SLOW, SIGN_IN_WRONG.
    """
    with books.changing() as page:
        digest = name_digest(account_id)
        before = page.book.failures.get(digest)
        if (until := waits_until(before)) and now < until:
            raise _slow()
        if before and before.n >= MOST_FAILURES:
            raise _slow()
        known = frozenset(map(name_digest, page.book.accounts))
        page.book = replace(page.book, failures=with_failure(page.book.failures, account_id, now, known))
        account = page.book.accounts.get(account_id)
    is_right = passwords.is_right(password, account.password if account else None)
    with books.changing() as page:
        account = page.book.accounts.get(account_id) if account else None
        step = step_taken(account, code, now) if account else None
        if account is None or not is_right or step is None:
            raise refusal(
                Code.SIGN_IN_WRONG,
                "The name, the password or the code is not right.",
                "Try again with a new code; a steward can give a new password or new codes.",
            )
        page.book = replace(
            page.book,
            accounts={**page.book.accounts, account_id: replace(account, last_step=step)},
            failures={name: each for name, each in page.book.failures.items() if name != digest},
        )
    return Person(
        account.id, account.name, account.roles, LOCAL, now, now + lasts, amr=_LOCAL_MEANS, token=new_token_id()
    )


# -- tokens


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
        published = keys.keys()
        if names_unknown_key(token, published):
            published = keys.keys(anew=True)
        claims = verified_claims(token, published, provider.algorithms, (OWN_TYPE,))
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
        return _not_withdrawn(person, issued, self.books.read())


def token_for(person: Person, *, place: str, signer: Signer, now: datetime) -> str:
    """A token of the enclosure's own, until the person's sign-in ends."""
    expires = min(person.expires_at, now + LONGEST)
    return signed_token(own_claims(person, place=place, now=now, expires=expires), signer.sign)


def withdraw(person: Person, *, books: Books, now: datetime) -> None:
    """Make the token that the person shows worth nothing."""
    with books.changing() as page:
        kept = {token: until for token, until in page.book.withdrawn.items() if until > now - SKEW}
        page.book = replace(page.book, withdrawn={**kept, person.token: person.expires_at})


def sign_out_everywhere(subject: str, *, books: Books, now: datetime) -> None:
    """Make all tokens of somebody worth nothing that were issued until now, whoever verified them."""
    with books.changing() as page:
        # an entry is needed for as long as a token from before can live
        kept = {name: at for name, at in page.book.signed_out.items() if at > now - LONGEST - SKEW}
        page.book = replace(page.book, signed_out={**kept, subject: now})


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
    since = book.signed_out.get(person.subject)
    if person.token in book.withdrawn or (since is not None and issued <= since):
        raise refused("The token was withdrawn.")
    return person


def _known(book: Book, account_id: str) -> Account:
    if account_id not in book.accounts:
        raise refusal(Code.ACCOUNT_UNKNOWN, "There is no account of this id.", "See them with enclos account list DIR.")
    return book.accounts[account_id]


def _checked_password(password: str, account_id: str) -> str:
    if not _FEWEST_SIGNS <= len(password) <= _MOST_SIGNS or account_id.lower() in password.lower():
        raise _invalid(
            f"The password has fewer than {_FEWEST_SIGNS} signs, more than {_MOST_SIGNS}, or the id in it.",
            "Take several words.",
        )
    return password


def _invalid(what: str, next_step: str) -> Refusal:
    return refusal(Code.ACCOUNT_INVALID, what, next_step)


def _slow() -> Refusal:
    return refusal(
        Code.SIGN_IN_SLOW,
        "Too many sign-ins under this name failed.",
        "Wait a quarter of an hour; a steward can open the account with enclos account change.",
    )
