"""Columns of events: out of Arrow, in order, and compared by person and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import pyarrow as pa

Integers: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]

Truth: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
"""Events by conditions."""

NEVER = -(2**33)
"""The day of what is not recorded: before every day."""
_BITS = 62


def integers(column: pa.ChunkedArray, missing: int = NEVER) -> Integers:
    """A column of numbers or days."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if column.null_count:
        column = column.cast(pa.int64()).fill_null(missing)
    found: Integers = column.to_numpy().astype(np.int64, copy=False)
    return found


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
    row: Integers
    """Its place in the table that it comes from."""

    def __len__(self) -> int:
        return len(self.person)

    def at(self, places: Integers | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Events:
        """The events at some places, or where a mask holds."""
        found: dict[int, Integers] = {}
        columns = [getattr(self, each.name) for each in fields(self)]
        for column in columns:
            if id(column) not in found:
                found[id(column)] = column[places]
        return Events(*(found[id(column)] for column in columns))


def events_of(rows: pa.Table, *, ordered: bool) -> Events:
    """The events of rows; where nothing orders them their start stands for what would."""
    person, start, end = (integers(rows[name]) for name in ("person_id", "start_date", "end_date"))
    op_start, op_end = (integers(rows[name]) for name in ("op_start_date", "op_end_date"))
    if not ordered:
        return Events(person, start, end, op_start, op_end, start, start, start, start)
    sort, event, place = (integers(rows[name]) for name in ("sort_date", "event_id", "place"))
    return Events(person, start, end, op_start, op_end, sort, event, place, np.arange(rows.num_rows))


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
