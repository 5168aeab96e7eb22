"""The life of a re-identification: every state and event has its arrow or its refusal, and two other persons decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.rights.model import Decision, Event, Reason, Reidentification, State, reidentification_from_json
from enclos.rights.rules import REASONS, TRANSITIONS, check_decider, next_state, state_of

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ASKED = Reidentification(
    "0123456789abcdef",
    "FR-1",
    77,
    "hosp-a",
    "00" * 32,
    Reason.MEDICAL_EMERGENCY,
    "care at once",
    "alice@example.org",
    ("alice@example.org", "bob@example.org"),
    NOON,
    NOON + timedelta(hours=24),
)
YES = Decision("carol@example.org", approve=True, why="it is so", at=NOON)
ALSO = replace(YES, user="dan@example.org")
NO = replace(YES, approve=False)


def test_the_table_answers_every_event_in_every_state():
    assert set(TRANSITIONS) == set(State)
    assert all(set(arrows) == set(Event) for arrows in TRANSITIONS.values())
    arrows = {
        (state, event, after) for state, row in TRANSITIONS.items() for event, after in row.items() if after is not None
    }
    assert arrows == {
        (State.ASKED, Event.APPROVE, State.HALF),
        (State.HALF, Event.APPROVE, State.APPROVED),
        (State.APPROVED, Event.CARRY_OUT, State.CARRIED_OUT),
        *((state, Event.REFUSE, State.REFUSED) for state in (State.ASKED, State.HALF, State.APPROVED)),
        *((state, Event.EXPIRE, State.EXPIRED) for state in (State.ASKED, State.HALF, State.APPROVED)),
    }


def test_every_reason_has_its_source_and_an_end():
    assert set(REASONS) == set(Reason)
    assert all(rule.source and 0 < rule.max_hours <= 30 * 24 for rule in REASONS.values())


@pytest.mark.parametrize(
    ("decisions", "after", "state"),
    [
        ((), timedelta(), State.ASKED),
        ((YES,), timedelta(), State.HALF),
        ((YES, ALSO), timedelta(), State.APPROVED),
        ((NO,), timedelta(), State.REFUSED),
        ((YES, replace(ALSO, approve=False)), timedelta(), State.REFUSED),
        ((YES, ALSO), timedelta(hours=24) - timedelta(milliseconds=1), State.APPROVED),
        ((YES, ALSO), timedelta(hours=24), State.EXPIRED),
        ((NO,), timedelta(hours=24), State.REFUSED),
    ],
)
def test_the_state_follows_from_decisions_and_time(decisions, after, state):
    assert state_of(replace(ASKED, decisions=decisions), NOON + after) is state


@pytest.mark.parametrize("decisions", [(), (YES,), (NO,)])
def test_nothing_is_carried_out_before_two_persons_approved(decisions):
    with pytest.raises(Refusal) as told:
        next_state(replace(ASKED, decisions=decisions), Event.CARRY_OUT, NOON)
    assert told.value.code.id == "RGT-04"


def test_nothing_is_carried_out_twice_or_late():
    approved = replace(ASKED, decisions=(YES, ALSO))
    assert next_state(approved, Event.CARRY_OUT, NOON) is State.CARRIED_OUT
    for request, now in ((replace(approved, carried_out_at=NOON), NOON), (approved, ASKED.expires_at)):
        with pytest.raises(Refusal):
            next_state(request, Event.CARRY_OUT, now)


@pytest.mark.parametrize("user", ["alice@example.org", "Bob@Example.org ", "eve@example.org", "carol@example.org", " "])
def test_neither_requester_nor_project_nor_the_same_person_twice_decides(user):
    with pytest.raises(Refusal) as told:
        check_decider(replace(ASKED, decisions=(YES,)), user, frozenset({"eve@example.org"}))
    assert told.value.code.id == "RGT-03"
    check_decider(replace(ASKED, decisions=(YES,)), "dan@example.org", frozenset({"eve@example.org"}))


def test_a_request_reads_back_as_it_was_written_and_hides_its_person():
    whole = replace(ASKED, decisions=(YES, NO), carried_out_at=NOON)
    assert reidentification_from_json(whole.as_json()) == whole
    assert "77" not in repr(whole)
