"""Counting persons, days and events in windows, by sweep.

Spans arrive as columns: a person's dense number, a first and a last day. Every total of a window follows from how
many spans start and end in it, so that no span is ever paired with all windows. Tallies of disjoint persons add.
"""

from __future__ import annotations

import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from enclos.studies.rules.calendar import Days, Windows
from enclos.studies.work import Tally

Persons: TypeAlias = npt.NDArray[np.uint32]
Ints: TypeAlias = npt.NDArray[np.int64]


def person_set(persons: Persons) -> BitMap:
    """The set of the persons, each once."""
    return BitMap(array.array("I", np.ascontiguousarray(persons, dtype=np.uint32).tobytes()))


def persons_by_window(persons: Persons, from_index: Ints, to_index: Ints, n_windows: int) -> list[BitMap]:
    """For each window, the set of persons with a span whose window range holds it.

    Going from one window to the next, those whose range ended leave and those whose range starts come: the work grows
    with persons and with windows, not with both at once.

    In: one row per span: person, first and last window (none when the last is the smaller)
    """
    some = from_index <= to_index
    people, lower, upper = _apart(persons[some], from_index[some], to_index[some], n_windows)
    coming, leaving = _sets_by(people, lower, n_windows), _sets_by(people, upper, n_windows)
    sets: list[BitMap] = []
    present = BitMap()
    for window in range(n_windows):
        present = present | coming[window]
        sets.append(present)
        present = present - leaving[window]
    return sets


def _apart(persons: Persons, lower: Ints, upper: Ints, n_windows: int) -> tuple[Persons, Ints, Ints]:
    """The same window ranges, those of one person joined where they share a window."""
    if not len(persons):
        return persons, lower, upper
    dense = persons - persons.min()
    several = np.bincount(dense)[dense] > 1
    order = np.flatnonzero(several)
    order = order[np.argsort(persons[order].astype(np.int64) * n_windows + lower[order])]
    rank = np.cumsum(np.diff(persons[order], prepend=persons[order][:1]) != 0)
    shift = rank * n_windows  # keeps the running maximum within a person
    reach = np.maximum.accumulate(upper[order] + shift)
    first = np.flatnonzero(np.r_[True, (lower[order] + shift)[1:] > reach[:-1]]) if len(order) else order
    last = np.r_[first[1:] - 1, len(order) - 1] if len(order) else order
    alone = ~several
    return (
        np.concatenate([persons[alone], persons[order[first]]]),
        np.concatenate([lower[alone], lower[order[first]]]),
        np.concatenate([upper[alone], (reach - shift)[last]]),
    )


def _sets_by(persons: Persons, index: Ints, n_windows: int) -> list[BitMap]:
    """For each window, the persons whose index it is."""
    narrow = index.astype(np.int16 if n_windows < np.iinfo(np.int16).max else np.int32)
    order = np.argsort(narrow, kind="stable")  # narrow integers are sorted by digits
    bounds = np.searchsorted(narrow[order], np.arange(n_windows + 1))
    grouped = persons[order]
    return [person_set(grouped[start:end]) for start, end in pairwise(bounds.tolist())]


def days_by_window(windows: Windows, first_days: Days, last_days: Days) -> Ints:
    """The days of all spans in each window, both ends of a span included.

    In:    windows without a gap between them, which hold all spans
    Units: days
    """
    n_windows = len(windows)
    starts_in, ends_in = windows.touched(first_days, last_days)
    n_starts = np.bincount(starts_in, minlength=n_windows)
    n_ends = np.bincount(ends_in, minlength=n_windows)
    before_start = _sum_by(starts_in, first_days - windows.first_days[starts_in], n_windows)
    after_end = _sum_by(ends_in, windows.last_days[ends_in] - last_days, n_windows)
    n_present = np.cumsum(n_starts) - np.cumsum(n_ends) + n_ends  # started so far and not ended before the window
    lengths = windows.last_days - windows.first_days + 1
    days: Ints = n_present * lengths - before_start - after_end
    return days


def _sum_by(groups: Ints, values: Ints, n_groups: int) -> Ints:
    """Sums of integers by group; doubles hold them exactly, since a bucket's days stay far below 2**53."""
    return np.rint(np.bincount(groups, weights=values, minlength=n_groups)).astype(np.int64)


def empty_sets(windows: Windows) -> list[BitMap]:
    """One empty set per window."""
    return [BitMap() for _ in range(len(windows))]


@dataclass(slots=True, eq=False)
class WindowCounts:
    """What is counted in each window of one interval type."""

    windows: Windows
    person_days: Ints
    n_events: Ints
    n_started: Ints
    """Spans whose first day is in the window."""
    n_ended: Ints
    """Spans whose last day is in the window."""
    at_risk: list[BitMap]
    cases: list[BitMap]

    @classmethod
    def empty(cls, windows: Windows) -> WindowCounts:
        """Nothing counted yet."""
        days, events, started, ended = (np.zeros(len(windows), dtype=np.int64) for _ in range(4))
        return cls(windows, days, events, started, ended, empty_sets(windows), empty_sets(windows))

    def add_at_risk(
        self, persons: Persons, first_days: Days, last_days: Days, has_event: npt.NDArray[np.bool_]
    ) -> None:
        """Count spans at risk; one with an event has it on its last day."""
        n = len(self.windows)
        if not n or not len(persons):
            return
        starts_in, ends_in = self.windows.touched(first_days, last_days)
        self.person_days += days_by_window(self.windows, first_days, last_days)
        self.n_started += np.bincount(starts_in, minlength=n)
        self.n_ended += np.bincount(ends_in, minlength=n)
        events_in = ends_in[has_event]
        self.n_events += np.bincount(events_in, minlength=n)
        merge_into(self.at_risk, persons_by_window(persons, starts_in, ends_in, n))
        merge_into(self.cases, persons_by_window(persons[has_event], events_in, events_in, n))

    def put(self, tally: Tally) -> None:
        """Put what was counted into the tally."""
        tally.put(self.person_days, self.n_events, self.n_started, self.n_ended)
        tally.put_people(*self.at_risk, *self.cases)

    def absorb(self, tally: Tally, first_person: int) -> None:
        """Add what another put, of other persons."""
        tally.add_to(self.person_days, self.n_events, self.n_started, self.n_ended)
        for people in (*self.at_risk, *self.cases):
            people.update(tally.people(first_person))


def merge_into(sets: list[BitMap], more: Iterable[BitMap]) -> None:
    """Add persons to the sets, one by one."""
    for have, new in zip(sets, more, strict=True):
        have.update(new)


@dataclass(slots=True, eq=False)
class AtRiskTally:
    """Everything that one incidence analysis counts: person-time, events and persons, by window and in all."""

    counts: list[WindowCounts]
    """One per calendar interval type, in the order of the analysis."""
    n_spans: int = 0
    person_days: int = 0
    n_events: int = 0
    first_day: int | None = None
    last_day: int | None = None
    persons: BitMap = field(default_factory=BitMap)
    cases: BitMap = field(default_factory=BitMap)

    def add(self, persons: Persons, first_days: Days, last_days: Days, has_event: npt.NDArray[np.bool_]) -> None:
        """Count spans of persons that no earlier call has counted."""
        if not len(persons):
            return
        for counts in self.counts:
            counts.add_at_risk(persons, first_days, last_days, has_event)
        self.n_spans += len(persons)
        self.person_days += int((last_days - first_days + 1).sum())
        self.n_events += int(has_event.sum())
        first, last = int(first_days.min()), int(last_days.max())
        self.first_day = first if self.first_day is None else min(self.first_day, first)
        self.last_day = last if self.last_day is None else max(self.last_day, last)
        self.persons |= person_set(persons)
        self.cases |= person_set(persons[has_event])

    def put(self, tally: Tally) -> None:
        """Put what was counted into the tally."""
        for counts in self.counts:
            counts.put(tally)
        days = [] if self.first_day is None or self.last_day is None else [self.first_day, self.last_day]
        tally.put(self.n_spans, self.person_days, self.n_events, np.array(days, dtype=np.int64))
        tally.put_people(self.persons, self.cases)

    def absorb(self, tally: Tally, first_person: int) -> None:
        """Add what another put, of other persons."""
        for counts in self.counts:
            counts.absorb(tally, first_person)
        self.n_spans += tally.number()
        self.person_days += tally.number()
        self.n_events += tally.number()
        if len(days := tally.numbers()):
            first, last = int(days[0]), int(days[1])
            self.first_day = first if self.first_day is None else min(self.first_day, first)
            self.last_day = last if self.last_day is None else max(self.last_day, last)
        self.persons.update(tally.people(first_person))
        self.cases.update(tally.people(first_person))


def _no_counts(windows: list[Windows]) -> list[Ints]:
    return [np.zeros(len(each), dtype=np.int64) for each in windows]


def _ranges_by_window(from_index: Ints, to_index: Ints, n_windows: int) -> Ints:
    """How many ranges hold each window; one whose first is after its last holds none."""
    some = from_index <= to_index
    coming = np.bincount(from_index[some], minlength=n_windows + 1)
    leaving = np.bincount(to_index[some] + 1, minlength=n_windows + 1)
    found: Ints = np.cumsum(coming - leaving)[:n_windows]
    return found


def _stay_numbers(persons: Persons, first_days: Days) -> Persons:
    """A number for each stay: those of one person in one denominator start on different days."""
    keys = persons.astype(np.int64) << 32 | (first_days.astype(np.int64) + 2**31)
    numbers: Persons = np.unique(keys, return_inverse=True)[1].astype(np.uint32)
    return numbers


