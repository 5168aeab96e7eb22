"""The life of a request: a table of transitions, and who may vote."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.model import RequestEvent, RequestState, Vote

N_REVIEWERS = 2

TRANSITIONS: dict[tuple[RequestState, RequestEvent], RequestState | None] = {
    (RequestState.OPEN, RequestEvent.ACCEPT): RequestState.HALF,
    (RequestState.OPEN, RequestEvent.REFUSE): RequestState.REFUSED,
    (RequestState.OPEN, RequestEvent.EXPORT): None,
    (RequestState.HALF, RequestEvent.ACCEPT): RequestState.ACCEPTED,
    (RequestState.HALF, RequestEvent.REFUSE): RequestState.REFUSED,
    (RequestState.HALF, RequestEvent.EXPORT): None,
    (RequestState.ACCEPTED, RequestEvent.ACCEPT): None,
    (RequestState.ACCEPTED, RequestEvent.REFUSE): RequestState.REFUSED,
    (RequestState.ACCEPTED, RequestEvent.EXPORT): RequestState.EXPORTED,
    (RequestState.REFUSED, RequestEvent.ACCEPT): None,
    (RequestState.REFUSED, RequestEvent.REFUSE): None,
    (RequestState.REFUSED, RequestEvent.EXPORT): None,
    (RequestState.EXPORTED, RequestEvent.ACCEPT): None,
    (RequestState.EXPORTED, RequestEvent.REFUSE): None,
    (RequestState.EXPORTED, RequestEvent.EXPORT): None,
}
"""Where each event leads; None where it is refused."""


def next_state(state: RequestState, event: RequestEvent) -> RequestState:
    """The state after the event.

    Refuses: RELEASE_TRANSITION where the table has no arrow.
    """
    after = TRANSITIONS[state, event]
    if after is None:
        raise refusal(
            Code.RELEASE_TRANSITION,
            f"A request that is {state.value} cannot take the event {event.value}.",
            "Look at it: enclos release show DIR REQUEST.",
        )
    return after


def state_of(*, is_safe: bool, votes: Sequence[Vote], is_exported: bool) -> RequestState:
    """The state that a request's history leads to."""
    state = RequestState.OPEN if is_safe else RequestState.REFUSED
    for vote in votes:
        state = next_state(state, RequestEvent.ACCEPT if vote.accept else RequestEvent.REFUSE)
    return next_state(state, RequestEvent.EXPORT) if is_exported else state


def check_reviewer(user: str, *, involved: frozenset[str], votes: Sequence[Vote]) -> None:
    """Refuse a vote of the author, of the permit's people, or a second vote of the same person.

    Refuses: RELEASE_REVIEWER; small and capital letters make no other person.
    """
    who = user.strip().casefold()
    if not who or who in {other.casefold() for other in involved}:
        raise refusal(
            Code.RELEASE_REVIEWER,
            "This person wrote the request or works under its permit.",
            "Ask two people outside the project.",
        )
    if any(vote.user.strip().casefold() == who for vote in votes):
        raise refusal(Code.RELEASE_REVIEWER, "This person has voted already.", "Ask another person.")
