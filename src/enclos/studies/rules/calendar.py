"""Windows: the stretches of days that estimates are made for.

Days are numbers: days since 1970-01-01. A window has a first and a last day, both included. Windows of one interval
type do not overlap and are in order of time, so that the windows a span touches are a range of indices, found by
bisection: nothing here grows with persons times windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.studies.model import Interval, TimePoint

Days: TypeAlias = npt.NDArray[np.int64]

_EPOCH = date(1970, 1, 1).toordinal()
_MONTHS_OF: dict[Interval, int] = {Interval.MONTHS: 1, Interval.QUARTERS: 3, Interval.YEARS: 12}
_MIDDLE_MONTHS: dict[Interval, int] = {Interval.MONTHS: 0, Interval.QUARTERS: 1, Interval.YEARS: 6}
_MIDDLE_DAYS: dict[Interval, int] = {Interval.WEEKS: 3, Interval.MONTHS: 14, Interval.QUARTERS: 14, Interval.YEARS: 0}


def day_of(on: date) -> int:
    """The number of a day."""
    return on.toordinal() - _EPOCH


def date_of(day: int) -> date:
    """The day of a number."""
    return date.fromordinal(day + _EPOCH)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Disjoint windows in order of time; ``first_days`` and ``last_days`` are their two ends."""

    first_days: Days
    last_days: Days

    def __post_init__(self) -> None:
        if len(self.first_days) != len(self.last_days) or bool(np.any(self.last_days < self.first_days)):
            raise ValueError("a window ends on or after its first day")
        if bool(np.any(self.first_days[1:] <= self.last_days[:-1])):
            raise ValueError("windows do not overlap and are in order")

    def __len__(self) -> int:
        return len(self.first_days)

    def touched(self, first_days: Days, last_days: Days) -> tuple[Days, Days]:
        """For each span, the first and last window that it shares a day with; none when the last is the smaller."""
        return _count_before(self.last_days, first_days), _count_before(self.first_days, last_days + 1) - 1

    def covered(self, first_days: Days, last_days: Days) -> tuple[Days, Days]:
        """For each span, the first and last window that it covers whole; none when the last is the smaller."""
        return _count_before(self.first_days, first_days), _count_before(self.last_days, last_days + 1) - 1

    def within(self, first_day: int, last_day: int) -> tuple[int, int]:
        """The index range [from, to) of the windows that lie whole between two days."""
        from_index = int(np.searchsorted(self.first_days, first_day, side="left"))
        to_index = int(np.searchsorted(self.last_days, last_day, side="right"))
        return from_index, max(from_index, to_index)

    def overlapping(self, first_day: int, last_day: int) -> tuple[int, int]:
        """The index range [from, to) of the windows that share a day with a stretch of days."""
        from_index = int(np.searchsorted(self.last_days, first_day, side="left"))
        to_index = int(np.searchsorted(self.first_days, last_day, side="right"))
        return from_index, max(from_index, to_index)

    def clipped(self, first_day: int, last_day: int) -> Windows:
        """The parts of the windows between two days; windows outside are left out."""
        from_index, to_index = self.overlapping(first_day, last_day)
        kept = slice(from_index, to_index)
        return Windows(np.maximum(self.first_days[kept], first_day), np.minimum(self.last_days[kept], last_day))

    def only(self, from_index: int, to_index: int) -> Windows:
        """The windows of an index range."""
        return Windows(self.first_days[from_index:to_index], self.last_days[from_index:to_index])


def _count_before(ordered: Days, days: Days) -> Days:
    """How many of the ordered days are before each day; looked up, since days repeat more than they spread."""
    if not len(days):
        return np.zeros(0, dtype=np.int64)
    lowest, highest = int(days.min()), int(days.max())
    table: Days = np.searchsorted(ordered, np.arange(lowest, highest + 1), side="left")
    return table[days - lowest]


def calendar_windows(interval: Interval, first_day: int, last_day: int) -> Windows:
    """Whole calendar windows that together hold all days from the first to the last.

    Units:  days since 1970-01-01, ends included.
    Empty:  no window when the last day is before the first.
    Source: weeks are ISO 8601 weeks. IncidencePrevalence names weeks by year and ISO number, which joins the first
            days of January and the last of December in some years; here each week is itself.
    """
    if last_day < first_day:
        return _windows([], [])
    if interval is Interval.OVERALL:
        return _windows([first_day], [last_day])
    if interval is Interval.WEEKS:
        monday = first_day - (first_day + 3) % 7  # 1970-01-01 was a Thursday
        starts = list(range(monday, last_day + 1, 7))
        return _windows(starts, [start + 6 for start in starts])
    n_months = _MONTHS_OF[interval]
    start_on = date_of(first_day)
    month = start_on.year * 12 + (start_on.month - 1) // n_months * n_months
    starts = []
    while (day := _first_of_month(month)) <= last_day:
        starts.append(day)
        month += n_months
    return _windows(starts, [*(start - 1 for start in starts[1:]), _first_of_month(month) - 1])


def point_windows(interval: Interval, time_point: TimePoint, first_day: int, last_day: int) -> Windows:
    """One day per calendar interval, those between the first and the last day.

    Units:  days since 1970-01-01.
    Source: IncidencePrevalence, estimatePointPrevalence: the middle of a week is its Thursday, of a month its 15th,
            of a quarter the 15th of its second month, of a year 1 July.
    """
    whole = calendar_windows(interval, first_day, last_day)
    if time_point is TimePoint.START:
        days = whole.first_days
    elif time_point is TimePoint.END:
        days = whole.last_days
    else:
        days = np.array([_middle(interval, int(day)) for day in whole.first_days], dtype=np.int64)
    days = days[(days >= first_day) & (days <= last_day)]
    return Windows(days, days)


def _middle(interval: Interval, start: int) -> int:
    if interval is Interval.WEEKS:
        return start + _MIDDLE_DAYS[interval]
    start_on = date_of(start)
    month = start_on.year * 12 + start_on.month - 1 + _MIDDLE_MONTHS[interval]
    return _first_of_month(month) + _MIDDLE_DAYS[interval]


def _first_of_month(month: int) -> int:
    return day_of(date(month // 12, month % 12 + 1, 1))


def _windows(first_days: Sequence[int], last_days: Sequence[int]) -> Windows:
    return Windows(np.array(first_days, dtype=np.int64), np.array(last_days, dtype=np.int64))


def in_words(day: int) -> str:
    """The day as results print it."""
    return date_of(day).isoformat()
