"""Windows and the spans that touch or cover them."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.model import Interval, TimePoint
from enclos.studies.rules.calendar import Windows, calendar_windows, date_of, day_of, in_words, point_windows

DAYS = st.dates(date(1890, 1, 1), date(2110, 12, 31)).map(day_of)
CALENDARS = [each for each in Interval if each is not Interval.OVERALL]


def spans(windows: Windows) -> list[tuple[date, date]]:
    return [
        (date_of(a), date_of(b)) for a, b in zip(windows.first_days.tolist(), windows.last_days.tolist(), strict=True)
    ]


@settings(deadline=None)
@given(st.dates())
def test_a_day_and_its_number_name_each_other(on: date) -> None:
    assert date_of(day_of(on)) == on
    assert in_words(day_of(on)) == on.isoformat()


def test_day_zero_is_the_first_of_1970() -> None:
    assert day_of(date(1970, 1, 1)) == 0


@settings(deadline=None)
@given(st.sampled_from(CALENDARS), DAYS, st.integers(0, 900))
def test_calendar_windows_hold_all_days_without_a_gap(interval: Interval, first: int, n_days: int) -> None:
    windows = calendar_windows(interval, first, first + n_days)
    assert windows.first_days[0] <= first <= windows.last_days[0]
    assert windows.first_days[-1] <= first + n_days <= windows.last_days[-1]
    assert (windows.first_days[1:] == windows.last_days[:-1] + 1).all()


@pytest.mark.parametrize(
    ("interval", "window"),
    [
        (Interval.WEEKS, (date(2020, 12, 28), date(2021, 1, 3))),
        (Interval.MONTHS, (date(2021, 1, 1), date(2021, 1, 31))),
        (Interval.QUARTERS, (date(2021, 1, 1), date(2021, 3, 31))),
        (Interval.YEARS, (date(2021, 1, 1), date(2021, 12, 31))),
        (Interval.OVERALL, (date(2021, 1, 2), date(2021, 1, 2))),
    ],
)
def test_the_window_of_2_january_2021(interval: Interval, window: tuple[date, date]) -> None:
    day = day_of(date(2021, 1, 2))
    assert spans(calendar_windows(interval, day, day)) == [window]


@pytest.mark.parametrize("interval", Interval)
def test_no_days_have_no_window(interval: Interval) -> None:
    assert len(calendar_windows(interval, 10, 9)) == 0


@settings(deadline=None)
@given(st.sampled_from(CALENDARS), st.sampled_from(TimePoint), DAYS, st.integers(0, 900))
def test_points_are_days_of_their_intervals_between_the_ends(
    interval: Interval, time_point: TimePoint, first: int, n_days: int
) -> None:
    points = point_windows(interval, time_point, first, first + n_days)
    whole = calendar_windows(interval, first, first + n_days)
    assert (points.first_days == points.last_days).all()
    for day in points.first_days.tolist():
        assert first <= day <= first + n_days
        assert ((whole.first_days <= day) & (day <= whole.last_days)).sum() == 1
    assert len(whole) - 2 <= len(points) <= len(whole)


SPANS = st.lists(st.tuples(st.integers(-50, 450), st.integers(0, 200)), min_size=1, max_size=20)


@settings(deadline=None)
@given(SPANS, st.sampled_from([Interval.WEEKS, Interval.MONTHS]))
def test_touched_and_covered_are_what_looking_at_each_window_finds(
    drawn: list[tuple[int, int]], interval: Interval
) -> None:
    windows = calendar_windows(interval, 0, 400)
    first = np.array([start for start, _ in drawn])
    last = np.array([start + length for start, length in drawn])
    both = list(zip(windows.first_days.tolist(), windows.last_days.tolist(), strict=True))
    for rule, range_of in (
        (lambda s, e, a, b: s <= b and e >= a, windows.touched),
        (lambda s, e, a, b: s <= a and b <= e, windows.covered),
    ):
        from_index, to_index = range_of(first, last)
        for at, (start, length) in enumerate(drawn):
            expected = [index for index, (a, b) in enumerate(both) if rule(start, start + length, a, b)]
            assert list(range(from_index[at], to_index[at] + 1)) == expected


def test_windows_within_overlapping_and_clipped() -> None:
    years = calendar_windows(Interval.YEARS, day_of(date(2018, 5, 1)), day_of(date(2021, 5, 1)))
    first, last = day_of(date(2018, 5, 1)), day_of(date(2020, 12, 31))
    assert years.within(first, last) == (1, 3)
    assert years.overlapping(first, last) == (0, 3)
    assert spans(years.only(1, 3)) == [
        (date(2019, 1, 1), date(2019, 12, 31)),
        (date(2020, 1, 1), date(2020, 12, 31)),
    ]
    assert spans(years.clipped(first, last))[0] == (date(2018, 5, 1), date(2018, 12, 31))
    assert years.within(first, first + 10) == (1, 1)
    assert len(years.only(*years.within(first, first + 10))) == 0


def test_windows_that_overlap_or_run_backwards_cannot_be_built() -> None:
    one, two = np.array([0, 5]), np.array([5, 9])
    with pytest.raises(ValueError, match="overlap"):
        Windows(one, two)
    with pytest.raises(ValueError, match="first day"):
        Windows(np.array([3]), np.array([2]))


def test_days_are_found_far_from_any_window() -> None:
    windows = calendar_windows(Interval.YEARS, 0, 1000)
    far = np.array([day_of(date(1, 1, 1)), day_of(date(2500, 1, 1))])
    assert windows.touched(far, far + int(timedelta(days=1).days))[0].tolist() == [0, len(windows)]
