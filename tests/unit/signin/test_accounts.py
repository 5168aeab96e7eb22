"""Local accounts: what signs in, what does not, and what ends a token."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Person, Role
from enclos.signin.rules.codes import code_of, step_of
from enclos.signin.rules.guessing import HOME
from enclos.signin.steps import (
    add_account,
    change_account,
    change_own_password,
    remember_place,
    remove_account,
    sign_in,
)
from enclos.stores.accounts import Argon2Passwords, SealedBooks
from enclos.stores.used_passwords import is_used
from factories.people import NOW, PASSWORD

ALICE = "alice@example.org"
HOUR = timedelta(hours=1)


class Clear:
    """Keeps passwords as they are: a slow hash is looked at once, below."""

    def kept(self, password: str) -> str:
        return password

    def is_right(self, password: str, kept: str | None) -> bool:
        return password == kept

    def is_used(self, password: str) -> bool:
        return is_used(password)


@pytest.fixture
def books(tmp_path: Path) -> SealedBooks:
    kept = SealedBooks(tmp_path / "sign-in" / "accounts.sealed", SecretKey(KeyName(KeyRole.ACCOUNTS), bytes(32)))
    made(kept, ALICE, [Role.RESEARCHER])
    return kept


def made(books: SealedBooks, account: str, roles: list[Role], password: str = PASSWORD) -> None:
    """An account whose holder chose their password an hour ago."""
    at = NOW - HOUR
    own, first = add_account(account, "", roles, books=books, passwords=Clear(), now=at)
    shown = code_of(own.totp, step_of(at))
    sign_in(account, first, shown, new=password, books=books, passwords=Clear(), now=at, lasts=HOUR)


def code(books: SealedBooks, after: timedelta = timedelta(0)) -> str:
    return code_of(books.read().accounts[ALICE].totp, step_of(NOW + after))


def enter(books: SealedBooks, password: str = PASSWORD, shown: str = "", **given: Any) -> Person:
    after = given.get("after", timedelta(0))
    return sign_in(
        given.get("name", ALICE),
        password,
        shown or code(books, after),
        books=books,
        passwords=Clear(),
        now=NOW + after,
        lasts=HOUR,
        new=given.get("new", ""),
        place=given.get("place", ""),
    )


def code_of_refusal(act: Any) -> Code:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.code


def test_password_and_code_together_sign_in(books: SealedBooks) -> None:
    who = enter(books)
    assert (who.subject, who.provider, who.amr) == (ALICE, "local", ("pwd", "otp", "mfa"))
    assert (who.authenticated_at, who.expires_at) == (NOW, NOW + HOUR)


def test_what_is_wrong_is_not_told(books: SealedBooks) -> None:
    told = set()
    for given in (
        {"password": "another one entirely"},
        {"shown": "000000" if code(books) != "000000" else "111111"},
        {"name": "nobody@example.org"},
    ):
        with pytest.raises(Refusal) as caught:
            enter(books, **given)
        told.add(str(caught.value))
    assert len(told) == 1


def test_a_code_is_taken_once(books: SealedBooks) -> None:
    shown = code(books)
    enter(books, shown=shown)
    assert code_of_refusal(lambda: enter(books, shown=shown, after=timedelta(seconds=5))) is Code.SIGN_IN_WRONG
    assert enter(books, after=timedelta(seconds=31))


@pytest.mark.parametrize("name", [ALICE, "nobody@example.org"])
def test_who_fails_five_times_waits_whether_there_is_an_account_or_not(books: SealedBooks, name: str) -> None:
    for _ in range(5):
        assert code_of_refusal(lambda: enter(books, "wrong password here", name=name)) is Code.SIGN_IN_WRONG
    assert code_of_refusal(lambda: enter(books, name=name)) is Code.SIGN_IN_SLOW
    later = timedelta(seconds=30)
    if name == ALICE:
        assert enter(books, after=later)
        assert enter(books, after=timedelta(seconds=61)), "a sign-in that holds forgets failures"


def test_a_try_counts_before_it_is_looked_at(books: SealedBooks) -> None:
    """Tries at once are no more than tries in turn: while one password is compared, the others are counted."""

    class Looking(Clear):
        def is_right(self, password: str, kept: str | None) -> bool:
            tried.append(next(iter(books.read().failures.values())).n)
            return super().is_right(password, kept)

    tried: list[int] = []
    for _ in range(3):
        with pytest.raises(Refusal):
            sign_in(ALICE, "x", "000000", books=books, passwords=Looking(), now=NOW, lasts=HOUR)
    assert tried == [1, 2, 3]


def test_a_hundred_failures_close_the_account_until_it_is_changed(books: SealedBooks) -> None:
    after = timedelta(0)
    for _ in range(100):
        after += timedelta(minutes=16)
        assert code_of_refusal(lambda at=after: enter(books, "wrong password here", after=at)) is Code.SIGN_IN_WRONG
    after += timedelta(days=1)
    assert code_of_refusal(lambda: enter(books, after=after)) is Code.SIGN_IN_SLOW
    change_account(ALICE, books=books, passwords=Clear(), now=NOW + after)
    assert enter(books, after=after)


def test_another_password_or_other_codes_are_asked_for_from_then_on(books: SealedBooks) -> None:
    shown = code(books)
    _, first = change_account(ALICE, books=books, passwords=Clear(), now=NOW, new_password=True, new_codes=True)
    new = "other quiet words"
    assert code_of_refusal(lambda: enter(books, new=new)) is Code.SIGN_IN_WRONG
    assert code_of_refusal(lambda: enter(books, first, shown, new=new)) is Code.SIGN_IN_WRONG
    assert enter(books, first, new=new)
    assert enter(books, new, after=timedelta(seconds=30))


def test_a_first_password_is_good_for_choosing_one_s_own_within_a_day_and_for_nothing_else(books: SealedBooks) -> None:
    _, first = change_account(ALICE, books=books, passwords=Clear(), now=NOW, new_password=True)
    assert code_of_refusal(lambda: enter(books, first)) is Code.SIGN_IN_FIRST
    for new in (first, "short", "1qaz2wsx3edc", "bobbobbobbob", "I am alice@example.org"):
        change_account(ALICE, books=books, passwords=Clear(), now=NOW)  # forgets that it failed
        assert code_of_refusal(lambda given=new: enter(books, first, new=given)) is Code.ACCOUNT_INVALID
    assert code_of_refusal(lambda: enter(books, "wrong here and now", new=PASSWORD)) is Code.SIGN_IN_WRONG
    day = timedelta(hours=24)
    assert code_of_refusal(lambda: enter(books, first, new=PASSWORD, after=day)) is Code.SIGN_IN_WRONG
    assert enter(books, first, new=PASSWORD, after=day - timedelta(seconds=1))
    assert code_of_refusal(lambda: enter(books, first, new=PASSWORD, after=day)) is Code.SIGN_IN_WRONG
    assert enter(books, after=timedelta(days=30)), "their own does not end"


def test_a_stranger_who_closes_a_name_shuts_out_nobody_who_was_here_before(books: SealedBooks) -> None:
    remember_place(ALICE, "browser b", books=books, now=NOW)
    after = timedelta(0)
    for _ in range(100):
        after += timedelta(minutes=16)
        assert code_of_refusal(lambda at=after: enter(books, "wrong password here", after=at)) is Code.SIGN_IN_WRONG
    assert code_of_refusal(lambda: enter(books, after=after)) is Code.SIGN_IN_SLOW
    assert code_of_refusal(lambda: enter(books, after=after, place="browser other")) is Code.SIGN_IN_SLOW
    for place in ("browser b", HOME):
        assert enter(books, after=after, place=place).subject == ALICE
        after += timedelta(seconds=30)
    assert code_of_refusal(lambda: enter(books, after=after)) is Code.SIGN_IN_SLOW, "and opens it for no stranger"


def test_a_known_browser_is_no_way_to_guess_more_often(books: SealedBooks) -> None:
    remember_place(ALICE, "browser b", books=books, now=NOW)
    after = timedelta(0)
    for _ in range(110):
        after += timedelta(minutes=16)
        wrong = lambda at=after: enter(books, "wrong password here", after=at, place="browser b")  # noqa: E731
        assert code_of_refusal(wrong) is Code.SIGN_IN_WRONG
    assert code_of_refusal(lambda: enter(books, after=after + HOUR, place="browser b")) is Code.SIGN_IN_SLOW


def test_an_account_that_is_removed_signs_nobody_in(books: SealedBooks) -> None:
    shown = code(books)
    remove_account(ALICE, books=books)
    assert code_of_refusal(lambda: enter(books, shown=shown)) is Code.SIGN_IN_WRONG
    assert code_of_refusal(lambda: remove_account(ALICE, books=books)) is Code.ACCOUNT_UNKNOWN


@pytest.mark.parametrize(
    ("account", "roles", "code_"),
    [
        ("no id", [Role.CHECKER], Code.ACCOUNT_INVALID),
        (ALICE, [Role.CHECKER], Code.ACCOUNT_INVALID),
        ("bob@example.org", [], Code.SIGN_IN_ROLE),
        ("bob@example.org", [Role.PUBLIC], Code.SIGN_IN_ROLE),
        ("bob@example.org", [Role.AUDITOR, Role.STEWARD], Code.SIGN_IN_ROLE),
    ],
)
def test_an_account_is_one_person_s_with_roles(
    books: SealedBooks, account: str, roles: list[Role], code_: Code
) -> None:
    add = lambda: add_account(account, "", roles, books=books, passwords=Clear(), now=NOW)  # noqa: E731
    assert code_of_refusal(add) is code_


@pytest.mark.parametrize(
    ("account", "password"),
    [
        ("bob@example.org", "short"),
        ("bob@example.org", "I am BOB@example.org"),
        ("robert@example.org", "Robert and friends"),
        ("bob@example.org", "Enclos of the north"),
        ("bob@example.org", " ".join(map(str, range(100)))),
        ("bob@example.org", "manchesterunited"),
        ("bob@example.org", "111111222222"),
    ],
)
def test_a_password_is_long_not_one_that_many_used_and_not_near_its_account(
    books: SealedBooks, account: str, password: str
) -> None:
    assert code_of_refusal(lambda: made(books, account, [Role.CHECKER], password)) is Code.ACCOUNT_INVALID


@pytest.mark.parametrize("password", ["plain lower words", "  è 漢字 '\"; --  ", "Long Words " * 9 + "end"])
def test_a_password_is_of_any_signs_and_long_and_counts_to_the_letter(books: SealedBooks, password: str) -> None:
    made(books, "bob@example.org", [Role.CHECKER], password)
    kept = books.read().accounts["bob@example.org"]
    shown = code_of(kept.totp, step_of(NOW))
    entering = {"books": books, "passwords": Clear(), "now": NOW, "lasts": timedelta(hours=1)}
    for other in (password.swapcase() if password.swapcase() != password else password + "1", password[:-1]):
        assert (
            code_of_refusal(lambda given=other: sign_in("bob@example.org", given, shown, **entering))
            is Code.SIGN_IN_WRONG
        )
    assert sign_in("bob@example.org", password, shown, **entering).subject == "bob@example.org"


def test_the_book_is_sealed_for_its_owner_alone_and_reads_back(books: SealedBooks, tmp_path: Path) -> None:
    enter(books)
    path = tmp_path / "sign-in" / "accounts.sealed"
    content = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    for secret in (b"alice", PASSWORD.encode(), books.read().accounts[ALICE].totp):
        assert secret not in content
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert code_of_refusal(books.read) is Code.STORAGE_BROKEN
    own, first = add_account("b@c.d", "B", [Role.CHECKER], books=_fresh(tmp_path), **_with())
    assert first not in repr(own)


def test_passwords_are_kept_as_argon2id() -> None:
    passwords = Argon2Passwords()
    kept = passwords.kept(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.is_right(PASSWORD, kept)
    assert not passwords.is_right(PASSWORD + " ", kept)
    assert not passwords.is_right("", None)
    assert not passwords.is_right(PASSWORD, "not a hash")


def _fresh(tmp_path: Path) -> SealedBooks:
    return SealedBooks(tmp_path / "other.sealed", SecretKey(KeyName(KeyRole.ACCOUNTS), bytes(32)))


def _with() -> dict[str, Any]:
    return {"passwords": Clear(), "now": NOW}


def test_a_password_is_changed_by_who_knows_the_present_one_and_shows_a_code(books: SealedBooks) -> None:
    def change(present: str, shown: str, new: str) -> None:
        change_own_password(ALICE, present, shown, new, books=books, passwords=Clear(), now=NOW)

    new, wrong_code = "four other quiet words", "000000" if code(books) != "000000" else "111111"
    assert code_of_refusal(lambda: change(PASSWORD, code(books), "short")) is Code.ACCOUNT_INVALID
    for present, shown in (("another one entirely", code(books)), (PASSWORD, wrong_code)):
        assert code_of_refusal(lambda p=present, c=shown: change(p, c, new)) is Code.SIGN_IN_WRONG
    change(PASSWORD, code(books), new)
    later = timedelta(seconds=60)
    assert code_of_refusal(lambda: enter(books, PASSWORD, after=later)) is Code.SIGN_IN_WRONG
    assert enter(books, new, after=later).subject == ALICE
    assert books.read().accounts[ALICE].tokens_after == NOW, "what was issued before is worth nothing"
