"""The life of a request: a table of transitions, and who may vote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.model import Course, Question, RequestEvent, RequestState, Vote

N_REVIEWERS = 2
AGAIN_MINUTES = 15
"""So long may who took a package be sent the same bytes again: a download can break on its way."""

TRANSITIONS: dict[tuple[RequestState, RequestEvent], RequestState | None] = {
    (RequestState.OPEN, RequestEvent.ACCEPT): RequestState.HALF_FOR,
    (RequestState.OPEN, RequestEvent.REFUSE): RequestState.HALF_AGAINST,
    (RequestState.OPEN, RequestEvent.RELEASE): RequestState.ACCEPTED,
    (RequestState.OPEN, RequestEvent.FAIL): RequestState.QUARANTINED,
    (RequestState.OPEN, RequestEvent.EXPORT): None,
    (RequestState.HALF_FOR, RequestEvent.ACCEPT): RequestState.ACCEPTED,
    (RequestState.HALF_FOR, RequestEvent.REFUSE): RequestState.REFUSED,
    (RequestState.HALF_FOR, RequestEvent.RELEASE): None,
    (RequestState.HALF_FOR, RequestEvent.FAIL): RequestState.QUARANTINED,
    (RequestState.HALF_FOR, RequestEvent.EXPORT): None,
    (RequestState.HALF_AGAINST, RequestEvent.ACCEPT): RequestState.REFUSED,
    (RequestState.HALF_AGAINST, RequestEvent.REFUSE): RequestState.REFUSED,
    (RequestState.HALF_AGAINST, RequestEvent.RELEASE): None,
    (RequestState.HALF_AGAINST, RequestEvent.FAIL): RequestState.QUARANTINED,
    (RequestState.HALF_AGAINST, RequestEvent.EXPORT): None,
    (RequestState.ACCEPTED, RequestEvent.ACCEPT): None,
    (RequestState.ACCEPTED, RequestEvent.REFUSE): RequestState.REFUSED,
    (RequestState.ACCEPTED, RequestEvent.RELEASE): None,
    (RequestState.ACCEPTED, RequestEvent.FAIL): RequestState.QUARANTINED,
    (RequestState.ACCEPTED, RequestEvent.EXPORT): RequestState.EXPORTED,
    (RequestState.REFUSED, RequestEvent.ACCEPT): None,
    (RequestState.REFUSED, RequestEvent.REFUSE): None,
    (RequestState.REFUSED, RequestEvent.RELEASE): None,
    (RequestState.REFUSED, RequestEvent.FAIL): None,
    (RequestState.REFUSED, RequestEvent.EXPORT): None,
    (RequestState.QUARANTINED, RequestEvent.ACCEPT): None,
    (RequestState.QUARANTINED, RequestEvent.REFUSE): None,
    (RequestState.QUARANTINED, RequestEvent.RELEASE): None,
    (RequestState.QUARANTINED, RequestEvent.FAIL): None,
    (RequestState.QUARANTINED, RequestEvent.EXPORT): None,
    (RequestState.EXPORTED, RequestEvent.ACCEPT): None,
    (RequestState.EXPORTED, RequestEvent.REFUSE): None,
    (RequestState.EXPORTED, RequestEvent.RELEASE): None,
    (RequestState.EXPORTED, RequestEvent.FAIL): RequestState.QUARANTINED,
    (RequestState.EXPORTED, RequestEvent.EXPORT): RequestState.EXPORTED,
}
"""Where each event leads; None where it is refused. docs/release.md draws it."""
_SECOND = timedelta(seconds=1)
"""Instants of a course are kept to the second."""
_NEXT = {
    "open": "Two persons outside the project decide first: enclos release review DIR REQUEST.",
    "half": "A second person outside the project decides first: enclos release review DIR REQUEST.",
    "quarantined": "A check failed: look at what may leave, enclos release check DIR RUN, and ask for that.",
}


def next_state(state: RequestState, event: RequestEvent) -> RequestState:
    """The state after the event.

    Refuses: RELEASE_TRANSITION where the table has no arrow.
    """
    after = TRANSITIONS[state, event]
    if after is None:
        raise refusal(
            Code.RELEASE_TRANSITION,
            # by its word: how the first person voted is told to nobody before the second has
            f"A request that is {state.word} cannot take the event {event.value}.",
            _NEXT.get(state.word, "Look at it: enclos release show DIR REQUEST."),
        )
    return after


def state_of(*, is_safe: bool, votes: Sequence[Vote], course: Course) -> RequestState:
    """The state that a request's history leads to."""
    state = RequestState.OPEN if is_safe else RequestState.QUARANTINED
    if course.automatic:
        state = next_state(state, RequestEvent.RELEASE)
    for vote in votes:
        state = next_state(state, RequestEvent.ACCEPT if vote.accept else RequestEvent.REFUSE)
    for _ in course.exports:
        state = next_state(state, RequestEvent.EXPORT)
    return next_state(state, RequestEvent.FAIL) if course.failed else state


def check_recipient(recipient: str, *, involved: frozenset[str], course: Course) -> None:
    """Refuse an export to somebody the permit does not name, and a second one to the same person.

    Refuses: RELEASE_RECIPIENT.
    """
    who = _person(recipient)
    if who not in {_person(other) for other in involved}:
        raise refusal(
            Code.RELEASE_RECIPIENT,
            "The permit does not name this recipient.",
            "Name its author or a user of the permit.",
        )
    if any(_person(other) == who for other, _ in course.exports):
        raise refusal(
            Code.RELEASE_RECIPIENT, "This result has left to this recipient already.", "Take the package that was sent."
        )


def has_just_left(recipient: str, *, course: Course, now: datetime) -> bool:
    """Whether a package left to this person so lately that it may be sent again."""
    since = (now - datetime.fromisoformat(at) for to, at in course.exports if _person(to) == _person(recipient))
    return any(timedelta(0) <= each + _SECOND and each <= timedelta(minutes=AGAIN_MINUTES) for each in since)


def check_reviewer(user: str, *, involved: frozenset[str], votes: Sequence[Vote]) -> None:
    """Refuse a vote of the author, of the permit's people, or a second vote of the same person.

    Refuses: RELEASE_REVIEWER; small and capital letters make no other person.
    """
    who = _person(user)
    if not who or who in {_person(other) for other in involved}:
        raise refusal(
            Code.RELEASE_REVIEWER,
            "This person wrote the request or works under its permit.",
            "Ask two people outside the project.",
        )
    if any(is_by(who, vote) for vote in votes):
        raise refusal(Code.RELEASE_REVIEWER, "This person has voted already.", "Ask another person.")


def is_by(user: str, vote: Vote) -> bool:
    """Whether it is this person's vote; small and capital letters make no other person."""
    return _person(user) == _person(vote.user)


def check_questions(questions: Sequence[Question]) -> None:
    """Refuse to accept while the project owes an answer.

    Refuses: RELEASE_TRANSITION.
    """
    if any(not each.answer for each in questions):
        raise refusal(
            Code.RELEASE_TRANSITION,
            "A question to the project is not answered yet.",
            "Wait for the answer: enclos release show DIR REQUEST.",
        )


def check_answers(user: str, *, involved: frozenset[str]) -> None:
    """Refuse an answer of somebody who is not of the project.

    Refuses: RELEASE_REVIEWER.
    """
    if _person(user) not in {_person(other) for other in involved}:
        raise refusal(
            Code.RELEASE_REVIEWER, "Only the project answers what it is asked.", "Let the request's author answer."
        )


def _person(name: str) -> str:
    return name.strip().casefold()
