"""How often somebody may try, and that a stranger shuts nobody out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enclos.signin.model import Account, Book, Failures, Place, Role
from enclos.signin.rules.guessing import (
    HOME,
    REMEMBERED,
    counted_under,
    forgotten,
    name_digest,
    place_digest,
    waits_until,
    with_failure,
    with_place,
)
from factories.people import NOW

ALICE = "alice@example.org"
ACCOUNT = Account(ALICE, "A", frozenset({Role.CHECKER}), "", b"", 0, NOW)
BOOK = Book({ALICE: ACCOUNT}, places=with_place({}, ALICE, "browser b", NOW))


def test_who_fails_often_waits_longer_and_longer_but_not_for_ever() -> None:
    waits = [waits_until(Failures(n, NOW)) for n in (4, 5, 6, 7, 50)]
    assert waits == [None, *(NOW + timedelta(seconds=each) for each in (30, 60, 120, 900))]


def test_a_flood_of_names_that_nobody_has_forgets_no_failure_of_an_account_or_of_its_places() -> None:
    own = {name_digest(ALICE), place_digest(ALICE, HOME), place_digest(ALICE, "browser b")}
    failures = {f"{number:032x}": Failures(1, NOW + timedelta(seconds=number)) for number in range(4096)}
    failures |= dict.fromkeys(own, Failures(3, NOW))
    book = Book({ALICE: ACCOUNT}, failures, places=BOOK.places)
    counted = with_failure(book, name_digest("nobody"), NOW + timedelta(1))
    assert len(counted) == 4096 + 3
    assert own | {name_digest("nobody")} <= counted.keys()
    assert f"{0:032x}" not in counted


@pytest.mark.parametrize("brought", ["", "browser other", "browser " + HOME, "browser b\n"])
def test_what_is_not_known_counts_under_the_name(brought: str) -> None:
    assert counted_under(BOOK, ALICE, brought, NOW) == name_digest(ALICE)


def test_a_known_browser_and_the_command_line_count_apart_until_too_many_failed_there() -> None:
    for place in ("browser b", HOME):
        apart = place_digest(ALICE, place)
        assert counted_under(BOOK, ALICE, place, NOW) == apart != name_digest(ALICE)
        few, many = (Book(BOOK.accounts, {apart: Failures(n, NOW)}, places=BOOK.places) for n in (9, 10))
        assert counted_under(few, ALICE, place, NOW) == apart
        assert counted_under(many, ALICE, place, NOW) == name_digest(ALICE)
    assert counted_under(BOOK, "bob@example.org", "browser b", NOW) == name_digest("bob@example.org"), "not his"
    assert counted_under(BOOK, ALICE, "browser b", NOW + REMEMBERED) == name_digest(ALICE), "not for ever"


def test_the_newest_twenty_browsers_of_each_account_are_remembered() -> None:
    places: dict[str, Place] = dict(with_place({}, "bob@example.org", "browser of bob", NOW))
    for number in range(25):
        places = with_place(places, ALICE, f"browser {number}", NOW + timedelta(minutes=number))
    of_alice = {place_digest(ALICE, f"browser {number}") for number in range(5, 25)}
    assert places.keys() == of_alice | {place_digest("bob@example.org", "browser of bob")}
    later = with_place(places, ALICE, "browser new", NOW + REMEMBERED + timedelta(hours=1))
    assert later.keys() == {place_digest(ALICE, "browser new")}, "those that ended are let go"


def test_what_is_forgotten_of_an_account_is_its_own_alone() -> None:
    failures = {
        digest: Failures(1, NOW)
        for digest in (name_digest(ALICE), place_digest(ALICE, HOME), place_digest(ALICE, "browser b"), "other")
    }
    assert forgotten(Book(BOOK.accounts, failures, places=BOOK.places), ALICE) == ({"other": Failures(1, NOW)}, {})
