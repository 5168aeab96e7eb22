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
from enclos.signin.rules.codes import MOST_FAILURES, name_digest, step_taken, waits_until, with_failure
from enclos.signin.rules.tokens import checked_roles
from enclos.signin.steps.tokens import new_token_id

_TOTP_BYTES = 20
_FEWEST_SIGNS, _MOST_SIGNS = 12, 256
_PRODUCT = "enclos"
_FEWEST_TELLING = 4
"""What stands before the @, when shorter, is in too many words by chance."""
_LOCAL_MEANS = ("pwd", "otp", "mfa")


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


def change_own_password(
    account_id: str, present: str, code: str, new: str, *, books: Books, passwords: Passwords, now: datetime
) -> None:
    """Another password for who shows what a sign-in asks for; a wrong try counts as one of a sign-in.

    Refuses: ACCOUNT_INVALID, before the code is taken; SIGN_IN_SLOW, SIGN_IN_WRONG.
    """
    _checked_password(new, account_id)
    sign_in(account_id, present, code, books=books, passwords=passwords, now=now, lasts=timedelta(0))
    change_account(account_id, books=books, passwords=passwords, now=now, password=new)


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


def _known(book: Book, account_id: str) -> Account:
    if account_id not in book.accounts:
        raise refusal(Code.ACCOUNT_UNKNOWN, "There is no account of this id.", "See them with enclos account list DIR.")
    return book.accounts[account_id]


def _checked_password(password: str, account_id: str) -> str:
    name = account_id.lower().partition("@")[0]
    near = {account_id.lower(), _PRODUCT} | ({name} if len(name) >= _FEWEST_TELLING else set())
    if not _FEWEST_SIGNS <= len(password) <= _MOST_SIGNS or any(each in password.lower() for each in near):
        raise _invalid(
            f"The password has fewer than {_FEWEST_SIGNS} signs, more than {_MOST_SIGNS}, or the id or this product's "
            "name in it.",
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
