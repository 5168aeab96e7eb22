"""The reasons, the life of a request as a table, and who may decide."""

from __future__ import annotations

from datetime import datetime, timedelta

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.rights.model import Event, Question, Reason, ReasonRule, Reidentification, State

QUESTION_DAYS = 31
"""How long a question may live at most. Source: Regulation (EU) 2016/679, Art. 12(3): one month."""
_CLOCKS_APART = timedelta(minutes=5)

REASONS: dict[Reason, ReasonRule] = {
    Reason.MEDICAL_EMERGENCY: ReasonRule("CNIL, référentiel EDS, SEC-REI (medical emergency)", 24),
    Reason.SIGNIFICANT_FINDING: ReasonRule("EHDS Art. 61(5), 58(3): significant finding on a person's health", 7 * 24),
    Reason.RIGHTS_REQUEST: ReasonRule("CNIL, référentiel EDS, SEC-REI (exercise of rights)", 30 * 24),
    Reason.RESEARCH_PROPOSAL: ReasonRule("CNIL, référentiel EDS, SEC-REI (proposing research)", 30 * 24),
}
"""Each reason with its source and how long a request may live."""

_END: dict[Event, State | None] = dict.fromkeys(Event)
TRANSITIONS: dict[State, dict[Event, State | None]] = {
    State.ASKED: {
        Event.APPROVE: State.HALF,
        Event.REFUSE: State.REFUSED,
        Event.CARRY_OUT: None,
        Event.EXPIRE: State.EXPIRED,
    },
    State.HALF: {
        Event.APPROVE: State.APPROVED,
        Event.REFUSE: State.REFUSED,
        Event.CARRY_OUT: None,
        Event.EXPIRE: State.EXPIRED,
    },
    State.APPROVED: {
        Event.APPROVE: None,
        Event.REFUSE: State.REFUSED,
        Event.CARRY_OUT: State.CARRIED_OUT,
        Event.EXPIRE: State.EXPIRED,
    },
    State.CARRIED_OUT: _END,
    State.REFUSED: _END,
    State.EXPIRED: _END,
}
"""Where each event leads; None where it is refused."""


def state_of(request: Reidentification, now: datetime) -> State:
    """Where the request stands at an instant; its last instant is excluded."""
    state = State.ASKED
    for decision in request.decisions:
        state = TRANSITIONS[state][Event.APPROVE if decision.approve else Event.REFUSE] or state
    if request.carried_out_at:
        return State.CARRIED_OUT
    if now >= request.expires_at:
        state = TRANSITIONS[state][Event.EXPIRE] or state
    return state


def next_state(request: Reidentification, event: Event, now: datetime) -> State:
    """The state after the event.

    Refuses: REIDENTIFY_TRANSITION where the table has no arrow.
    """
    state = state_of(request, now)
    after = TRANSITIONS[state][event]
    if after is None:
        raise refusal(
            Code.REIDENTIFY_TRANSITION,
            f"A re-identification that is {state.value} cannot take the event {event.value}.",
            "Look at it: enclos reidentify show DIR REQUEST.",
        )
    return after


def check_decider(request: Reidentification, user: str, involved: frozenset[str]) -> None:
    """Refuse the decision of the requester, of the permit's people then and now, or a second one of the same person.

    In: involved — the permit's people now
    Refuses: REIDENTIFY_PERSON; small and capital letters make no other person.
    """
    who = user.strip().casefold()
    others = {each.strip().casefold() for each in (request.requester, *request.involved, *involved)}
    if not who or who in others:
        raise refusal(
            Code.REIDENTIFY_PERSON,
            "This person asked for it or works under its permit.",
            "Ask two people outside the project.",
        )
    if who in {each.user.strip().casefold() for each in request.decisions}:
        raise refusal(Code.REIDENTIFY_PERSON, "This person has decided already.", "Ask another person.")


def check_question(
    question: Question, *, origin: str, key: str, accepted: str | None, desk: str, is_answered: bool, now: datetime
) -> None:
    """Refuse a question for another enclosure, of a desk that was not accepted, out of its time, or answered before.

    In: origin, key — of this enclosure; accepted — the digest of the desk that may ask for this source, as the ledger
        has it; desk — the digest of who asks
    Refuses: QUESTION_PLACE, QUESTION_DESK, QUESTION_LATE, QUESTION_AGAIN
    """
    if question.origin != origin:
        raise refusal(Code.QUESTION_PLACE, "The question is for another enclosure.", "Put it to that one.")
    if accepted is None or accepted != desk:
        raise refusal(
            Code.QUESTION_DESK,
            "This desk may not ask here for its source.",
            "Compare its fingerprint, then accept it: enclos question accept DIR desk.json OUT.",
        )
    if question.key != key:
        raise refusal(
            Code.QUESTION_PLACE,
            "The question is sealed to a key that is not in use any more.",
            "Give the desk this enclosure's file anew: enclos question accept DIR desk.json OUT.",
        )
    lasts = question.expires_at - question.asked_at
    if not timedelta(0) < lasts <= timedelta(days=QUESTION_DAYS):
        raise refusal(Code.QUESTION_LATE, "The question names no time of a month at most.", "Ask anew.")
    if not question.asked_at - _CLOCKS_APART <= now < question.expires_at:
        raise refusal(Code.QUESTION_LATE, "The question has ended, or is not yet asked.", "Ask anew.")
    if is_answered:
        raise refusal(Code.QUESTION_AGAIN, "The question was answered.", "Ask anew; each question has one answer.")
