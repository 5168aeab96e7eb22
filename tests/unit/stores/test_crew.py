"""Processes that answer: in order, asked again when they are killed, gone when who asks is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, NotAsPromised
from enclos.stores.crew import TRIES, Crew, WorkFailed

HAND = """
import json, os, signal, sys, time
from pathlib import Path
from enclos.stores.crew import Kind, read_message, write_message

def main():
    told, telling = sys.stdin.buffer, sys.stdout.buffer
    greeting, order = read_message(told)[1].decode(), ""
    place = Path(greeting)
    (place / f"started-{os.getpid()}").touch()
    while True:
        kind, content = read_message(told)
        if kind is Kind.ORDER:
            order = content.decode()
            continue
        word = content.decode()
        (place / f"asked-{word}-{os.getpid()}").touch()
        if word == "refuse":
            text = json.dumps({"code": "PERMIT_EXPIRED", "what": "It is over.", "next": "Ask."})
            write_message(telling, Kind.REFUSED, text.encode())
        elif word == "fail":
            write_message(telling, Kind.FAILED, b"KeyError")
        else:
            if word == "die" or word.startswith("once") and len(list(place.glob(f"asked-{word}-*"))) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            if word.startswith("slow"):
                time.sleep(0.3)
            if word == "wait":
                time.sleep(60)
            write_message(telling, Kind.ANSWER, f"{order} {word} {len(os.environ)}".encode())
"""


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    (tmp_path / "hand_of_a_test.py").write_text(HAND, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with Crew("hand_of_a_test", str(tmp_path).encode(), 2, {"LC_ALL": "C.UTF-8"}) as crew:
        yield crew


def words(crew: Crew, order: str, *questions: str) -> list[str]:
    return [each.decode() for each in crew.answers(order.encode(), (word.encode() for word in questions))]


def test_answers_come_in_the_order_of_the_questions(crew: Crew, tmp_path: Path) -> None:
    assert words(crew, "first", "slow1", "b", "c", "slow2", "e") == [
        f"first {word} 1" for word in ("slow1", "b", "c", "slow2", "e")
    ]
    assert words(crew, "second", "a", "b") == ["second a 1", "second b 1"]
    assert len(list(tmp_path.glob("started-*"))) == 2


def test_who_is_killed_over_a_question_is_replaced_and_the_question_asked_again(crew: Crew, tmp_path: Path) -> None:
    assert words(crew, "o", "a", "once1", "b", "once2") == ["o a 1", "o once1 1", "o b 1", "o once2 1"]
    assert len(list(tmp_path.glob("asked-once1-*"))) == 2
    assert len(list(tmp_path.glob("asked-a-*"))) == 1


def test_a_question_that_kills_everybody_is_given_up(crew: Crew, tmp_path: Path) -> None:
    with pytest.raises(NotAsPromised) as refused:
        words(crew, "o", "die")
    assert refused.value.code is Code.WORKER_DIED
    assert len(list(tmp_path.glob("asked-die-*"))) == TRIES


def test_a_refusal_arrives_as_one_and_a_bug_without_its_text(crew: Crew) -> None:
    with pytest.raises(NotAllowed) as refused:
        words(crew, "o", "refuse")
    assert (refused.value.code, refused.value.what) == (Code.PERMIT_EXPIRED, "It is over.")
    with pytest.raises(WorkFailed, match="KeyError"):
        words(crew, "o", "fail")
    assert words(crew, "o", "a") == ["o a 1"]


def test_a_question_is_taken_when_somebody_is_free_for_it(crew: Crew) -> None:
    taken: list[int] = []

    def questions() -> Iterator[bytes]:
        for number in range(6):
            taken.append(number)
            yield b"slow"

    answers = crew.answers(b"o", questions())
    assert not taken
    next(answers)
    assert len(taken) <= 4  # two who are asked, and as many answers ahead
    assert len(list(answers)) == 5


def test_an_interruption_ends_a_question_that_is_being_answered(crew: Crew, tmp_path: Path) -> None:
    Timer(0.5, crew.interrupt).start()
    began = time.monotonic()
    with pytest.raises(NotAsPromised):
        words(crew, "o", "wait", "wait")
    assert time.monotonic() - began < 20
    while any(is_alive(int(place.name.removeprefix("started-"))) for place in tmp_path.glob("started-*")):
        assert time.monotonic() - began < 20
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
