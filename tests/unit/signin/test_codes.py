"""One-time codes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from enclos.signin.model import Account, Role
from enclos.signin.rules.codes import code_of, step_of, step_taken
from factories.people import NOW

RFC_SECRET = b"12345678901234567890"


def account(last_step: int = 0) -> Account:
    return Account("a@b.c", "A", frozenset({Role.CHECKER}), "", RFC_SECRET, last_step, NOW)


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1: eight digits there, of which six are shown here."""
    assert code_of(RFC_SECRET, step_of(datetime.fromtimestamp(second, UTC))) == code[-6:]


def test_a_code_is_taken_in_its_step_and_the_one_beside_it() -> None:
    step = step_of(NOW)
    for aside in (-1, 0, 1):
        assert step_taken(account(), code_of(RFC_SECRET, step + aside), NOW) == step + aside
    for aside in (-2, 2):
        assert step_taken(account(), code_of(RFC_SECRET, step + aside), NOW) is None


def test_no_code_is_taken_twice_nor_one_from_before_it() -> None:
    step = step_of(NOW)
    assert step_taken(account(step), code_of(RFC_SECRET, step), NOW) is None
    assert step_taken(account(step), code_of(RFC_SECRET, step - 1), NOW) is None
    assert step_taken(account(step), code_of(RFC_SECRET, step + 1), NOW) == step + 1


@pytest.mark.parametrize("code", ["", "1", "００００００", "-1", "0" * 7, "abcdef"])
def test_what_is_no_code_is_not_taken(code: str) -> None:
    assert step_taken(account(), code, NOW) is None
