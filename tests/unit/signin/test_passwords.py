"""Passwords that many have used, patterns, and first passwords."""

from __future__ import annotations

import random
import secrets

import pytest

from enclos.signin.rules.passwords import DIGEST_BYTES, first_password, is_pattern, used_digest, what_is_wrong
from enclos.stores import used_passwords
from enclos.stores.used_passwords import is_used
from factories.people import PASSWORD


@pytest.mark.parametrize(
    "password",
    ["123qweasdzxc", "1qaz2wsx3edc", "q1w2e3r4t5y6", "PasswordPassword", "passwordpassword",
     "iloveyou1234", "1q2w3e4r5t6y", "password1234", "manchesterunited", "contortionist"],
)  # fmt: skip
def test_passwords_of_breaches_are_known_in_small_and_capital_letters(password: str) -> None:
    assert is_used(password)
    assert is_used(password.upper())


def test_the_list_is_of_twenty_thousand_in_order_and_finds_each_and_no_other() -> None:
    held = used_passwords._digests()
    entries = [held[at : at + DIGEST_BYTES] for at in range(0, len(held), DIGEST_BYTES)]
    assert len(entries) == 20_000
    assert entries == sorted(set(entries))
    chance = random.Random(1)  # noqa: S311 - not a secret
    assert not any(is_used("".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=16))) for _ in range(2000))
    assert used_digest("Straße") == used_digest("STRASSE")


@pytest.mark.parametrize(
    "password",
    ["abcdefghijkl", "111111222222", "bobbobbobbob", "lkjhgfdsapoi", "azertyuiopqs", "trustno1trustno1", "é" * 12],
)
def test_pieces_that_repeat_few_signs_and_rows_of_keys_are_patterns(password: str) -> None:
    assert is_pattern(password)


@pytest.mark.parametrize(
    "password", [PASSWORD, "correct horse battery", "  è 漢字 '\"; --  ", " ".join(map(str, range(70)))]
)
def test_of_other_passwords_nothing_is_wrong(password: str) -> None:
    assert what_is_wrong(password, "bob@example.org", is_used) == ""


def test_a_first_password_is_random_and_one_that_an_account_may_have() -> None:
    drawn = {first_password(secrets.choice) for _ in range(200)}
    assert len(drawn) == 200
    assert {len(each) for each in drawn} == {23}
    assert [what_is_wrong(each, "bob@example.org", is_used) for each in drawn] == [""] * 200
    assert len({each for password in drawn for each in password}) == 31 + 1, "every sign is drawn"
