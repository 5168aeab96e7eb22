"""Sessions of browsers: short, and none outlives what it rests on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enclos.portal.sessions import IDLE, Sessions, is_own_form
from enclos.signin.steps import attempt
from factories.people import NOW, person


def test_a_session_ends_when_it_is_not_used_and_when_the_sign_in_ends() -> None:
    sessions = Sessions()
    cookie = sessions.enter(person(), "a token", NOW)
    at = NOW
    for _ in range(4):
        at += IDLE - timedelta(seconds=1)
        assert (sessions.of(cookie, at) is not None) == (at < NOW + timedelta(hours=1))
    idle = sessions.enter(person(), "a token", NOW)
    assert sessions.of(idle, NOW + IDLE) is None
    assert sessions.of(idle, NOW) is None, "what has ended does not come back"


def test_a_cookie_is_nobody_s_before_it_is_given_and_after_it_is_left() -> None:
    sessions = Sessions()
    cookie = sessions.enter(person(), "a token", NOW)
    found = sessions.of(cookie, NOW)
    assert found is not None
    assert is_own_form(found, found.csrf)
    for wrong in ("", found.csrf[:-1], "é"):
        assert not is_own_form(found, wrong)
    assert sessions.of("guessed", NOW) is None
    sessions.leave(cookie)
    assert sessions.of(cookie, NOW) is None


def test_what_was_begun_is_given_once() -> None:
    sessions, begun = Sessions(), attempt("https://portal.example/sign-in/answer", NOW)
    cookie = sessions.begin(begun)
    assert [sessions.take("guessed"), sessions.take(cookie), sessions.take(cookie)] == [None, begun, None]


def test_a_flood_of_beginnings_takes_no_more_memory_than_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclos.portal.sessions._MOST_ATTEMPTS", 3)
    sessions = Sessions()
    cookies = [sessions.begin(attempt("https://portal.example/", NOW)) for _ in range(5)]
    assert [sessions.take(cookie) is not None for cookie in cookies] == [False, False, True, True, True]
