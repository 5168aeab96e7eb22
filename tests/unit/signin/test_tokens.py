"""Whose a token is: what an attacker would bring is refused, and why is not told further than its kind."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Person, Role
from enclos.signin.steps import (
    Door,
    add_account,
    end_sign_ins,
    note_sign_in,
    remove_account,
    sign_ins_of,
    sign_out_everywhere,
    token_for,
    unbind,
    withdraw,
)
from enclos.stores.accounts import Argon2Passwords, SealedBooks
from factories.ledger import SeedSigner
from factories.people import (
    AT,
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


@dataclass
class Published:
    """A provider that has one key, and another when it is asked anew."""

    asked: list[bool] = field(default_factory=list)
    later: Mapping[str, Any] = field(default_factory=public_keys)

    def keys(self, *, anew: bool = False) -> Mapping[str, Any]:
        self.asked.append(anew)
        return self.later if anew else public_keys()


class OneKey:
    """A provider with one key."""

    def __init__(self, key: RSAKey) -> None:
        self._key = key

    def keys(self, *, anew: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - it has no other
        return public_keys(self._key)


OWN = SeedSigner()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    books = SealedBooks(tmp_path / "accounts.sealed", SecretKey(KeyName(KeyRole.ACCOUNTS), bytes(32)))
    return Door(PLACE, OWN.public_key(), books, PROVIDER, Published())


def refused(door: Door, token: str, at: timedelta = timedelta(0)) -> Code:
    with pytest.raises(Refusal) as caught:
        door.person_of(token, NOW + at)
    assert token[:20] not in str(caught.value) or not token
    return caught.value.code


# -- of a provider


def test_a_provider_s_access_token_tells_who_it_is_and_what_they_may(door: Door) -> None:
    who = door.person_of(provider_token(access_claims()), NOW)
    assert (who.subject, who.roles, who.provider, who.amr) == (
        "alice@example.org",
        frozenset({Role.RESEARCHER}),
        ISSUER,
        ("pwd", "otp"),
    )
    assert not who.has(Role.CHECKER)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://idp.example/"},
        {"iss": "https://other.example"},
        {"aud": "somebody-else"},
        {"aud": ["somebody-else"]},
        {"aud": None},
        {"exp": AT - 61},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"iat": AT + 61, "exp": AT + 600},
        {"iat": None},
        {"nbf": AT + 61},
        {"exp": AT + 3601},
        {"email": None},
        {"email": "no id\n"},
        {"email": ["alice@example.org"]},
        {"email_verified": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"sub": None},
        {"sub": ""},
        {"sub": 17},
        {"scope": "openid email"},
        {"scope": ""},
        {"scope": ["enclos"]},
        {"scope": "enclosed enclos:checker enclos:steward"},
        {"authorization_details": [{"type": "payment"}]},
        {"authorization_details": [], "scope": "enclos"},
    ],
)
def test_a_token_that_is_not_for_us_not_in_time_or_names_nobody_is_refused(door: Door, claims: dict[str, Any]) -> None:
    assert refused(door, provider_token(access_claims(**claims))) is Code.SIGN_IN_TOKEN


def test_a_clock_may_be_a_minute_off_and_no_more(door: Door) -> None:
    token = provider_token(access_claims())
    assert door.person_of(token, NOW + timedelta(seconds=659))
    assert refused(door, token, timedelta(seconds=660)) is Code.SIGN_IN_TOKEN
    assert door.person_of(token, NOW - timedelta(seconds=60))
    assert refused(door, token, timedelta(seconds=-61)) is Code.SIGN_IN_TOKEN


@pytest.mark.parametrize(
    "token",
    [
        unsigned_token(access_claims()),
        unsigned_token(access_claims(), alg="None"),
        unsigned_token(access_claims(), alg="RS256"),
        unsigned_token(access_claims(), alg=["RS256"]),
        unsigned_token(access_claims(), alg={}, typ=[], kid={}),
        provider_token(access_claims(iss=[ISSUER])),
        provider_token(access_claims(), kid="x" * 100),
        confused_token(access_claims()),
        provider_token(access_claims(), OTHER_KEY),
        provider_token(access_claims(), OTHER_KEY, kid="one"),
        provider_token(access_claims(), OTHER_KEY, jwk=OTHER_KEY.as_dict(private=False)),
        provider_token(access_claims(), alg="PS256"),
        provider_token(access_claims(), typ="JWT"),
        provider_token(access_claims(), typ="logout+jwt"),
        with_claims(provider_token(access_claims()), email="mallory@example.org"),
        provider_token({"iss": ISSUER}),
        "",
        "a.b.c",
        "..",
        "x" * 20_000,
        provider_token(access_claims()) + "A",
    ],
)
def test_a_token_that_the_provider_did_not_sign_as_agreed_is_refused(door: Door, token: str) -> None:
    assert refused(door, token) is Code.SIGN_IN_TOKEN


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_no_shorter_key_than_is_set_is_taken_and_none_below_2048_bits_whatever_is_set(door: Door) -> None:
    tiny = RSAKey.generate_key(1024, {"kid": "one"}, private=True)
    for key, least, holds in ((KEY, 2048, True), (KEY, 3072, False), (tiny, 2048, False), (tiny, 1024, False)):
        asked = replace(PROVIDER, least_rsa_bits=least)

        at = Door(PLACE, OWN.public_key(), door.books, asked, OneKey(key))
        token = provider_token(access_claims(), key)
        if holds:
            assert at.person_of(token, NOW).subject == "alice@example.org"
        else:
            assert refused(at, token) is Code.SIGN_IN_TOKEN


@pytest.mark.parametrize("amr", [None, [], ["pwd"], "otp", [["otp"]], {"otp": True}])
def test_without_a_second_factor_nobody_comes_in(door: Door, amr: Any) -> None:
    assert refused(door, provider_token(access_claims(amr=amr))) is Code.SIGN_IN_FACTOR
    assert refused(door, provider_token(access_claims(amr=amr, acr="0"))) is Code.SIGN_IN_FACTOR


def test_a_class_tells_a_second_factor_too(door: Door) -> None:
    who = door.person_of(provider_token(access_claims(amr=None, acr="https://refeds.org/profile/mfa")), NOW)
    assert who.acr == "https://refeds.org/profile/mfa"


@pytest.mark.parametrize("groups", [None, [], ["researcher"], "team", ["team-audit", "team-check"]])
def test_a_role_is_given_and_who_audits_has_no_other(door: Door, groups: Any) -> None:
    assert refused(door, provider_token(access_claims(groups=groups))) is Code.SIGN_IN_ROLE


def test_a_scope_gives_no_role_that_the_person_has_not_and_takes_those_that_it_does_not_name(door: Door) -> None:
    both = {"groups": ["team-research", "team-check"]}
    for scope, roles in (
        (None, {Role.RESEARCHER, Role.CHECKER}),
        ("openid enclos", {Role.RESEARCHER, Role.CHECKER}),
        ("enclos:checker email", {Role.CHECKER}),
        ("enclos:checker enclos:steward", {Role.CHECKER}),
    ):
        assert door.person_of(provider_token(access_claims(**both, scope=scope)), NOW).roles == roles
    assert refused(door, provider_token(access_claims(scope="enclos:checker"))) is Code.SIGN_IN_TOKEN


# -- one person for an id


def test_an_address_that_was_given_to_somebody_else_is_not_theirs_until_who_had_it_is_let_go(door: Door) -> None:
    first, second = provider_token(access_claims()), provider_token(access_claims(sub="u-18", jti="j-2"))
    assert door.person_of(first, NOW)
    assert refused(door, second) is Code.SIGN_IN_TOKEN
    assert door.person_of(first, NOW)
    unbind("alice@example.org", books=door.books, now=NOW)
    assert refused(door, first) is Code.SIGN_IN_TOKEN, "what was issued before is worth nothing"
    fresh = {"iat": AT + 1, "sub": "u-18", "jti": "j-3"}
    assert door.person_of(provider_token(access_claims(**fresh)), NOW + timedelta(seconds=1))
    again = provider_token(access_claims(**fresh | {"sub": "u-17"}))
    assert refused(door, again, timedelta(seconds=1)) is Code.SIGN_IN_TOKEN
    with pytest.raises(Refusal) as caught:
        unbind("bob@example.org", books=door.books, now=NOW)
    assert caught.value.code is Code.ACCOUNT_UNKNOWN
    assert "bob@example.org" not in door.books.read().signed_out, "what is refused signs nobody out"


def test_the_same_name_of_another_provider_is_another_person(door: Door) -> None:
    assert door.person_of(provider_token(access_claims()), NOW)
    other = replace(PROVIDER, issuer="https://other.example")
    moved = Door(PLACE, OWN.public_key(), door.books, other, Published())
    assert refused(moved, provider_token(access_claims(iss=other.issuer))) is Code.SIGN_IN_TOKEN


def test_an_id_is_never_a_local_account_s_and_a_provider_s_person_s(door: Door) -> None:
    given: dict[str, Any] = {"books": door.books, "passwords": Argon2Passwords(), "now": NOW}
    add_account("alice@example.org", "", [Role.STEWARD], **given)
    assert refused(door, provider_token(access_claims())) is Code.SIGN_IN_TOKEN
    remove_account("alice@example.org", books=door.books)
    assert door.person_of(provider_token(access_claims()), NOW)
    with pytest.raises(Refusal) as caught:
        add_account("alice@example.org", "", [Role.STEWARD], **given)
    assert caught.value.code is Code.ACCOUNT_INVALID


def test_a_provider_that_changed_its_key_is_asked_once_more(door: Door, tmp_path: Path) -> None:
    published = Published(later=public_keys(OTHER_KEY))
    asking = Door(PLACE, OWN.public_key(), door.books, PROVIDER, published)
    assert asking.person_of(provider_token(access_claims(), OTHER_KEY), NOW)
    assert published.asked == [False, True]
    asking.person_of(provider_token(access_claims(), KEY), NOW)
    assert published.asked == [False, True, False]


def test_a_provider_that_is_not_set_is_not_asked(door: Door) -> None:
    alone = Door(PLACE, OWN.public_key(), door.books)
    assert refused(alone, provider_token(access_claims())) is Code.SIGN_IN_TOKEN


# -- of our own


def test_our_own_token_says_again_who_signed_in(door: Door) -> None:
    who = person(provider=ISSUER, acr="two", amr=("hwk",))
    assert door.person_of(token_for(who, place=PLACE, signer=OWN, now=NOW), NOW) == who


def test_our_own_token_lives_an_hour_at_most_and_not_a_moment_longer(door: Door) -> None:
    who = person(provider=ISSUER, expires_at=NOW + timedelta(days=30))
    token = token_for(who, place=PLACE, signer=OWN, now=NOW)
    assert door.person_of(token, NOW + timedelta(minutes=59, seconds=59)).expires_at == NOW + timedelta(hours=1)
    assert refused(door, token, timedelta(hours=1)) is Code.SIGN_IN_TOKEN
    assert refused(door, token, timedelta(seconds=-1)) is Code.SIGN_IN_TOKEN


def test_our_own_token_is_worth_nothing_elsewhere_or_altered(door: Door) -> None:
    who = person(provider=ISSUER)
    token = token_for(who, place=PLACE, signer=OWN, now=NOW)
    for wrong in (
        token_for(who, place="enclos.example/spain", signer=OWN, now=NOW),
        token_for(who, place=PLACE, signer=SeedSigner(8), now=NOW),
        with_claims(token, roles=["steward"]),
        with_claims(token, sub="bob@example.org"),
        unsigned_token(_claims(token)),
        provider_token(_claims(token)),
        provider_token(access_claims(iss=PLACE)),
        token_for(person(provider="https://another.example"), place=PLACE, signer=OWN, now=NOW),
    ):
        assert refused(door, wrong) is Code.SIGN_IN_TOKEN


def test_a_local_person_needs_an_account(door: Door) -> None:
    assert refused(door, token_for(person(), place=PLACE, signer=OWN, now=NOW)) is Code.SIGN_IN_TOKEN


# -- withdrawn


def test_a_withdrawn_token_is_worth_nothing_and_another_of_the_same_person_still_is(door: Door) -> None:
    for first, second in (
        (provider_token(access_claims()), provider_token(access_claims(jti="j-2"))),
        (provider_token(access_claims(jti=None)), provider_token(access_claims(jti=None, nonce="other"))),
    ):
        withdraw(door.person_of(first, NOW), books=door.books, now=NOW)
        assert refused(door, first) is Code.SIGN_IN_TOKEN
        assert door.person_of(second, NOW)


def test_ending_sign_ins_lets_no_withdrawn_token_of_the_provider_s_live_again(door: Door) -> None:
    """Its end may be a minute ago by our clock and it is still taken, so it is kept as withdrawn for as long."""
    token = provider_token(access_claims())
    shown = door.person_of(token, NOW)
    withdraw(shown, books=door.books, now=NOW)
    late = shown.expires_at + timedelta(seconds=30)
    own = replace(person(), authenticated_at=late, expires_at=late + timedelta(hours=1), token="own")
    end_sign_ins(own, (), books=door.books, now=late)
    assert refused(door, token, late - NOW) is Code.SIGN_IN_TOKEN


def test_who_is_signed_out_everywhere_signs_in_anew(door: Door) -> None:
    before, own = provider_token(access_claims()), person(provider=ISSUER)
    early = token_for(own, place=PLACE, signer=OWN, now=NOW)
    sign_out_everywhere("alice@example.org", books=door.books, now=NOW + timedelta(milliseconds=300))
    later = NOW + timedelta(milliseconds=301)
    for token in (before, early):
        assert refused(door, token, timedelta(seconds=2)) is Code.SIGN_IN_TOKEN
    assert door.person_of(token_for(own, place=PLACE, signer=OWN, now=later), later)
    assert door.person_of(provider_token(access_claims(email="bob@example.org")), NOW).subject == "bob@example.org"


# -- as their person sees and ends them


def test_a_person_sees_their_sign_ins_and_ends_others_shortly_after_showing_a_factor(door: Door) -> None:
    def entered(token: str, after: timedelta = timedelta(0), **changed: Any) -> Person:
        given = {"provider": ISSUER, "token": token, "authenticated_at": NOW + after, **changed}
        who = person(**given, expires_at=NOW + after + timedelta(hours=1))
        note_sign_in(who, "portal", books=door.books, now=NOW + after)
        return who

    def going(after: timedelta, of: str = "alice@example.org") -> list[str]:
        return list(sign_ins_of(of, door.books.read(), NOW + after))

    def end(who: Person, tokens: list[str], after: timedelta) -> Code | list[str]:
        try:
            return end_sign_ins(who, tokens, books=door.books, now=NOW + after)
        except Refusal as refused_:
            return refused_.code

    minute = timedelta(minutes=1)
    one, two = entered("t-1"), entered("t-2", minute)
    entered("t-3", 2 * minute)
    bob = entered("t-4", 2 * minute, subject="bob@example.org")
    assert going(3 * minute) == ["t-3", "t-2", "t-1"]
    shown = token_for(one, place=PLACE, signer=OWN, now=NOW)
    assert end(bob, ["t-1"], 3 * minute) is Code.ACCOUNT_UNKNOWN, "another's"
    assert end(two, ["t-1", "guessed"], 3 * minute) is Code.ACCOUNT_UNKNOWN
    assert door.person_of(shown, NOW + 3 * minute), "nothing has ended yet"
    for tokens in (["t-1"], []):
        assert end(two, tokens, 12 * minute) is Code.SIGN_IN_FACTOR, "too long ago"
    assert end(two, ["t-1"], 11 * minute) == ["t-1"]
    assert refused(door, shown, 11 * minute) is Code.SIGN_IN_TOKEN
    assert end(one, ["t-1"], 11 * minute) is Code.ACCOUNT_UNKNOWN, "it has ended"
    assert end(two, [], 11 * minute) == ["t-3"]
    assert end(two, ["t-2"], 40 * minute) == ["t-2"], "the one that they act by, whenever"
    assert going(41 * minute) == []
    assert going(41 * minute, "bob@example.org") == ["t-4"]
    sign_out_everywhere("bob@example.org", books=door.books, now=NOW + 42 * minute)
    assert going(43 * minute, "bob@example.org") == []
    entered("t-5", 70 * minute)
    assert set(door.books.read().sign_ins) == {"t-5"}, "those that ended are not kept"


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims
