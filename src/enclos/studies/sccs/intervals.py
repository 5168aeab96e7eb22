"""From days to rows: a case's time cut wherever something changes, alike pieces put together.

Days are numbers since 1970-01-01, both ends included. All cases are done at once, by sorting and counting.

Source: SelfControlledCaseSeries 6.1.4, createStudyPopulation and createSccsIntervalData.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.studies.model import DateRange
from enclos.studies.rules.calendar import day_of
from enclos.studies.sccs.model import Anchor, Cases, Window

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]

_SHIFT, _ZERO = 24, 1 << 22
"""A case and a day as one number: days are within four million of 1970."""
_DAYS_PER_YEAR = 365.25


def key_of(case: Ints, day: Ints) -> Ints:
    """Case and day as one number, in order of case and day."""
    return (case << _SHIFT) + day + _ZERO


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Stretches of days of cases: exposures to something, or windows."""

    case: Ints
    kind: Ints
    first_day: Ints
    last_day: Ints

    def __len__(self) -> int:
        return len(self.case)

    def only(self, kept: Bools | Ints) -> Stretches:
        """Some of them, or all in another order."""
        return Stretches(self.case[kept], self.kind[kept], self.first_day[kept], self.last_day[kept])


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Cases by their number: the days that count, the birth, and the outcomes of them all."""

    first_day: Ints
    last_day: Ints
    born_day: Ints
    outcome_case: Ints
    outcome_day: Ints

    def __len__(self) -> int:
        return len(self.first_day)

    @property
    def has_outcome(self) -> Bools:
        """Which cases have an outcome on a day that counts."""
        having: Bools = np.bincount(self.outcome_case, minlength=len(self)) > 0
        return having


def joined(stretches: Stretches) -> Stretches:
    """Stretches of one case and kind that overlap or follow each other at once, as one; in order."""
    order = np.lexsort((stretches.last_day, stretches.first_day, stretches.kind, stretches.case))
    found = stretches.only(order)
    if not len(found):
        return found
    new_group = np.ones(len(found), dtype=np.bool_)
    new_group[1:] = (found.case[1:] != found.case[:-1]) | (found.kind[1:] != found.kind[:-1])
    group = new_group.cumsum()
    # The latest end so far: groups are apart by more than any day, so that one running maximum does for all.
    reach = np.maximum.accumulate(key_of(group, found.last_day)) - key_of(group, np.zeros(len(group), dtype=np.int64))
    starts = new_group.copy()
    starts[1:] |= found.first_day[1:] > reach[:-1] + 1
    ends = np.concatenate((np.flatnonzero(starts)[1:] - 1, [len(found) - 1]))
    return Stretches(found.case[starts], found.kind[starts], found.first_day[starts], reach[ends])


def windows_of(eras: Stretches, windows: Sequence[Window], n_exposures: int, people: People) -> Stretches:
    """The windows of all exposures within the days that count; windows outermost, each kind is a column of the model.

    In: eras — joined; also those before the days that count, whose windows may reach into them
    """
    n = len(eras)
    same = np.zeros(n, dtype=np.bool_)
    same[:-1] = (eras.case[1:] == eras.case[:-1]) & (eras.kind[1:] == eras.kind[:-1])
    first = np.concatenate(([True], ~same[:-1])) if n else np.zeros(0, dtype=np.bool_)
    until = np.full(n, np.iinfo(np.int64).max)
    until[:-1][same[:-1]] = eras.first_day[1:][same[:-1]] - 1
    parts: list[Stretches] = []
    for at, window in enumerate(windows):
        start = window.from_day + (eras.first_day if window.from_anchor is Anchor.START else eras.last_day)
        end = window.to_day + (eras.first_day if window.to_anchor is Anchor.START else eras.last_day)
        # The next exposure cuts a window short, unless only the first has one.
        end = end if window.first_only else np.minimum(end, until)
        found = Stretches(eras.case, at * n_exposures + eras.kind, start, end)
        parts.append(found.only(first) if window.first_only else found)
    every = Stretches(*(np.concatenate([getattr(part, name) for part in parts]) for name in Stretches.__slots__))
    start = np.maximum(every.first_day, people.first_day[every.case])
    end = np.minimum(every.last_day, people.last_day[every.case])
    return joined(
        Stretches(every.case, every.kind, start, end).only((start <= end) & (every.first_day <= every.last_day))
    )


def last_days(people: People, n_days: int, kind: int) -> Stretches:
    """The window at the end of each case's time."""
    case = np.arange(len(people))
    first_day = np.maximum(people.last_day - n_days + 1, people.first_day)
    return Stretches(case, np.full(len(people), kind), first_day, people.last_day)


