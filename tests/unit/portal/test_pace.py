"""How often one may ask, and what is done once."""

from __future__ import annotations

from threading import Thread
from time import sleep
from typing import Any

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.portal.pace import Answers, Pace


def test_a_person_who_asks_too_often_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [100.0]
    monkeypatch.setattr("enclos.portal.pace.monotonic", lambda: at[0])
    pace = Pace()
    for _ in range(60):
        pace.take("alice")
    with pytest.raises(Refusal) as caught:
        pace.take("alice")
    assert caught.value.code is Code.SIGN_IN_SLOW
    pace.take("bob")
    at[0] += 0.5
    pace.take("alice")
    pace.take("alice")
    with pytest.raises(Refusal):
        pace.take("alice")


def test_what_is_asked_twice_under_one_key_is_done_once_also_at_the_same_time() -> None:
    answers, done = Answers(), []

    def act() -> dict[str, Any]:
        done.append(1)
        sleep(0.05)
        return {"request": len(done)}

    said: list[dict[str, Any]] = []
    asking = [Thread(target=lambda: said.append(answers.once(("alice", "k"), "a", act))) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert said == [{"request": 1}] * 4
    assert answers.once(("bob", "k"), "a", act) == {"request": 2}, "a key is its person's"
    with pytest.raises(Refusal) as caught:
        answers.once(("alice", "k"), "b", act)
    assert caught.value.code is Code.SIGN_IN_ANSWER


def test_what_was_refused_may_be_asked_again() -> None:
    answers = Answers()

    def refused() -> dict[str, Any]:
        raise ValueError

    with pytest.raises(ValueError):
        answers.once("k", "a", refused)
    assert answers.once("k", "a", lambda: {"done": True}) == {"done": True}
