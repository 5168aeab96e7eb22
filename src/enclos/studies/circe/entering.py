"""The entry events of cohorts: those that are kept, and what is read for the others, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from enclos.studies.circe.outline import is_plain, read_for
from enclos.studies.circe.plans import entries
from enclos.studies.circe.plans.entries import place_of
from enclos.studies.circe.rules.columns import Events, events_of, joined
from enclos.studies.circe.tables import Tables


def entry_events(
    tables: Tables, numbers: Sequence[int], *, numbered: bool, placed: bool
) -> Iterator[tuple[int, Events]]:
    """The entry events of each cohort that has any, in order of persons and in no period yet.

    In: numbers, numbered, placed — as for ``plan_entries``
    """
    reading = tables.reading
    names = entries.asked(reading, numbered=numbered)
    found: dict[int, list[Events]] = {number: [] for number in numbers}
    left: dict[int, list[int]] = {}
    for number in numbers:
        criteria = reading.outline.definitions[number].criteria
        for position, criterion in enumerate(criteria):
            if not reading.may_have_events(criterion):
                continue
            events = tables.events(read_for(criterion), names)
            if events is None:
                left.setdefault(number, []).append(position)
            else:
                place = (
                    np.full(len(events), place_of(criterion.domain, position)) if len(criteria) > 1 else events.place
                )
                found[number].append(replace(events, place=place))
    for number, events in _read(tables, left, numbered=numbered, placed=placed):
        found[number].append(events)
    for number, parts in found.items():
        if any(map(len, parts)):
            yield number, joined([part for part in parts if len(part)])


def _read(
    tables: Tables, left: Mapping[int, Sequence[int]], *, numbered: bool, placed: bool
) -> Iterator[tuple[int, Events]]:
    if not left:
        return
    definitions = tables.reading.outline.definitions
    criteria = [read_for(definitions[number].criteria[at]) for number, places in left.items() for at in places]
    tables.make(each for each in criteria if not is_plain(each))
    rows = tables.bucket.query(entries.plan_entries(tables.reading, left, numbered=numbered, placed=placed))
    yield from _apart(rows, list(left))


def _apart(rows: pa.Table, numbers: Sequence[int]) -> Iterator[tuple[int, Events]]:
    """The events of each cohort that has any."""
    events = events_of(rows)
    if len(numbers) == 1:
        if len(events):
            yield numbers[0], events
        return
    cohort = rows["cohort"].to_numpy()
    order = np.argsort(cohort, kind="stable")
    bounds = np.searchsorted(cohort[order], [*numbers, numbers[-1] + 1])
    for number, begin, end in zip(numbers, bounds[:-1], bounds[1:], strict=True):
        if end > begin:
            yield number, events.at(order[begin:end])
