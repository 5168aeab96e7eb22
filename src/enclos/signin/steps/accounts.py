"""Make, change and end local accounts, and sign in with one."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import USER_ID
from enclos.signin.model import LOCAL, Account, Book, Person, Role
from enclos.signin.ports import Books, Passwords
from enclos.signin.rules.codes import step_taken
from enclos.signin.rules.guessing import (
    MOST_FAILURES,
    counted_under,
    forgotten,
    name_digest,
    waits_until,
    with_failure,
    with_place,
)
from enclos.signin.rules.passwords import FIRST_LASTS, first_password, what_is_wrong
from enclos.signin.rules.tokens import checked_roles
from enclos.signin.steps.tokens import new_token_id

_TOTP_BYTES = 20
_LOCAL_MEANS = ("pwd", "otp", "mfa")


def add_account(
    account_id: str, name: str, roles: Collection[Role], *, books: Books, passwords: Passwords, now: datetime
) -> tuple[Account, str]:
    """A new account with a secret for one-time codes, and its first password; both are told once.

    Refuses: ACCOUNT_INVALID, SIGN_IN_ROLE.
    """
    if not USER_ID.fullmatch(account_id):
        raise _invalid("The id is not one that permits can name.", "Use an address, or letters and digits.")
    held = checked_roles(frozenset(roles) - {Role.PUBLIC})
    first = first_password(secrets.choice)
    made = Account(
        account_id,
        name or account_id,
        held,
        passwords.kept(first),
        secrets.token_bytes(_TOTP_BYTES),
        0,
        now,
        now + FIRST_LASTS,
    )
    with books.changing() as page:
        if account_id in page.book.accounts:
            raise _invalid("There is an account of this id.", "Change it, or choose another id.")
        if name_digest(account_id) in page.book.bound:
            raise _invalid(
                "A person whom the provider verified has this id.",
                "Choose another id; who left the provider is let go with enclos account forget.",
            )
        page.book = replace(page.book, accounts={**page.book.accounts, account_id: made})
    return made, first


def change_account(
    account_id: str,
    *,
    books: Books,
    passwords: Passwords,
    now: datetime,
    roles: Collection[Role] = (),
    new_password: bool = False,
    new_codes: bool = False,
) -> tuple[Account, str]:
    """The account with other roles, another first password or another secret for its codes; its tokens end with it.

    Also forgets failures, so that an account that they closed opens, and the browsers that knew it. The second of what
    it gives is the first password, empty when none was asked for.
    Refuses: ACCOUNT_UNKNOWN, SIGN_IN_ROLE.
    """
    held = checked_roles(frozenset(roles)) if roles else None
    first = first_password(secrets.choice) if new_password else ""
    kept = passwords.kept(first) if new_password else None
    with books.changing() as page:
        account = _known(page.book, account_id)
        changed = replace(
            account,
            roles=held or account.roles,
            password=kept or account.password,
            first_until=now + FIRST_LASTS if new_password else account.first_until,
            totp=secrets.token_bytes(_TOTP_BYTES) if new_codes else account.totp,
            tokens_after=now,
        )
        page.book = _with(page.book, changed)
    return changed, first


def change_own_password(
    account_id: str,
    present: str,
    code: str,
    new: str,
    *,
    books: Books,
    passwords: Passwords,
    now: datetime,
    place: str = "",
) -> None:
    """Another password for who shows what a sign-in asks for; a wrong try counts as one of a sign-in.

    It ends their tokens, and lets the browsers go that knew the account.
    Refuses: ACCOUNT_INVALID, before the code is taken; SIGN_IN_SLOW, SIGN_IN_WRONG, SIGN_IN_FIRST.
    """
    _check_password(new, account_id, passwords)
    sign_in(account_id, present, code, books=books, passwords=passwords, now=now, lasts=timedelta(0), place=place)
    kept = passwords.kept(new)
    with books.changing() as page:
        page.book = _with(page.book, replace(_known(page.book, account_id), password=kept, tokens_after=now))


def remove_account(account_id: str, *, books: Books) -> None:
    """End an account; its tokens are worth nothing at once.

    Refuses: ACCOUNT_UNKNOWN.
    """
    with books.changing() as page:
        _known(page.book, account_id)
        accounts = {name: each for name, each in page.book.accounts.items() if name != account_id}
        failures, places = forgotten(page.book, account_id)
        page.book = replace(page.book, accounts=accounts, failures=failures, places=places)


def sign_in(
    account_id: str,
    password: str,
    code: str,
    *,
    books: Books,
    passwords: Passwords,
    now: datetime,
    lasts: timedelta,
    new: str = "",
    place: str = "",
) -> Person:
    """Who signed in with a local account: its password and a code that was not taken before.

    Each try counts as a failure before it is looked at, so that tries at once are no more than tries in turn; one
    that holds forgets them. Nothing tells whether the name, the password or the code was wrong.
    In: new — the password that the holder chooses, asked for when the present one is a first one; place — from where,
        when that may be known: what a browser brought, or HOME
    Refuses: SIGN_IN_SLOW, SIGN_IN_WRONG; SIGN_IN_FIRST when all is right and the password is a first one, without
        taking the code; ACCOUNT_INVALID when ``new`` is none that it may have.
    """
    with books.changing() as page:
        digest = counted_under(page.book, account_id, place, now)
        before = page.book.failures.get(digest)
        if (until := waits_until(before)) and now < until:
            raise _slow()
        if before and before.n >= MOST_FAILURES:
            raise _slow()
        page.book = replace(page.book, failures=with_failure(page.book, digest, now))
        account = page.book.accounts.get(account_id)
    is_right = passwords.is_right(password, account.password if account else None)
    own = _own_password(account, password, new, passwords) if account and is_right and account.first_until else None
    with books.changing() as page:
        account = page.book.accounts.get(account_id) if account else None
        step = step_taken(account, code, now) if account else None
        if account is None or not is_right or step is None or (account.first_until and now >= account.first_until):
            raise refusal(
                Code.SIGN_IN_WRONG,
                "The name, the password or the code is not right.",
                "Try again with a new code; a steward can give a new password or new codes.",
            )
        if account.first_until and own is None:
            raise refusal(Code.SIGN_IN_FIRST, "This password is a first one: choose your own.", "Give a new password.")
        if isinstance(own, Refusal):
            raise own
        entered = replace(account, last_step=step, password=own or account.password, first_until=None)
        page.book = replace(
            page.book,
            accounts={**page.book.accounts, account_id: entered},
            failures={name: each for name, each in page.book.failures.items() if name != digest},
        )
    return Person(
        account.id, account.name, account.roles, LOCAL, now, now + lasts, amr=_LOCAL_MEANS, token=new_token_id()
    )


def remember_place(account_id: str, place: str, *, books: Books, now: datetime) -> None:
    """Know from now on where somebody signed in. In: place — what the browser brings back, which nobody guesses"""
    with books.changing() as page:
        page.book = replace(page.book, places=with_place(page.book.places, account_id, place, now))


def _own_password(account: Account, first: str, new: str, passwords: Passwords) -> str | Refusal | None:
    """The hash of what a holder chose in the place of a first password, or why not; None when they chose none."""
    if not new:
        return None
    if new == first:
        return _invalid("This is the first password again.", "Choose your own: take several words.")
    try:
        _check_password(new, account.id, passwords)
    except Refusal as refused:
        return refused
    return passwords.kept(new)


def _with(book: Book, account: Account) -> Book:
    """The book with an account that changed; its failures and the browsers that knew it are forgotten."""
    failures, places = forgotten(book, account.id)
    return replace(book, accounts={**book.accounts, account.id: account}, failures=failures, places=places)


def _known(book: Book, account_id: str) -> Account:
    if account_id not in book.accounts:
        raise refusal(Code.ACCOUNT_UNKNOWN, "There is no account of this id.", "See them with enclos account list DIR.")
    return book.accounts[account_id]


def _check_password(password: str, account_id: str, passwords: Passwords) -> None:
    if wrong := what_is_wrong(password, account_id, passwords.is_used):
        raise _invalid(wrong, "Take several words.")


def _invalid(what: str, next_step: str) -> Refusal:
    return refusal(Code.ACCOUNT_INVALID, what, next_step)


def _slow() -> Refusal:
    return refusal(
        Code.SIGN_IN_SLOW,
        "Too many sign-ins under this name failed.",
        "Wait a quarter of an hour, or use a browser in which you signed in before; a steward can open the account: "
        "enclos account change.",
    )
