"""Sign in to an enclosure, and tell it who somebody is."""

from __future__ import annotations

import base64
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from enclos.app.enclosure import Enclosure
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.signin import steps
from enclos.signin.model import Account, Person, Role
from enclos.signin.steps import Door
from enclos.stores.accounts import Argon2Passwords, SealedBooks
from enclos.stores.keys import KeySigner

TRYING_OUT = "A local account is for trying out: in production a provider of your organisation says who somebody is."
_NOBODY = "nobody"


def door_of(enclosure: Enclosure) -> Door:
    """What tells whose a token is; it may be kept and asked for as long as the enclosure is open."""
    return Door(enclosure.settings.ledger.origin, _signer(enclosure).public_key(), books_of(enclosure))


def person_of(enclosure: Enclosure, token: str) -> Person:
    """Whose token it is; the ledger is asked for the time only.

    Refuses: SIGN_IN_TOKEN, SIGN_IN_FACTOR, SIGN_IN_ROLE.
    """
    return door_of(enclosure).person_of(token, enclosure.ledger.now())


def admit(enclosure: Enclosure, door: Door, token: str, role: Role, *, via: str) -> Person:
    """Let somebody in by their token, in a role; the ledger says who came in or that somebody was turned away.

    In: via — which way they come, a plain word
    Refuses: as person_of; SIGN_IN_ROLE.
    """
    try:
        person = door.person_of(token, enclosure.ledger.now())
        steps.demand_role(person, role)
    except Refusal as refused:
        enclosure.ledger.record(Action.DENIED, _NOBODY, facts={"via": via, "code": refused.code})
        raise
    enclosure.ledger.record(Action.LOGIN, person.subject, facts={"via": via, "role": role.value, **_facts(person)})
    return person


# -- with a local account


def sign_in_locally(enclosure: Enclosure, account: str, password: str, code: str) -> tuple[Person, str]:
    """Who signs in with a local account, and a token for it.

    Refuses: SIGN_IN_WRONG, SIGN_IN_SLOW.
    """
    facts: dict[str, Fact] = {"via": "account", "account": Personal(account)}
    with enclosure.ledger.intent(Action.LOGIN, _NOBODY, facts=facts) as ticket:
        person = steps.sign_in(
            account,
            password,
            code,
            books=books_of(enclosure),
            passwords=Argon2Passwords(),
            now=enclosure.ledger.now(),
            lasts=timedelta(minutes=enclosure.settings.sign_in.minutes),
        )
        token = token_for(enclosure, person)
        ticket.facts.update(_facts(person))
    return person, token


def token_for(enclosure: Enclosure, person: Person) -> str:
    """A token of the enclosure's own for somebody who signed in."""
    now, origin = enclosure.ledger.now(), enclosure.settings.ledger.origin
    return steps.token_for(person, place=origin, signer=_signer(enclosure), now=now)


def sign_out(enclosure: Enclosure, token: str) -> dict[str, Any]:
    """Make a token worth nothing."""
    person = person_of(enclosure, token)
    with enclosure.ledger.intent(Action.LOGIN, person.subject, facts={"via": "sign-out"}):
        steps.withdraw(person, books=books_of(enclosure), now=enclosure.ledger.now())
    return {"person": person.subject, "signed_out": True}


def sign_out_everywhere(enclosure: Enclosure, subject: str) -> dict[str, Any]:
    """Make all tokens of somebody worth nothing that were issued until now."""
    facts: dict[str, Fact] = {"what": "sign-out", "account": Personal(subject)}
    with enclosure.ledger.intent(Action.ACCOUNT, enclosure.operator, facts=facts):
        steps.sign_out_everywhere(subject, books=books_of(enclosure), now=enclosure.ledger.now())
    return {"person": subject, "signed_out": True}


# -- local accounts


def add_account(
    enclosure: Enclosure, account: str, name: str, roles: Collection[Role], password: str
) -> dict[str, Any]:
    """A new account; what its holder's authenticator needs is told now and never again.

    Refuses: ACCOUNT_INVALID, SIGN_IN_ROLE.
    """
    facts: dict[str, Fact] = {"what": "add", "account": Personal(account), "roles": _words(roles)}
    with enclosure.ledger.intent(Action.ACCOUNT, enclosure.operator, facts=facts):
        made = steps.add_account(
            account,
            name,
            roles,
            password,
            books=books_of(enclosure),
            passwords=Argon2Passwords(),
            now=enclosure.ledger.now(),
        )
    return {**_told(made), "authenticator": _enrolment(enclosure, made), "note": TRYING_OUT}


def change_account(
    enclosure: Enclosure,
    account: str,
    *,
    roles: Collection[Role] = (),
    password: str = "",
    new_codes: bool = False,
) -> dict[str, Any]:
    """Other roles, another password or new codes for an account; opens one that failures closed.

    Refuses: ACCOUNT_UNKNOWN, ACCOUNT_INVALID, SIGN_IN_ROLE.
    """
    facts: dict[str, Fact] = {"what": "change", "account": Personal(account), "roles": _words(roles)}
    facts |= {"password": bool(password), "codes": new_codes}
    with enclosure.ledger.intent(Action.ACCOUNT, enclosure.operator, facts=facts):
        changed = steps.change_account(
            account,
            books=books_of(enclosure),
            passwords=Argon2Passwords(),
            now=enclosure.ledger.now(),
            roles=roles,
            password=password,
            new_codes=new_codes,
        )
    codes = {"authenticator": _enrolment(enclosure, changed)} if new_codes else {}
    return _told(changed) | codes


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


# -- inside


def _enrolment(enclosure: Enclosure, account: Account) -> str:
    """What an authenticator reads, as text or as a picture. Source: Key Uri Format of Google Authenticator."""
    place = enclosure.settings.enclosure.name
    secret = base64.b32encode(account.totp).decode("ascii").rstrip("=")
    label = quote(f"{place}:{account.id}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': place, 'algorithm': 'SHA1'})}"


def books_of(enclosure: Enclosure) -> SealedBooks:
    """Where accounts and withdrawn tokens are kept."""
    return SealedBooks(enclosure.paths.accounts, enclosure.keys.secret(_made(enclosure, KeyRole.ACCOUNTS)))


def _signer(enclosure: Enclosure) -> KeySigner:
    return KeySigner(enclosure.keys, _made(enclosure, KeyRole.SIGN_IN))


def _made(enclosure: Enclosure, role: KeyRole) -> KeyName:
    """The key's name; the key is made when it is first needed, since enclosures are older than sign-in."""
    name = KeyName(role)
    if not enclosure.keys.exists(name):
        with enclosure.at_the_desk():
            if not enclosure.keys.exists(name):
                enclosure.keys.create(name)
    return name


def _told(account: Account) -> dict[str, Any]:
    return {"account": account.id, "name": account.name, "roles": list(_words(account.roles))}


def _words(roles: Collection[Role]) -> tuple[str, ...]:
    return tuple(sorted(role.value for role in roles))


def _facts(person: Person) -> dict[str, Fact]:
    return {
        "person": Personal(person.subject),
        "roles": _words(person.roles),
        "local": person.is_local,
        "amr": list(person.amr),
        "token": Personal(person.token),
    }
