"""What becomes of the events of a cohort: against the same said person by person, also for numbers of any size."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from enclos.studies.circe.model import ConceptSet, ConceptSetItem, Limit
from enclos.studies.circe.rules.columns import NEVER, Events, Integers, Periods, integers, keys, observed, order_of
from enclos.studies.circe.rules.exits import eras
from enclos.studies.circe.rules.limits import rules_in_turn, staying
from enclos.studies.circe.rules.sets import Vocabulary

N_EVENTS = 400
PERSONS = {"small": (1, 2, 3), "of any size": (-(2**62), 0, 2**62)}


def drawn(persons: tuple[int, ...], seed: int) -> tuple[Integers, Integers, Integers]:
    """Persons, first days, last days."""
    chance = np.random.default_rng(seed)
    start = chance.integers(18_000, 18_200, N_EVENTS)
    return chance.choice(np.array(persons), N_EVENTS), start, start + chance.integers(0, 4, N_EVENTS)


@pytest.mark.parametrize("persons", PERSONS.values(), ids=PERSONS)
@pytest.mark.parametrize("seed", range(5))
def test_stretches_that_share_a_day_become_one(persons: tuple[int, ...], seed: int) -> None:
    person, start, end = drawn(persons, seed)
    wanted = []
    for one in persons:
        days = sorted(zip(start[person == one].tolist(), end[person == one].tolist(), strict=True))
        open_from, open_until = days[0]
        for first, last in days[1:]:
            if first > open_until:
                wanted.append((one, open_from, open_until))
                open_from, open_until = first, last
            open_until = max(open_until, last)
        wanted.append((one, open_from, open_until))

    assert list(zip(*(column.tolist() for column in eras(person, start, end)), strict=True)) == wanted


@pytest.mark.parametrize("persons", PERSONS.values(), ids=PERSONS)
@pytest.mark.parametrize("limit", [Limit.FIRST, Limit.LAST])
def test_ties_of_a_day_go_to_the_lowest_number_then_place(persons: tuple[int, ...], limit: Limit) -> None:
    person, start, end = drawn(persons, 7)
    chance = np.random.default_rng(8)
    event, place = chance.integers(0, 5, N_EVENTS), chance.permutation(N_EVENTS)
    events = Events(person, start, end, start, end, start, event, place, np.arange(N_EVENTS))
    sign = 1 if limit is Limit.FIRST else -1
    wanted = [
        min(np.flatnonzero(person == one).tolist(), key=lambda at: (sign * start[at], event[at], place[at]))
        for one in persons
    ]

    assert sorted(staying(events, limit, start, by_start=True).tolist()) == sorted(wanted)


def test_keys_order_by_person_then_day_whatever_their_size() -> None:
    for persons in PERSONS.values():
        person, start, _ = drawn(persons, 9)
        (first, second) = keys((person, start), (person[:10], start[:10]))
        assert np.argsort(first, kind="stable").tolist() == np.lexsort((start, person)).tolist()
        assert first[:10].tolist() == second.tolist()


def test_nothing_gives_nothing() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert [len(column) for column in eras(none, none, none)] == [0, 0, 0]
    assert len(staying(Events(*[none] * 9), Limit.FIRST, none)) == 0


def test_a_day_that_is_not_recorded_is_before_every_day() -> None:
    column = pa.chunked_array([pa.array([18_000, None], pa.date32())])
    assert integers(column).tolist() == [18_000, NEVER]


def test_rules_count_from_the_first_on() -> None:
    held = [np.array([True, False]), np.array([True, True]), np.array([True, True])]
    assert rules_in_turn(held, 2).tolist() == [3, 0]
    assert rules_in_turn([], 2).tolist() == [0, 0]


@pytest.mark.parametrize("persons", PERSONS.values(), ids=PERSONS)
def test_equal_numbers_stay_in_turn(persons: tuple[int, ...]) -> None:
    person, _, _ = drawn(persons, 10)
    assert order_of(person).tolist() == np.argsort(person, kind="stable").tolist()


def test_an_event_is_once_in_each_period_that_it_begins_in() -> None:
    person, start = np.array([1, 1, 2, 3]), np.array([5, 50, 5, 5])
    events = Events(person, start, start, start, start, start, np.arange(4), start, start)
    periods = Periods(np.array([1, 1, 1, 3]), np.array([0, 40, 45, 6]), np.array([10, 60, 70, 9]))
    found = observed(events, periods)
    assert found.event.tolist() == [0, 1, 1]
    assert list(zip(found.op_start.tolist(), found.op_end.tolist(), strict=True)) == [(0, 10), (40, 60), (45, 70)]


def test_what_is_excluded_is_found_as_what_is_not() -> None:
    vocabulary = Vocabulary({1, 2, 3}, {1: {2, 3}}, {3: [9]})
    whole = ConceptSetItem(1, descendants=True, mapped=True)
    unknown = ConceptSetItem(7, descendants=True)
    assert vocabulary.concepts(ConceptSet("a", (whole, unknown))) == [1, 2, 3, 9]
    without = ConceptSetItem(3, mapped=True, excluded=True)
    assert vocabulary.concepts(ConceptSet("b", (whole, without))) == [1, 2]
