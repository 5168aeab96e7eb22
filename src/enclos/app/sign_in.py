"""Sign in to an enclosure, and tell it who somebody is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from enclos.app.accounts import books_of, browser, made_key, words_of
from enclos.app.enclosure import Enclosure
from enclos.app.providers import Asking, asking, begin, provider_of, when_typed
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.signin import steps
from enclos.signin.model import Person, Role
from enclos.signin.rules.guessing import HOME
from enclos.signin.steps import LASTS, Attempt, Door, answered, attempt, check_answer
from enclos.stores.accounts import Argon2Passwords
from enclos.stores.keys import KeySigner
from enclos.stores.loopback import loopback

_NOBODY = "nobody"


def door_of(enclosure: Enclosure) -> Door:
    """What tells whose a token is; kept by who asks often, as the provider's keys are kept in it."""
    origin, provider = enclosure.settings.ledger.origin, provider_of(enclosure.settings)
    keys = asking(enclosure.settings).way if provider else None
    return Door(origin, _signer(enclosure).public_key(), books_of(enclosure), provider, keys)


def person_of(enclosure: Enclosure, token: str) -> Person:
    """Whose token it is; the ledger is asked for the time only.

    Refuses: SIGN_IN_TOKEN, SIGN_IN_FACTOR, SIGN_IN_ROLE.
    """
    return door_of(enclosure).person_of(token, enclosure.ledger.now())


def check_is_signed_in(enclosure: Enclosure, token: str, user: str, role: Role) -> None:
    """Let somebody act under a name and in a role only if the token is theirs; a refusal is in the ledger.

    Refuses: as person_of; SIGN_IN_MISSING when it is another's; SIGN_IN_ROLE.
    """
    try:
        person = person_of(enclosure, token)
        if person.subject != user:
            raise refusal(
                Code.SIGN_IN_MISSING,
                "Somebody else is signed in here.",
                "Act as yourself, or sign in.",
            )
        steps.demand_role(person, role)
    except Refusal as refused:
        enclosure.ledger.record(Action.DENIED, _NOBODY, facts={"via": "command", "code": refused.code})
        raise


# -- with a local account


def sign_in_locally(
    enclosure: Enclosure, account: str, password: str, code: str, *, new: str = "", brought: str | None = None
) -> tuple[Person, str]:
    """Who signs in with a local account, and a token for it.

    In: new — the password that they choose in the place of a first one; brought — what their browser was given when
        they signed in with it before, empty when nothing; None on the command line
    Refuses: SIGN_IN_WRONG, SIGN_IN_SLOW; SIGN_IN_FIRST when their own password is still to be chosen; ACCOUNT_INVALID.
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
            new=new,
            place=HOME if brought is None else browser(brought),
        )
        token = token_for(enclosure, person, "command" if brought is None else "portal")
        ticket.facts.update(facts_of(person))
    return person, token


def remember_browser(enclosure: Enclosure, account: str, brought: str) -> None:
    """Know from now on a browser in which somebody signed in, by what it brings back."""
    steps.remember_place(account, browser(brought), books=books_of(enclosure), now=enclosure.ledger.now())


# -- with a provider


def sign_in_by_browser(enclosure: Enclosure, show: Callable[[str], None]) -> tuple[Person, str]:
    """Who signs in with a browser on this machine (RFC 8252), and a token for it.

    In: show — is given the address that the browser must open
    Refuses: SIGN_IN_PROVIDER, SIGN_IN_ANSWER, SIGN_IN_TOKEN, SIGN_IN_FACTOR, SIGN_IN_ROLE.
    """
    asked = asking(enclosure.settings, on_command_line=True)
    with loopback() as door:
        begun = attempt(door.address, enclosure.ledger.now())
        show(begin(asked, begun))
        answer = door.wait(LASTS.total_seconds())
    person = take_answer(enclosure, asked, begun, answer, via="browser")
    return person, token_for(enclosure, person, "command")


def sign_in_by_device(enclosure: Enclosure, show: Callable[[str, str], None]) -> tuple[Person, str]:
    """Who signs in with a browser on any other device (RFC 8628), and a token for it.

    In: show — is given the address to open and the code to type in there
    Refuses: as by browser.
    """
    asked = asking(enclosure.settings, on_command_line=True)
    told = asked.way.begin_on_device()
    show(str(told.get("verification_uri_complete") or told["verification_uri"]), str(told["user_code"]))
    tokens = when_typed(asked.way, told)
    with enclosure.ledger.intent(Action.LOGIN, _NOBODY, facts={"via": "device"}) as ticket:
        person = _person(enclosure, asked, None, tokens)
        token = token_for(enclosure, person, "command")
        ticket.facts.update(facts_of(person))
    return person, token


def take_answer(
    enclosure: Enclosure, asked: Asking, begun: Attempt | None, answer: Mapping[str, str], *, via: str
) -> Person:
    """Who signed in, by what the provider let a browser bring; the ledger says who, or that somebody was refused.

    In: begun — what the same browser had begun; whoever keeps it gives it once
    Refuses: SIGN_IN_ANSWER, SIGN_IN_PROVIDER, SIGN_IN_TOKEN, SIGN_IN_FACTOR, SIGN_IN_ROLE.
    """
    with enclosure.ledger.intent(Action.LOGIN, _NOBODY, facts={"via": via}) as ticket:
        code = check_answer(begun, answer, asked.provider, enclosure.ledger.now())
        if begun is None:
            raise ValueError("an answer to nothing is refused above")
        tokens = asked.way.exchange(code, begun.redirect, begun.verifier)
        person = _person(enclosure, asked, begun.nonce, tokens)
        ticket.facts.update(facts_of(person))
    return person


def _person(enclosure: Enclosure, asked: Asking, nonce: str | None, tokens: Mapping[str, Any]) -> Person:
    person = answered(
        nonce,
        tokens["id_token"],
        asked.way.userinfo(str(tokens.get("access_token", ""))),
        provider=asked.provider,
        client=asked.way.client,
        keys=asked.way,
        now=enclosure.ledger.now(),
        lasts=timedelta(minutes=enclosure.settings.sign_in.minutes),
    )
    steps.bind(person, books=books_of(enclosure))
    return person


# -- afterwards


def token_for(enclosure: Enclosure, person: Person, via: str = "portal") -> str:
    """A token of the enclosure's own for somebody who signed in. In: via — ``portal`` or ``command``, as they see it"""
    now, origin = enclosure.ledger.now(), enclosure.settings.ledger.origin
    token = steps.token_for(person, place=origin, signer=_signer(enclosure), now=now)
    steps.note_sign_in(person, via, books=books_of(enclosure), now=now)
    return token