@dataclass(slots=True, eq=False)
class PresenceTally:
    """Who of a population is present in each window; one for all outcomes."""

    windows: list[Windows]
    whole: bool
    """Whether a person must be present in all of a window (full contribution) or in a day of it."""
    present: list[list[BitMap]]
    n_stays: list[Ints]
    """Of each window, the stays in it; nothing where they are not counted."""

    @classmethod
    def empty(cls, windows: list[Windows], *, whole: bool, stays: bool = False) -> PresenceTally:
        """Nobody counted yet."""
        return cls(windows, whole, [empty_sets(each) for each in windows], _no_counts(windows) if stays else [])

    def add(self, persons: Persons, first_days: Days, last_days: Days) -> None:
        """Count the stays of persons that no earlier call has counted."""
        for at, (windows, sets) in enumerate(zip(self.windows, self.present, strict=True)):
            range_of = windows.covered if self.whole else windows.touched
            ranges = range_of(first_days, last_days)
            merge_into(sets, persons_by_window(persons, *ranges, len(windows)))
            if self.n_stays:
                self.n_stays[at] += _ranges_by_window(*ranges, len(windows))

    def put(self, tally: Tally) -> None:
        """Put what was counted into the tally."""
        tally.put(*self.n_stays)
        tally.put_people(*chain.from_iterable(self.present))

    def absorb(self, tally: Tally, first_person: int) -> None:
        """Add what another put, of other persons."""
        tally.add_to(*self.n_stays)
        for people in chain.from_iterable(self.present):
            people.update(tally.people(first_person))


@dataclass(slots=True, eq=False)
class CaseTally:
    """Who of those present has the outcome in each window, and the records that the analysis started from."""

    windows: list[Windows]
    whole: bool
    cases: list[list[BitMap]]
    n_stays: list[Ints]
    """Of each window, the stays that share a day with an outcome in it; nothing where they are not counted."""
    n_records: int = 0
    n_records_observed: int = 0
    n_records_contributing: int = 0
    persons: BitMap = field(default_factory=BitMap)
    persons_observed: BitMap = field(default_factory=BitMap)
    persons_contributing: BitMap = field(default_factory=BitMap)

    @classmethod
    def empty(cls, windows: list[Windows], *, whole: bool, stays: bool = False) -> CaseTally:
        """Nobody counted yet."""
        return cls(windows, whole, [empty_sets(each) for each in windows], _no_counts(windows) if stays else [])

    def add_cases(self, persons: Persons, stay_first: Days, stay_last: Days, first_days: Days, last_days: Days) -> None:
        """Count outcomes during stays: each row is one outcome within one stay, cut to it."""
        stays = _stay_numbers(persons, stay_first) if self.n_stays else persons
        for at, (windows, sets) in enumerate(zip(self.windows, self.cases, strict=True)):
            from_index, to_index = windows.touched(first_days, last_days)
            if self.whole:
                stay_from, stay_to = windows.covered(stay_first, stay_last)
                from_index, to_index = np.maximum(from_index, stay_from), np.minimum(to_index, stay_to)
            merge_into(sets, persons_by_window(persons, from_index, to_index, len(windows)))
            if self.n_stays:
                of_windows = persons_by_window(stays, from_index, to_index, len(windows))
                self.n_stays[at] += np.array([len(each) for each in of_windows], dtype=np.int64)

    def add_stays(self, persons: Persons, first_days: Days, last_days: Days, n_records: Ints) -> None:
        """Count the stays that the analysis starts from and what the intervals leave of them.

        In: n_records — for each stay, the outcomes of its person, at least one: the peer counts rows of the join
        """
        if not len(persons):
            return
        self.n_records += int(n_records.sum())
        self.persons |= person_set(persons)
        used = [windows for windows in self.windows if len(windows)]
        if not used:
            return
        from_day = min(int(windows.first_days[0]) for windows in used)
        to_day = max(int(windows.last_days[-1]) for windows in used)
        observed = (last_days >= from_day) & (first_days <= to_day)
        self.n_records_observed += int(n_records[observed].sum())
        self.persons_observed |= person_set(persons[observed])
        contributing = observed
        if self.whole:
            covers = np.zeros(len(persons), dtype=np.bool_)
            for windows in used:
                covered_from, covered_to = windows.covered(first_days, last_days)
                covers |= covered_from <= covered_to
            contributing = observed & covers
        self.n_records_contributing += int(n_records[contributing].sum())
        self.persons_contributing |= person_set(persons[contributing])

    def put(self, tally: Tally) -> None:
        """Put what was counted into the tally."""
        tally.put(*self.n_stays, self.n_records, self.n_records_observed, self.n_records_contributing)
        tally.put_people(*chain.from_iterable(self.cases))
        tally.put_people(self.persons, self.persons_observed, self.persons_contributing)

    def absorb(self, tally: Tally, first_person: int) -> None:
        """Add what another put, of other persons."""
        tally.add_to(*self.n_stays)
        self.n_records += tally.number()
        self.n_records_observed += tally.number()
        self.n_records_contributing += tally.number()
        for people in chain.from_iterable(self.cases):
            people.update(tally.people(first_person))
        for people in (self.persons, self.persons_observed, self.persons_contributing):
            people.update(tally.people(first_person))
