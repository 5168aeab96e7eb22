"""Numbers of events are told where they tell of no few persons."""

from __future__ import annotations

import pyarrow as pa

from enclos.app.cohorts import events_told, passing_told

EVENTS = pa.table(
    {
        "person_id": [1, 1, 2, 3, 4, 4, 5, 6],
        "n_rules": [0, 2, 2, 0, 2, 1, 0, 2],
        "passed": pa.array([b"00", b"11", b"11", b"00", b"11", b"10", b"00", b"11"], pa.binary()),
    }
)


def test_events_gone_of_too_few_persons_are_not_told() -> None:
    assert events_told(EVENTS, [True, True, True], min_count=1) == [8, 5, 4]
    # One person's event is gone at the second rule, three persons' at the first.
    assert events_told(EVENTS, [True, True, True], min_count=3) == [8, 5, None]
    assert events_told(EVENTS, [True, True, True], min_count=4) == [8, None, 4]
    assert events_told(EVENTS, [True, False, True], min_count=5) == [8, None, None]
    assert events_told(EVENTS, [False, True, True], min_count=3) == [None, 5, None]


def test_no_set_of_rules_is_told_where_one_is_of_too_few_persons() -> None:
    assert passing_told(EVENTS, ["11", "10", "00"], min_count=1) == [4, 1, 3]
    assert passing_told(EVENTS, ["11", "10", "00"], min_count=2) == [None, None, None]
    assert passing_told(EVENTS, ["11", "00"], min_count=3) == [4, 3]