def sign_ins(enclosure: Enclosure, person: Person) -> dict[str, Any]:
    """The sign-ins of a person that go on, the newest first; those by a provider's own access tokens are not here's."""
    now = enclosure.ledger.now()
    found = steps.sign_ins_of(person.subject, books_of(enclosure).read(), now)
    return {
        "sign_ins": [
            {
                "sign_in": token,
                "via": each.via,
                "at": each.at.isoformat(),
                "until": each.until.isoformat(),
                "is_this": token == person.token,
            }
            for token, each in found.items()
        ]
    }


def end_sign_ins(enclosure: Enclosure, person: Person, tokens: Collection[str] = ()) -> dict[str, Any]:
    """End sign-ins of a person's own at once; with none named, all but the one that they act by.

    Refuses: SIGN_IN_FACTOR when they showed their factors too long ago; ACCOUNT_UNKNOWN.
    """
    with enclosure.ledger.intent(Action.LOGIN, person.subject, facts={"via": "sign-out"}) as ticket:
        ended = steps.end_sign_ins(person, tokens, books=books_of(enclosure), now=enclosure.ledger.now())
        ticket.facts["n"] = len(ended)
    return {"person": person.subject, "ended": ended}


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


def take_logout(enclosure: Enclosure, token: str, door: Door) -> None:
    """End all that somebody was given here, since their provider tells by a logout token that they left it.

    The ledger has it when they ever came; what is refused before is for the caller to tell.
    Refuses: SIGN_IN_TOKEN, SIGN_IN_PROVIDER.
    """
    chosen, now = enclosure.settings.sign_in, enclosure.ledger.now()
    left = steps.told_of_leaving(
        token, door, [each for each in (chosen.client, chosen.command_line_client) if each], now
    )
    if not left.names:
        return
    with enclosure.ledger.intent(Action.LOGIN, _NOBODY, facts={"via": "provider-logout"}) as ticket:
        ended = steps.leave(left, books=door.books, now=now)
        ticket.facts.update(persons=[Personal(subject) for subject in sorted(ended)], n=sum(ended.values()))


def facts_of(person: Person) -> dict[str, Fact]:
    """What the ledger keeps of who signed in."""
    return {
        "person": Personal(person.subject),
        "roles": words_of(person.roles),
        "local": person.is_local,
        "amr": list(person.amr),
        "token": Personal(person.token),
    }


def _signer(enclosure: Enclosure) -> KeySigner:
    return KeySigner(enclosure.keys, made_key(enclosure, KeyRole.SIGN_IN))
