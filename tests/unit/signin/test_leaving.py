"""A provider tells that somebody left it: what is no such word from it ends nothing, and what is ends all of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.signin.steps import (
    Door,
    bind,
    leave,
    note_sign_in,
    sign_ins_of,
    token_for,
    told_of_leaving,
)
from enclos.stores.accounts import SealedBooks
from factories.ledger import SeedSigner
from factories.people import (
    AT,
    CLIENT,
    ISSUER,
    KEY,
    NOW,
    OTHER_KEY,
    PLACE,
    PROVIDER,
    access_claims,
    confused_token,
    person,
    provider_token,
    public_keys,
    unsigned_token,
    with_claims,
)

EVENT = "http://schemas.openid.net/event/backchannel-logout"
SECOND = timedelta(seconds=1)


class Published:
    """A provider that has one key, and another when it is asked anew."""

    def keys(self, *, anew: bool = False) -> Mapping[str, Any]:
        return public_keys(OTHER_KEY) if anew else public_keys()


OWN = SeedSigner()
ALICE = person(provider=ISSUER, of_provider="u-17")


@pytest.fixture
def door(tmp_path: Path) -> Door:
    books = SealedBooks(tmp_path / "accounts.sealed", SecretKey(KeyName(KeyRole.ACCOUNTS), bytes(32)))
    door = Door(PLACE, OWN.public_key(), books, PROVIDER, Published())
    bind(ALICE, books=books)
    note_sign_in(ALICE, "portal", books=books, now=NOW)
    return door


def said(**changed: Any) -> dict[str, Any]:
    """What a good logout token says; a value of None leaves the claim out."""
    given = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "u-17",
        "iat": AT,
        "exp": AT + 120,
        "jti": "l-1",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in {**given, **changed}.items() if value is not None}


def logout(key: RSAKey = KEY, typ: str = "logout+jwt", **changed: Any) -> str:
    return provider_token(said(**changed), key, typ=typ)


def tell(door: Door, token: str, at: datetime = NOW + SECOND, clients: tuple[str, ...] = (CLIENT,)) -> dict[str, int]:
    return leave(told_of_leaving(token, door, clients, at), books=door.books, now=at)


def refused(door: Door, token: str, at: datetime = NOW + SECOND) -> Code:
    with pytest.raises(Refusal) as caught:
        tell(door, token, at)
    assert not door.books.read().left, "nothing ended"
    return caught.value.code


def holds(door: Door, token: str, at: datetime) -> bool:
    try:
        return door.person_of(token, at).subject == ALICE.subject
    except Refusal:
        return False


def test_who_left_the_provider_is_nobody_here_until_they_sign_in_again(door: Door) -> None:
    own, theirs = token_for(ALICE, place=PLACE, signer=OWN, now=NOW), provider_token(access_claims())
    bob = person(subject="bob@example.org", provider=ISSUER, of_provider="u-18", token="t-2")
    bind(bob, books=door.books)
    note_sign_in(bob, "command", books=door.books, now=NOW)
    of_bob = token_for(bob, place=PLACE, signer=OWN, now=NOW)
    assert holds(door, own, NOW)
    assert holds(door, theirs, NOW)
    assert tell(door, logout()) == {ALICE.subject: 1}
    later = NOW + 2 * SECOND
    assert not holds(door, own, later)
    assert not holds(door, theirs, later), "one that the provider itself issued neither"
    assert not sign_ins_of(ALICE.subject, door.books.read(), later)
    assert door.person_of(of_bob, later).subject == "bob@example.org"
    assert len(sign_ins_of("bob@example.org", door.books.read(), later)) == 1
    assert holds(door, token_for(ALICE, place=PLACE, signer=OWN, now=later), later)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": "somebody-else"},
        {"aud": ["somebody-else"]},
        {"aud": None},
        {"iat": None},
        {"iat": AT + 62, "exp": AT + 120},
        {"exp": None},
        {"exp": AT - 60},
        {"exp": AT + 3601},
        {"nbf": AT + 62},
        {"events": None},
        {"events": {}},
        {"events": EVENT},
        {"events": {EVENT: True}},
        {"events": {"http://schemas.openid.net/event/another": {}}},
        {"nonce": "x"},
        {"nonce": ""},
        {"sub": None, "sid": "s-1"},
        {"sub": ""},
        {"sub": 17},
        {"jti": None},
        {"jti": ""},
        {"jti": ["l-1"]},
    ],
)
def test_a_token_that_does_not_say_who_left_to_us_and_now_ends_nothing(door: Door, claims: dict[str, Any]) -> None:
    assert refused(door, logout(**claims)) is Code.SIGN_IN_TOKEN


@pytest.mark.parametrize(
    "token",
    [
        logout(typ="at+jwt"),
        logout(typ="JWT"),
        logout(typ=""),
        logout(OTHER_KEY, typ="logout+jwt") + "A",
        provider_token(said(), OTHER_KEY, typ="logout+jwt", kid="one"),
        provider_token(said(), OTHER_KEY, typ="logout+jwt", jwk=OTHER_KEY.as_dict(private=False)),
        provider_token(said(), typ="logout+jwt", alg="PS256"),
        unsigned_token(said(), typ="logout+jwt"),
        confused_token(said()),
        with_claims(logout(sub="u-18"), sub="u-17"),
        provider_token(access_claims()),
        "",
        "a.b.c",
        "x" * 20_000,
    ],
)
def test_what_the_provider_did_not_sign_as_a_logout_token_ends_nothing(door: Door, token: str) -> None:
    assert refused(door, token) is Code.SIGN_IN_TOKEN


def test_a_logout_token_is_worth_no_access(door: Door) -> None:
    assert not holds(door, logout(aud=PROVIDER.audience, email="alice@example.org", groups=["team-research"]), NOW)


def test_it_ends_sign_ins_once_and_none_that_began_afterwards(door: Door) -> None:
    token, again = logout(), NOW + 2 * SECOND
    assert tell(door, token)
    own = token_for(ALICE, place=PLACE, signer=OWN, now=again)
    for after in (3 * SECOND, timedelta(seconds=179), timedelta(seconds=180)):
        with pytest.raises(Refusal):
            tell(door, token, NOW + after)
    assert holds(door, own, NOW + timedelta(seconds=181))
    assert tell(door, logout(jti="l-2"), NOW + 4 * SECOND) == {ALICE.subject: 0}, "it ended before"
    assert not holds(door, own, NOW + 5 * SECOND)


def test_two_that_come_at_once_are_one(door: Door) -> None:
    first = told_of_leaving(logout(), door, (CLIENT,), NOW)
    second = told_of_leaving(logout(), door, (CLIENT,), NOW)
    leave(first, books=door.books, now=NOW)
    with pytest.raises(Refusal):
        leave(second, books=door.books, now=NOW)


def test_the_command_line_s_client_is_told_too_and_a_new_key_is_asked_for(door: Door) -> None:
    assert tell(door, logout(OTHER_KEY, aud=["tools"]), clients=(CLIENT, "tools")) == {ALICE.subject: 1}


def test_who_never_came_leaves_nothing_behind(door: Door) -> None:
    assert told_of_leaving(logout(sub="u-99"), door, (CLIENT,), NOW).names == frozenset()


def test_what_is_kept_of_it_ends_with_what_it_ended(door: Door) -> None:
    tell(door, logout())
    bob = person(subject="bob@example.org", provider=ISSUER, of_provider="u-18", token="t-2")
    bind(bob, books=door.books)
    at = NOW + timedelta(hours=1, minutes=2)
    when = int(at.timestamp())
    tell(door, logout(sub="u-18", jti="l-2", iat=when, exp=when + 120), at)
    book = door.books.read()
    assert (len(book.left), len(book.withdrawn)) == (1, 1)


def test_an_enclosure_without_a_provider_is_told_nothing(door: Door) -> None:
    assert refused(Door(PLACE, OWN.public_key(), door.books), logout()) is Code.SIGN_IN_TOKEN
