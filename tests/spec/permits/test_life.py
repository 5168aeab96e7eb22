"""The life of a permit, as a table: a state, what happens, the state after."""

from itertools import product

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed
from enclos.permits.model import Event, State
from enclos.permits.rules.life import TRANSITIONS, legal_bases, next_state


def test_the_table_is_total() -> None:
    assert set(TRANSITIONS) == set(product(State, Event))


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        (State.GRANTED, Event.AMEND, State.AMENDED),
        (State.AMENDED, Event.RENEW, State.RENEWED),
        (State.RENEWED, Event.AMEND, State.AMENDED),
        (State.RENEWED, Event.EXPIRE, State.EXPIRED),
    ],
)
def test_a_permit_lives(state: State, event: Event, after: State) -> None:
    assert next_state(state, event) is after


@pytest.mark.parametrize(("state", "event"), list(product([State.REVOKED, State.EXPIRED], Event)))
def test_a_dead_permit_stays_dead(state: State, event: Event) -> None:
    with pytest.raises(NotAllowed) as refused:
        next_state(state, event)
    assert refused.value.code is Code.PERMIT_TRANSITION


@pytest.mark.parametrize("state", [State.GRANTED, State.AMENDED, State.RENEWED])
def test_a_living_permit_can_always_be_revoked(state: State) -> None:
    assert next_state(state, Event.REVOKE) is State.REVOKED


def test_legal_bases_bound_the_years() -> None:
    assert {basis.id: basis.max_years for basis in legal_bases().values()} == {"ehds-permit": 10, "cnil-2023-146": 3}
    assert all(basis.source for basis in legal_bases().values())
