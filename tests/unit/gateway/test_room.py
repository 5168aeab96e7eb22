"""Nobody's answers on their way leave others without memory, and the whole stays within its bytes."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclos.gateway.flight import answers
from enclos.gateway.flight.answers import Waiting
from enclos.gateway.model import Caller
from enclos.gateway.room import LEAST_BYTES, Room
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.gateway import zeros

MEBIBYTE = 1 << 20
ALICE, BOB = Caller("alice", "P", "c"), Caller("bob", "P", "c")


def table(mebibytes: int) -> pa.Table:
    return zeros(mebibytes * MEBIBYTE)


def refused(act: object, *given: object) -> str:
    with pytest.raises(Refusal) as caught:
        act(*given)  # type: ignore[operator]
    assert caught.value.code is Code.GATE_BUSY
    return caught.value.what


def n_rows(waiting: Waiting, caller: Caller, ticket: bytes) -> int:
    return waiting.fetch(caller, ticket).read_all().num_rows


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 700)), max_size=60))
def test_nobody_holds_more_than_they_leave_free_and_room_is_given_back(asked: list[tuple[str, int]]) -> None:
    room, held, of = Room(1000), [], dict.fromkeys("abcdefgh", 0)
    for user, n_bytes in asked:
        free = 1000 - sum(of.values())
        fits = of[user] + n_bytes <= free - n_bytes
        try:
            held.append(room.hold(user, n_bytes))
        except Refusal:
            assert not fits
        else:
            assert fits
            of[user] += n_bytes
        assert room.of(user) == of[user]
    for each in held:
        each.release()
        each.release()
    assert not any(map(room.of, of))


def test_whoever_fills_their_share_leaves_others_theirs() -> None:
    room = Room(64 * MEBIBYTE)
    held = [room.hold("alice", 16 * MEBIBYTE) for _ in range(2)]
    assert "Your answers" in refused(room.hold, "alice", 1)
    assert "Your answers" in refused(room.require, "alice")
    room.require("alice", yields=LEAST_BYTES)
    room.require("bob", 16 * MEBIBYTE)
    assert "others" in refused(room.require, "bob", 16 * MEBIBYTE + 1)
    held[0].release()
    room.hold("bob", 24 * MEBIBYTE)


def test_a_persons_own_oldest_answers_make_room_and_nobody_elses() -> None:
    waiting = Waiting(Room(64 * MEBIBYTE))
    of_bob = waiting.keep(BOB, table(4))
    first, second, third = (waiting.keep(ALICE, table(14)) for _ in range(3))
    waiting.require_room(ALICE)
    with pytest.raises(Refusal, match="No answer of this ticket"):
        waiting.fetch(ALICE, first)
    assert "Answers that others" not in refused(waiting.keep, ALICE, table(31))
    assert n_rows(waiting, BOB, of_bob) == 4 * MEBIBYTE // 8
    assert n_rows(waiting, ALICE, second) == n_rows(waiting, ALICE, third) == 14 * MEBIBYTE // 8


def test_the_ninth_answer_takes_the_place_of_the_persons_first() -> None:
    waiting = Waiting(Room(64 * MEBIBYTE))
    of_bob, *own = (waiting.keep(caller, table(1)) for caller in (BOB, *[ALICE] * 9))
    with pytest.raises(Refusal):
        waiting.fetch(ALICE, own[0])
    assert all(n_rows(waiting, ALICE, ticket) for ticket in own[1:])
    assert n_rows(waiting, BOB, of_bob)


def test_an_answer_holds_its_room_until_its_last_part_was_taken_or_it_is_left() -> None:
    room = Room(64 * MEBIBYTE)
    waiting = Waiting(room)
    slow = waiting.fetch(ALICE, waiting.keep(ALICE, table(32)))
    assert "Your answers" in refused(waiting.require_room, ALICE)
    assert "Your answers" in refused(waiting.keep, ALICE, table(1))
    waiting.require_room(BOB)
    del slow
    gc.collect()
    assert room.of(ALICE.user) == 0
    taken = waiting.fetch(ALICE, waiting.keep(ALICE, table(32)))
    taken.read_all()
    assert room.of(ALICE.user) == 0


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr(answers.time, "monotonic", lambda: now[0])
    return now  # type: ignore[return-value]


def test_what_nobody_fetched_in_two_minutes_is_gone_and_its_room_free(later: list[float]) -> None:
    room = Room(64 * MEBIBYTE)
    waiting = Waiting(room)
    ticket = waiting.keep(ALICE, table(8))
    later[0] += 119
    waiting.expire()
    assert room.of(ALICE.user) == 8 * MEBIBYTE
    later[0] += 1
    waiting.expire()
    assert room.of(ALICE.user) == 0
    with pytest.raises(Refusal):
        waiting.fetch(ALICE, ticket)
