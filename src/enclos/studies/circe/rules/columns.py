"""Columns of events: out of Arrow, in order, and compared by person and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa

Integers: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]

Truth: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
"""Of each event, whether something holds."""

NEVER = -(2**33)
"""The day of what is not recorded: before every day."""
FAR = 2**33
"""A day after every day."""
_INT32 = np.iinfo(np.int32)
_BITS = 62
_DIGIT_BITS = 16
_DIGIT = (1 << _DIGIT_BITS) - 1
_MASKS = ((1 << 20) - 1, (1 << 22) - 1)
"""Of the ends of concepts: tables of four and sixteen megabytes."""
_ENDING_BITS = 17
_OF_PERIODS = {"person_id": NEVER - 1, "start_date": FAR, "end_date": NEVER}
"""The columns of observation periods, with what stands for what is missing."""


def integers(column: pa.ChunkedArray, missing: int = NEVER) -> Integers:
    """A column of numbers or days."""
    return numbers(column, missing).astype(np.int64, copy=False)


def numbers(column: pa.ChunkedArray, missing: int = NEVER) -> Integers:
    """A column of numbers or days, of as many bits as they have; without a copy where that can be."""
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if pa.types.is_date32(whole.type):
        whole = whole.view(pa.int32())
    if whole.null_count:
        whole = whole.cast(pa.int64()).fill_null(missing)
    found: Integers = whole.to_numpy(zero_copy_only=False)
    return found


def narrow(column: pa.ChunkedArray) -> Integers:
    """A column of numbers or days in 32 bits where they fit, else in 64; a part at a time, so that little is copied."""
    parts = [numbers(pa.chunked_array([chunk])) for chunk in column.chunks if len(chunk)]
    fits = all(part.dtype == np.int32 or _fits(part) for part in parts)
    found: Integers = np.empty(len(column), dtype=np.int32 if fits else np.int64)
    at = 0
    for part in parts:
        found[at : at + len(part)] = part
        at += len(part)
    return found


def _fits(part: Integers) -> bool:
    return _INT32.min <= int(part.min()) and int(part.max()) <= _INT32.max


def in_order(key: Integers) -> bool:
    """Whether numbers never fall."""
    return bool((key[1:] >= key[:-1]).all())


@dataclass(frozen=True, slots=True, repr=False)
class Events:
    """Entry events of one cohort; each is in one observation period."""

    person: Integers
    start: Integers
    end: Integers
    op_start: Integers
    op_end: Integers
    sort: Integers
    """The day of the record, which orders entry events; the start may be another day."""
    event: Integers
    place: Integers
    visit: Integers

    def __len__(self) -> int:
        return len(self.person)

    def at(self, places: Integers | Truth) -> Events:
        """The events at some places, or where a mask holds."""
        found: dict[int, Integers] = {}
        columns = [getattr(self, each.name) for each in fields(self)]
        for column in columns:
            if id(column) not in found:
                found[id(column)] = column[places]
        return Events(*(found[id(column)] for column in columns))


@dataclass(frozen=True, slots=True, repr=False)
class Periods:
    """Observation periods."""

    person: Integers
    start: Integers
    end: Integers

    def __len__(self) -> int:
        return len(self.person)

    def at(self, places: Integers) -> Periods:
        """The periods at some places."""
        return Periods(self.person[places], self.start[places], self.end[places])

    def near(self, persons: Integers) -> Periods:
        """Those of some persons, and of others whose numbers end alike."""
        marks = np.zeros(1 << _ENDING_BITS, dtype=np.bool_)
        marks[persons & (len(marks) - 1)] = True
        return self.at(np.flatnonzero(marks[self.person & (len(marks) - 1)]))


def periods_of(rows: pa.Table) -> Periods:
    """The periods of rows, as they come; one without an end, a start or a person holds no day of anybody."""
    person, start, end = (numbers(rows[name], missing) for name, missing in _OF_PERIODS.items())
    return Periods(person, start, end)


def events_of(rows: pa.Table) -> Events:
    """The events of rows, in no period yet; the start of an event stands for what is not asked for.

    In: rows — person_id, start_date; and end_date, sort_date, event_id, place, visit_occurrence_id where they are there
    """
    return events_in({name: integers(rows[name]) for name in _OF_EVENTS if name in rows.column_names})


_OF_EVENTS = ("person_id", "start_date", "end_date", "sort_date", "event_id", "place", "visit_occurrence_id")


def events_in(columns: Mapping[str, Integers]) -> Events:
    """The events of columns; as ``events_of``."""
    person, start, end, *more = (columns.get(name, columns["start_date"]) for name in _OF_EVENTS)
    return Events(person, start, end, start, start, *more)


def joined(parts: Sequence[Events]) -> Events:
    """Events of several origins, each in order of persons, in that order together; at least one."""
    if len(parts) == 1:
        return parts[0]
    of_parts = [[getattr(part, each.name) for part in parts] for each in fields(Events)]
    found: dict[tuple[int, ...], Integers] = {}
    for columns in of_parts:
        origin = tuple(map(id, columns))
        found[origin] = found[origin] if origin in found else np.concatenate(columns)
    together = Events(*(found[tuple(map(id, columns))] for columns in of_parts))
    return together if in_order(together.person) else together.at(order_of(together.person))


def observed(events: Events, periods: Periods) -> Events:
    """The events, once for each observation period that they begin in.

    In: periods — in order of persons
    """
    of_person = np.flatnonzero(begins(events.person))
    person, n_events = events.person[of_person], np.diff(np.append(of_person, len(events)))
    found = np.searchsorted(periods.person, person)
    first = np.repeat(found, n_events)
    n = np.repeat(np.searchsorted(periods.person, person, side="right") - found, n_events)
    if len(n) and int(n.max()) > 1:
        again, period = spread(first, n)
        events = events.at(again)
    elif not n.all():
        events, period = events.at(n > 0), first[n > 0]
    else:
        period = first
    op_start, op_end = (days[period].astype(np.int64, copy=False) for days in (periods.start, periods.end))
    within = (op_start <= events.start) & (events.start <= op_end)
    if not within.all():
        events, op_start, op_end = events.at(within), op_start[within], op_end[within]
    return replace(events, op_start=op_start, op_end=op_end)


def spread(first: Integers, n: Integers) -> tuple[Integers, Integers]:
    """The pairs of each row with as many places from its first one on: rows, places."""
    rows = np.repeat(np.arange(len(n)), n)
    return rows, np.arange(len(rows)) + np.repeat(first - (np.cumsum(n) - n), n)


def begins(key: Integers) -> Truth:
    """Where other numbers begin: at the first place, and where a number is not the one before."""
    found = np.ones(len(key), dtype=np.bool_)
    np.not_equal(key[1:], key[:-1], out=found[1:])
    return found


def order_of(key: Integers) -> Integers:
    """The places of numbers in order; those of equal numbers stay in turn."""
    if in_order(key):
        return np.arange(len(key))
    least, bits = int(key.min()), len(key).bit_length()
    if (int(key.max()) - least).bit_length() + bits > _BITS:
        return np.argsort(key, kind="stable")
    packed = (key - least) << bits | np.arange(len(key))  # sorting numbers is quicker than sorting places by them
    packed.sort()
    return packed & ((1 << bits) - 1)


def grouped(group: Integers, key: Integers | None = None) -> Integers:
    """The places of records in order of a group, in it of a number, and else in turn; made for few different groups.

    Digit by digit, the last one first: what has 16 bits is counted instead of compared.
    In: key — a number of each record; None: those of a group stay in turn
    """
    ranks = _ranks(group)
    if key is not None and not in_order(key):
        least = int(key.min())
        n_bits = (int(key.max()) - least).bit_length()
        n_all = int(ranks.max()).bit_length() + n_bits
        if n_all > _BITS:
            return np.lexsort((key, group))
        wide: Integers = ranks.astype(np.int32 if n_all < _INT32.bits else np.int64)
        above = key.astype(np.int64, copy=False) if n_bits >= _INT32.bits else key  # else their difference has no room
        ranks = wide << n_bits | (above - least)
    order: Integers | None = None
    for at in range(0, int(ranks.max(initial=0)).bit_length(), _DIGIT_BITS):
        digit = (ranks >> at & _DIGIT).astype(np.uint16)
        places = np.argsort(digit if order is None else digit[order], kind="stable")
        order = places if order is None else order[places]
    return np.arange(len(group)) if order is None else order


def _ranks(numbers: Integers) -> Integers:
    """Of each the place that it has among the different ones."""
    known = np.unique(numbers)
    for mask in _MASKS:
        ends = known & mask
        if len(known) <= _DIGIT and len(np.unique(ends)) == len(known):
            # how they end tells them apart: no search is needed
            rank = np.zeros(mask + 1, dtype=np.int32)
            rank[ends] = np.arange(len(known))
            found: Integers = rank[numbers & mask]
            return found
    return np.searchsorted(known, numbers)


def keys(*columns: tuple[Integers, Integers]) -> list[Integers]:
    """For pairs of persons and days, one number each that orders by person, then day, alike over all pairs."""
    if not sum(len(persons) for persons, _ in columns):
        return [persons for persons, _ in columns]
    day_from, n_days = _range([days for _, days in columns])
    person_from, n_persons = _range([persons for persons, _ in columns])
    if n_days.bit_length() + n_persons.bit_length() <= _BITS:
        return [(persons - person_from) * n_days + (days - day_from) for persons, days in columns]
    known = np.unique(np.concatenate([persons for persons, _ in columns]))
    return [np.searchsorted(known, persons).astype(np.int64) * n_days + (days - day_from) for persons, days in columns]


def _range(columns: Sequence[Integers]) -> tuple[int, int]:
    some = [column for column in columns if len(column)]
    least = min(int(column.min()) for column in some)
    return least, max(int(column.max()) for column in some) - least + 1
