"""One person's many statements do not stop another's one."""

from __future__ import annotations

import threading
import time

import pytest

from enclos.app.turns import FairQueue
from enclos.gateway.model import Caller, GateLimits
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal

NEVER = threading.Event()
LIMITS = GateLimits(n_at_once=2, n_per_permit=2, n_waiting=3)


def caller(user: str, permit: str = "P") -> Caller:
    return Caller(user, permit, "c")


class Runner:
    """Statements that run until they are let go."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue, self.order, self.threads = queue, [], []  # type: ignore[var-annotated]
        self.go: dict[str, threading.Event] = {}

    def start(self, name: str, user: str, permit: str = "P") -> None:
        self.go[name] = threading.Event()

        def run() -> None:
            with self.queue.turn(caller(user, permit), NEVER):
                self.order.append(name)
                self.go[name].wait(20)

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)
        time.sleep(0.03)

    def until(self, *names: str) -> None:
        end = time.monotonic() + 10
        while self.order != list(names):
            assert time.monotonic() < end, self.order
            time.sleep(0.01)

    def end(self) -> None:
        for event in self.go.values():
            event.set()
        for thread in self.threads:
            thread.join()


def test_a_person_never_has_all_places_and_turns_go_round() -> None:
    runner = Runner(FairQueue(LIMITS))
    for name in ("a1", "a2", "a3"):
        runner.start(name, "alice")
    runner.until("a1")
    runner.start("b1", "bob")
    runner.until("a1", "b1")
    runner.start("c1", "carol")
    runner.go["b1"].set()
    runner.until("a1", "b1", "c1")
    runner.go["a1"].set()
    runner.until("a1", "b1", "c1", "a2")
    runner.end()
    assert runner.order[-1] == "a3"


def test_a_permit_has_its_own_bound() -> None:
    runner = Runner(FairQueue(GateLimits(n_at_once=3, n_per_permit=1)))
    runner.start("a1", "alice", "P")
    runner.start("b1", "bob", "P")
    runner.start("c1", "carol", "Q")
    runner.until("a1", "c1")
    runner.go["a1"].set()
    runner.until("a1", "c1", "b1")
    runner.end()


def test_who_waits_too_often_is_refused_and_who_stops_leaves_the_row() -> None:
    queue = FairQueue(LIMITS)
    runner = Runner(queue)
    for name in ("a1", "a2", "a3", "a4"):
        runner.start(name, "alice")
    with pytest.raises(Refusal) as caught, queue.turn(caller("alice"), NEVER):
        pass
    assert caught.value.code is Code.GATE_BUSY
    stop = threading.Event()
    stop.set()
    runner.start("b1", "bob")
    with pytest.raises(Refusal) as caught, queue.turn(caller("carol"), stop):
        pass
    assert caught.value.code is Code.GATE_STOPPED
    runner.end()
    assert sorted(runner.order) == ["a1", "a2", "a3", "a4", "b1"]


def test_nobodys_turn_comes_after_the_end() -> None:
    queue = FairQueue(LIMITS)
    queue.close()
    with pytest.raises(Refusal) as caught, queue.turn(caller("alice"), NEVER):
        pass
    assert caught.value.code is Code.GATE_STOPPED
