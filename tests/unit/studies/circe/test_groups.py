"""Conditions on events, counted in columns: against the same counted pair by pair."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from enclos.studies.circe.domains import CountColumn, Domain
from enclos.studies.circe.model import Bound, Correlated, Count, Criterion, Group, GroupKind, Window
from enclos.studies.circe.rules.columns import NEVER, Events, Integers
from enclos.studies.circe.rules.groups import Known, Occurrences, fulfilled

VISITS = Criterion(Domain.VISIT_OCCURRENCE)
ALWAYS = Bound(None, before=True)
SOON = Window(Bound(0, before=False), Bound(30, before=False), use_index_end=False, use_event_end=False)
ENDING_SOON = Window(ALWAYS, Bound(30, before=False), use_index_end=True, use_event_end=True)


def correlated(*windows: Window, n: int = 1, count: Count = Count.AT_LEAST, **more) -> Correlated:
    more = {"restrict_visit": False, "within_observation": False, "distinct": None} | more
    return Correlated(VISITS, windows, count=count, n=n, **more)


def columns(*rows: tuple[int, int, int, int]) -> Events:
    """Events of persons, first days, last days and visits; observed for a thousand days."""
    person, start, end, visit = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    zero = np.zeros(len(rows), np.int64)
    return Events(person, start, end, zero, zero + 1000, start, zero, zero, visit)


def counted(member: Correlated, events: Events, found: Events, values: Integers | None = None) -> list[int]:
    """How many times the member holds, by asking for every number of times."""
    counts = {} if values is None else {CountColumn.DOMAIN_CONCEPT: values}
    known = Known(lambda _: Occurrences(found, counts), lambda *_: np.ones(len(events), np.bool_))
    held = []
    for n in range(len(found) + 1):
        wanted = correlated(
            *member.windows,
            n=n,
            count=Count.EXACTLY,
            restrict_visit=member.restrict_visit,
            within_observation=member.within_observation,
            distinct=member.distinct,
        )
        held.append(fulfilled(Group(GroupKind.ALL, 0, (wanted,)), events, known))
    return [int(np.flatnonzero(each)[0]) for each in np.array(held).T]


EVENTS = columns((1, 100, 110, 7), (1, 300, NEVER, NEVER), (2, 100, 100, 8))
FOUND = columns((1, 90, 120, 7), (1, 100, NEVER, 7), (1, 130, 131, NEVER), (1, 1200, 1300, 7), (3, 100, 100, 8))


@pytest.mark.parametrize(
    ("member", "wanted"),
    [
        (correlated(), [4, 4, 0]),
        (correlated(within_observation=True), [3, 3, 0]),
        (correlated(SOON), [2, 0, 0]),
        (correlated(ENDING_SOON), [2, 0, 0]),
        (correlated(SOON, ENDING_SOON), [1, 0, 0]),
        (correlated(restrict_visit=True), [3, 0, 0]),
        (correlated(SOON, restrict_visit=True), [1, 0, 0]),
    ],
)
def test_what_lies_in_all_windows_is_counted(member: Correlated, wanted: list[int]) -> None:
    assert counted(member, EVENTS, FOUND) == wanted


def test_different_values_are_counted_once_and_those_not_recorded_never() -> None:
    member = correlated(distinct=CountColumn.DOMAIN_CONCEPT)
    assert counted(member, EVENTS, FOUND, np.array([5, 5, -1, 2, 5])) == [2, 2, 0]


@pytest.mark.parametrize("n_values", [7, 60_000])
def test_different_values_of_events_of_a_person_with_many_are_counted_as_one_by_one(n_values: int) -> None:
    random = np.random.default_rng(n_values)
    values = random.integers(-1, n_values, 1000)
    days = np.sort(random.integers(0, 900, 1000))
    events = columns(*((1, day, day, 0) for day in days.tolist()))
    known = Known(
        lambda _: Occurrences(events, {CountColumn.DOMAIN_CONCEPT: values}), lambda *_: np.ones(len(events), np.bool_)
    )
    member = correlated(SOON, n=6, distinct=CountColumn.DOMAIN_CONCEPT)
    held = fulfilled(Group(GroupKind.ALL, 0, (member,)), events, known)
    soon = [values[(day <= days) & (days <= day + 30)] for day in days]
    wanted = [len(set(found[found >= 0].tolist())) >= 6 for found in soon]
    assert held.tolist() == wanted
    assert 0 < sum(wanted) < len(wanted)


@pytest.mark.parametrize(
    "more", [{}, {"restrict_visit": True}, {"distinct": CountColumn.DOMAIN_CONCEPT}], ids=["end", "visit", "values"]
)
def test_a_person_with_thousands_of_events_takes_little_memory(more: dict[str, object]) -> None:
    """Twenty-five million pairs, eight bytes a column, would take two hundred megabytes for each column of them."""
    n = 5000
    days = np.arange(n) // 2
    zero = np.zeros(n, np.int64)
    events = Events(zero, days, days + 3, zero, zero + n, days, zero, zero, days // 10)
    counts = {CountColumn.DOMAIN_CONCEPT: days * 7 % 1999}
    known = Known(lambda _: Occurrences(events, counts), lambda *_: np.ones(n, np.bool_))
    ended = Window(ALWAYS, Bound(-1, before=True), use_index_end=True, use_event_end=True)
    windows = () if "restrict_visit" in more else (ended,)
    tracemalloc.start()
    try:
        held = fulfilled(Group(GroupKind.ALL, 0, (correlated(*windows, n=20, **more),)), events, known)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    since = 20 if "distinct" in more else 0 if "restrict_visit" in more else 10
    assert held.tolist() == (days >= since).tolist()
    assert most < 180_000_000


def test_many_pairs_are_counted_part_by_part() -> None:
    days = np.arange(1600)
    events = columns(*((1, day, day, 0) for day in days.tolist()))
    known = Known(lambda _: Occurrences(events, {}), lambda *_: np.ones(len(events), np.bool_))
    before = Window(ALWAYS, Bound(-1, before=True), use_index_end=False, use_event_end=True)
    held = fulfilled(Group(GroupKind.ALL, 0, (correlated(before, n=1000),)), events, known)
    assert held.tolist() == (days >= 1000).tolist()


@pytest.mark.parametrize(
    ("kind", "n", "wanted"),
    [
        (GroupKind.ALL, 0, [True, False, False]),
        (GroupKind.ANY, 0, [True, True, False]),
        (GroupKind.AT_LEAST, 2, [True, False, False]),
        (GroupKind.AT_LEAST, 0, [True, True, True]),
        (GroupKind.AT_MOST, 1, [False, True, True]),
    ],
)
def test_so_many_members_of_a_group_have_to_hold(kind: GroupKind, n: int, wanted: list[bool]) -> None:
    known = Known(lambda _: Occurrences(FOUND, {}), lambda *_: np.ones(3, np.bool_))
    group = Group(kind, n, (correlated(SOON), correlated()))
    assert fulfilled(group, EVENTS, known).tolist() == wanted
    assert fulfilled(Group(kind, n, ()), EVENTS, known).all()
