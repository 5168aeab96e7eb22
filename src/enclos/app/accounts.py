"""Local accounts of an enclosure: add, change, list, remove."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlencode

from enclos.app.enclosure import Enclosure
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.signin import steps
from enclos.signin.model import Account, Role
from enclos.stores.accounts import Argon2Passwords, SealedBooks

TRYING_OUT = "A local account is for trying out: in production a provider of your organisation says who somebody is."


def add_account(enclosure: Enclosure, account: str, name: str, roles: Collection[Role]) -> dict[str, Any]:
    """A new account; its first password and what its holder's authenticator needs are told now and never again.

    Refuses: ACCOUNT_INVALID, SIGN_IN_ROLE.
    """
    facts: dict[str, Fact] = {"what": "add", "account": Personal(account), "roles": words_of(roles)}
    with enclosure.ledger.intent(Action.ACCOUNT, enclosure.operator, facts=facts):
        made, first = steps.add_account(
            account,
            name,
            roles,
            books=books_of(enclosure),
            passwords=Argon2Passwords(),
            now=enclosure.ledger.now(),
        )
    return {**_told(made), **_first(made, first), "authenticator": _enrolment(enclosure, made), "note": TRYING_OUT}


def change_account(
    enclosure: Enclosure,
    account: str,
    *,
    roles: Collection[Role] = (),
    new_password: bool = False,
    new_codes: bool = False,
) -> dict[str, Any]:
    """Other roles, another first password or new codes for an account; opens one that failures closed.

    Refuses: ACCOUNT_UNKNOWN, SIGN_IN_ROLE.
    """
    facts: dict[str, Fact] = {"what": "change", "account": Personal(account), "roles": words_of(roles)}
    facts |= {"password": new_password, "codes": new_codes}
    with enclosure.ledger.intent(Action.ACCOUNT, enclosure.operator, facts=facts):
        changed, first = steps.change_account(
            account,
            books=books_of(enclosure),
            passwords=Argon2Passwords(),
            now=enclosure.ledger.now(),
            roles=roles,
            new_password=new_password,
            new_codes=new_codes,
        )
    codes = {"authenticator": _enrolment(enclosure, changed)} if new_codes else {}
    return _told(changed) | _first(changed, first) | codes


def change_own_password(
    enclosure: Enclosure, account: str, present: str, code: str, new: str, *, brought: str = ""
) -> None:
    """Another password for who knows the present one and shows a code; ends their tokens.

    In: brought — what their browser was given when they signed in with it before, empty when nothing
    Refuses: ACCOUNT_INVALID, SIGN_IN_WRONG, SIGN_IN_SLOW.
    """
    facts: dict[str, Fact] = {"what": "password", "account": Personal(account)}
    with enclosure.ledger.intent(Action.ACCOUNT, account, facts=facts):
        steps.change_own_password(
            account,
            present,
            code,
            new,
            books=books_of(enclosure),
            passwords=Argon2Passwords(),
            now=enclosure.ledger.now(),
            place=browser(brought),
        )


def forget_person(enclosure: Enclosure, subject: str) -> dict[str, Any]:
    """Let go of the provider's person who had an id: another of the same id is then known by it. Their tokens end.

    Refuses: ACCOUNT_UNKNOWN.
    """
    facts: dict[str, Fact] = {"what": "forget", "account": Personal(subject)}
    with enclosure.ledger.intent(Action.ACCOUNT, enclosure.operator, facts=facts):
        steps.unbind(subject, books=books_of(enclosure), now=enclosure.ledger.now())
    return {"person": subject, "forgotten": True}


def remove_account(enclosure: Enclosure, account: str) -> dict[str, Any]:
    """End an account and its tokens.

    Refuses: ACCOUNT_UNKNOWN.
    """
    facts: dict[str, Fact] = {"what": "remove", "account": Personal(account)}
    with enclosure.ledger.intent(Action.ACCOUNT, enclosure.operator, facts=facts):
        steps.remove_account(account, books=books_of(enclosure))
    return {"account": account, "removed": True}


def list_accounts(enclosure: Enclosure) -> dict[str, Any]:
    """Every local account with its roles."""
    accounts = books_of(enclosure).read().accounts
    return {"accounts": [_told(accounts[name]) for name in sorted(accounts)], "note": TRYING_OUT}


def browser(brought: str) -> str:
    """The place that a browser is, by what it brings; nothing that it brings makes it the command line."""
    return f"browser {brought}" if brought else ""


def books_of(enclosure: Enclosure) -> SealedBooks:
    """Where accounts and withdrawn tokens are kept."""
    return SealedBooks(enclosure.paths.accounts, enclosure.keys.secret(made_key(enclosure, KeyRole.ACCOUNTS)))


def made_key(enclosure: Enclosure, role: KeyRole) -> KeyName:
    """The key's name; the key is made when it is first needed, since enclosures are older than sign-in."""
    name = KeyName(role)
    if not enclosure.keys.exists(name):
        with enclosure.at_the_desk():
            if not enclosure.keys.exists(name):
                enclosure.keys.create(name)
    return name


# -- inside


def _enrolment(enclosure: Enclosure, account: Account) -> str:
    """What an authenticator reads, as text or as a picture. Source: Key Uri Format of Google Authenticator."""
    place = enclosure.settings.enclosure.name
    secret = base64.b32encode(account.totp).decode("ascii").rstrip("=")
    label = quote(f"{place}:{account.id}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': place, 'algorithm': 'SHA1'})}"


def _first(account: Account, first: str) -> dict[str, Any]:
    """What is told of a first password: it lets its holder choose their own, until it ends."""
    return {"first_password": first, "until": account.first_until.isoformat()} if first and account.first_until else {}


def _told(account: Account) -> dict[str, Any]:
    return {"account": account.id, "name": account.name, "roles": list(words_of(account.roles))}


def words_of(roles: Collection[Role]) -> tuple[str, ...]:
    return tuple(sorted(role.value for role in roles))
