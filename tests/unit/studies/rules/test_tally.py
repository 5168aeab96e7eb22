"""Sweeps count what looking at every span and window counts, and parts add up to the whole."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from enclos.studies.model import Interval
from enclos.studies.rules.calendar import calendar_windows
from enclos.studies.rules.tally import AtRiskTally, WindowCounts, days_by_window, person_set, persons_by_window

LAST = 400
SPANS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, LAST), st.integers(0, 200), st.booleans()), max_size=25
).map(lambda rows: [(person, first, min(first + length, LAST), event) for person, first, length, event in rows])


def columns(rows: list[tuple[int, int, int, bool]]) -> tuple[np.ndarray, ...]:
    person, first, last, event = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    return (
        np.array(person, dtype=np.uint32),
        np.array(first, dtype=np.int64),
        np.array(last, dtype=np.int64),
        np.array(event, dtype=np.bool_),
    )


@settings(deadline=None)
@given(SPANS, st.sampled_from([Interval.WEEKS, Interval.MONTHS, Interval.YEARS]))
def test_every_count_of_a_window(rows: list[tuple[int, int, int, bool]], interval: Interval) -> None:
    windows = calendar_windows(interval, 0, LAST)
    counts = WindowCounts.empty(windows)
    counts.add_at_risk(*columns(rows))
    for at, (a, b) in enumerate(zip(windows.first_days.tolist(), windows.last_days.tolist(), strict=True)):
        inside = [row for row in rows if row[1] <= b and row[2] >= a]
        events = [row for row in rows if row[3] and a <= row[2] <= b]
        assert counts.person_days[at] == sum(min(row[2], b) - max(row[1], a) + 1 for row in inside)
        assert counts.n_events[at] == len(events)
        assert counts.n_started[at] == sum(a <= row[1] <= b for row in rows)
        assert counts.n_ended[at] == sum(a <= row[2] <= b for row in rows)
        assert set(counts.at_risk[at]) == {row[0] for row in inside}
        assert set(counts.cases[at]) == {row[0] for row in events}


@settings(deadline=None)
@given(SPANS)
def test_counting_in_parts_is_counting_at_once(rows: list[tuple[int, int, int, bool]]) -> None:
    windows = calendar_windows(Interval.MONTHS, 0, LAST)
    at_once, in_parts = (AtRiskTally([WindowCounts.empty(windows)]) for _ in range(2))
    at_once.add(*columns(rows))
    for odd in (0, 1):
        in_parts.add(*columns([row for row in rows if row[0] % 2 == odd]))
    assert in_parts.counts[0].person_days.tolist() == at_once.counts[0].person_days.tolist()
    assert in_parts.counts[0].at_risk == at_once.counts[0].at_risk
    for name in ("n_spans", "person_days", "n_events", "first_day", "last_day", "persons", "cases"):
        assert getattr(in_parts, name) == getattr(at_once, name)


def test_nothing_counts_as_nothing() -> None:
    assert (
        days_by_window(calendar_windows(Interval.YEARS, 0, 800), *(np.zeros(0, dtype=np.int64),) * 2).tolist()
        == [0] * 3
    )
    assert persons_by_window(*columns([])[:3], 2) == [BitMap(), BitMap()]
    tally = AtRiskTally([])
    tally.add(*columns([]))
    assert (tally.n_spans, tally.first_day) == (0, None)


def test_a_person_is_in_a_set_once() -> None:
    assert list(person_set(np.array([7, 2**32 - 1, 7], dtype=np.uint32))) == [7, 2**32 - 1]


def test_many_windows_need_wider_numbers() -> None:
    persons = np.array([1, 2], dtype=np.uint32)
    sets = persons_by_window(persons, np.array([0, 299]), np.array([128, 400]), 300)
    assert [at for at, each in enumerate(sets) if 1 in each] == list(range(129))
    assert [at for at, each in enumerate(sets) if 2 in each] == [299]
