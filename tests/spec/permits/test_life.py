"""The life of a permit, as a table: a state, what happens, the state after."""

from datetime import UTC, date, datetime
from itertools import product

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed
from enclos.permits.model import Event, State
from enclos.permits.rules.life import TRANSITIONS, earliest_day, legal_bases, next_state


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
    years = {basis.id: basis.max_years for basis in legal_bases().values()}
    assert years == {"ehds-permit": 10, "cnil-2023-146": 3, "cnil-mr-007": 3}
    assert all(basis.source for basis in legal_bases().values())


def test_mr_007_covers_nine_years_and_the_current_one() -> None:
    begins = datetime(2026, 11, 1, tzinfo=UTC)
    assert earliest_day(legal_bases()["cnil-mr-007"], begins) == date(2017, 1, 1)
    assert earliest_day(legal_bases()["ehds-permit"], begins) is None