def in_months(people: People) -> Stretches:
    """The calendar months of each case's time, cut at its ends; kind is year * 12 + month - 1."""
    first, last = month_of(people.first_day), month_of(people.last_day)
    n_months = last - first + 1
    case = np.repeat(np.arange(len(people)), n_months)
    month = np.arange(len(case)) - np.repeat(n_months.cumsum() - n_months, n_months) + first[case]
    first_day = np.maximum(first_day_of(month), people.first_day[case])
    last_day = np.minimum(first_day_of(month + 1) - 1, people.last_day[case])
    return Stretches(case, month, first_day, last_day)


def month_of(day: Ints) -> Ints:
    """The month of a day, as year * 12 + month - 1."""
    months: Ints = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
    return months


def first_day_of(month: Ints) -> Ints:
    """The first day of a month."""
    days: Ints = (month - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return days


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Pieces of cases' time in which nothing changes, alike pieces of one case as one row."""

    case: Ints
    n_days: Ints
    n_outcomes: Ints
    within: Bools
    """One column per window: whether the row lies in it."""
    moment: Ints
    """The kind of the stretch of time that the row is of; zero where time does not matter."""
    time: Floats
    """What its days count for in the model: as many, unless they are weighed."""

    def __len__(self) -> int:
        return len(self.case)


def rows_of(
    people: People,
    windows: Stretches,
    n_windows: int,
    moments: Stretches | None,
    weigh: Callable[[Ints, Ints, Ints], Floats] | None = None,
) -> Rows:
    """The rows of all cases; cases whose time is one piece tell nothing and have none.

    In: windows — joined, within the days that count; kind is the column
        moments — stretches that fill each case's time, in order, where it matters when a day is
        weigh — what pieces count for, by case, first day and number of days
    """
    cuts = [windows] if moments is None else [windows, moments]
    every = np.arange(len(people))
    keys = np.unique(
        np.concatenate(
            [
                *(key_of(each.case, each.first_day) for each in cuts),
                *(key_of(each.case, each.last_day + 1) for each in cuts),
                key_of(every, people.first_day),
                key_of(every, people.last_day + 1),
            ]
        )
    )
    case, day = keys >> _SHIFT, (keys & ((1 << _SHIFT) - 1)) - _ZERO
    # A cut opens a piece unless it is the day after the case's last.
    is_piece = day <= people.last_day[case]
    is_piece &= np.repeat(
        (np.bincount(case[is_piece], minlength=len(people)) > 1), np.bincount(case, minlength=len(people))
    )
    within = np.zeros((len(keys), n_windows), dtype=np.int64)
    np.add.at(within, (np.searchsorted(keys, key_of(windows.case, windows.first_day)), windows.kind), 1)
    np.add.at(within, (np.searchsorted(keys, key_of(windows.case, windows.last_day + 1)), windows.kind), -1)
    inside = within.cumsum(axis=0) > 0
    n_days = np.diff(day, append=0)
    n_outcomes = np.zeros(len(keys), dtype=np.int64)
    np.add.at(n_outcomes, np.searchsorted(keys, key_of(people.outcome_case, people.outcome_day), side="right") - 1, 1)
    moment = np.zeros(len(keys), dtype=np.int64)
    if moments is not None:
        moment = moments.kind[np.searchsorted(key_of(moments.case, moments.first_day), keys, side="right") - 1]
    time = n_days.astype(np.float64)
    if weigh is not None:
        time[is_piece] = weigh(case[is_piece], day[is_piece], n_days[is_piece])
    return _alike_as_one(Rows(case, n_days, n_outcomes, inside, moment, time), is_piece)


def _alike_as_one(pieces: Rows, kept: Bools) -> Rows:
    """Add up the pieces of one case that are alike, fewest windows first, then by the places of their windows."""
    case, within, moment = pieces.case[kept], pieces.within[kept], pieces.moment[kept]
    columns = [~within[:, at] for at in reversed(range(within.shape[1]))]
    order = np.lexsort((moment, *columns, within.sum(axis=1), case))
    table = np.column_stack((case, within, moment))[order]
    new = np.ones(len(table), dtype=np.bool_)
    new[1:] = (table[1:] != table[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    totals = [each[kept][order] for each in (pieces.n_days, pieces.n_outcomes)]
    n_days, n_outcomes = (np.add.reduceat(each, starts) if len(starts) else each for each in totals)
    first = order[starts]
    time = pieces.time[kept][order]
    time = np.add.reduceat(time, starts) if len(starts) else time
    return Rows(case[first], n_days, n_outcomes, within[first], moment[first], time)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a step leaves."""

    n_outcomes: int
    cases: Ints
    """The numbers, before the first step, of the cases with an outcome."""
    n_days: int


def study_population(people: People, asked: Cases) -> tuple[People, Ints, list[tuple[str, Counts]]]:
    """The cases that are left, their numbers among all, and what each step leaves.

    Source: SelfControlledCaseSeries 6.1.4, createStudyPopulation. As there, which outcome is the first is asked before
            time is left out, in each observation period apart, and time of one day is no time.
    """
    steps = [("With the outcome", _counted(people))]
    if asked.first_outcome_only:
        people = _first_outcomes(people)
        steps.append(("First outcome only", _counted(people)))
    if asked.naive_days:
        people = _cut(people, people.first_day + asked.naive_days, people.last_day)
        steps.append((f"After {asked.naive_days} naive days", _counted(people)))
    if asked.ages is not None:
        youngest = people.born_day + int(np.ceil(asked.ages.min_years * _DAYS_PER_YEAR))
        oldest = people.born_day + round((asked.ages.max_years + 1) * _DAYS_PER_YEAR) - 1
        people = _cut(people, youngest, oldest)
        steps.append((f"At ages {asked.ages.word}", _counted(people)))
    if asked.dates != DateRange():
        first, last = (None if on is None else day_of(on) for on in (asked.dates.start_on, asked.dates.end_on))
        start = people.first_day if first is None else np.maximum(people.first_day, first)
        end = people.last_day if last is None else np.minimum(people.last_day, last)
        people = _cut(people, start, end)
        steps.append(("In the study's dates", _counted(people)))
    return people, np.flatnonzero(people.has_outcome), steps


def _first_outcomes(people: People) -> People:
    order = np.lexsort((people.outcome_day, people.outcome_case))
    case, day = people.outcome_case[order], people.outcome_day[order]
    first = np.ones(len(case), dtype=np.bool_)
    first[1:] = case[1:] != case[:-1]
    return People(people.first_day, people.last_day, people.born_day, case[first], day[first])


def _cut(people: People, first_day: Ints, last_day: Ints) -> People:
    """The cases from a day to a day; without time, and so without outcomes, where that is not more than a day."""
    first, last = np.maximum(people.first_day, first_day), np.minimum(people.last_day, last_day)
    case, day = people.outcome_case, people.outcome_day
    kept = (first < last)[case] & (day >= first[case]) & (day <= last[case])
    return People(first, last, people.born_day, case[kept], day[kept])


def _counted(people: People) -> Counts:
    cases = np.flatnonzero(people.has_outcome)
    n_days = int((people.last_day[cases] - people.first_day[cases] + 1).sum())
    return Counts(len(people.outcome_day), cases, n_days)


def only_cases(people: People, cases: Ints) -> People:
    """Some of the cases, numbered anew in their order."""
    number = np.full(len(people), -1)
    number[cases] = np.arange(len(cases))
    kept = number[people.outcome_case] >= 0
    return People(
        people.first_day[cases],
        people.last_day[cases],
        people.born_day[cases],
        number[people.outcome_case[kept]],
        people.outcome_day[kept],
    )
