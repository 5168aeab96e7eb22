"""When events end, and how the stretches of a person join into eras."""

from __future__ import annotations

from datetime import date

import numpy as np

from enclos.studies.circe.model import DateOffset, Definition, DrugEraEnd
from enclos.studies.circe.rules.columns import FAR, NEVER, Events, Integers, begins, in_order, keys, order_of

_DAY_ZERO = date(1970, 1, 1)


def own_ends(definition: Definition, events: Events) -> Integers:
    """The end that an event knows itself, never after its observation period."""
    if not isinstance(definition.end, DateOffset):
        return events.op_end
    counted_from = events.end if definition.end.from_end else events.start
    ends = np.minimum(counted_from + definition.end.days, events.op_end)
    return np.where(counted_from == NEVER, events.op_end, ends)


def era_ends(end: DrugEraEnd, events: Events, person: Integers, start: Integers, exposure_end: Integers) -> Integers:
    """The end of the era of exposure that an event lies in: exposures apart by no more than the gap make one, which
    lasts some days after the last; far away where there is none.

    In: person, start, exposure_end — the exposures
    """
    until = exposure_end if end.days_supply is None else start + end.days_supply
    until = np.where(until == NEVER, NEVER, until + end.gap_days + end.offset_days)
    person, start, until = eras(person, start, until)
    if not len(person):
        return np.full(len(events), FAR)
    of_era, of_event = keys((person, start), (events.person, events.start))
    at = np.maximum(np.searchsorted(of_era, of_event, side="right") - 1, 0)
    last = until[at] - end.gap_days
    within = (person[at] == events.person) & (start[at] <= events.start) & (events.start <= last)
    return np.where(within, last, FAR)


def censor_ends(events: Events, censors: Events) -> Integers:
    """The day of the first censoring event from an event's start on, in its observation period; far away where there
    is none.

    In: censors — in order of person and start
    """
    if not len(censors):
        return np.full(len(events), FAR)
    of_censor, of_event = keys((censors.person, censors.start), (events.person, events.start))
    at = np.minimum(np.searchsorted(of_censor, of_event), len(of_censor) - 1)
    start = censors.start[at]
    within = (censors.person[at] == events.person) & (events.start <= start) & (start <= events.op_end)
    return np.where(within, start, FAR)


def earliest(start: Integers, ends: list[Integers]) -> Integers:
    """The first of the possible ends that is not before the start; far away where there is none."""
    found = np.full(len(start), FAR)
    for end in ends:
        found = np.minimum(found, np.where(end >= start, end, FAR))
    return found


def stretches(definition: Definition, events: Events, end: Integers) -> tuple[Integers, Integers, Integers]:
    """The stretches of a cohort in order: events until their end, joined across the era pad, cut by the censor window.

    Out: persons, first days, last days
    """
    kept = (end >= events.start) & (end < FAR)
    person, start, until = events.person, events.start, end
    if not kept.all():
        person, start, until = person[kept], start[kept], until[kept]
    person, start, until = eras(person, start, until + definition.era_pad_days)
    until = until - definition.era_pad_days
    if definition.censor_from is not None or definition.censor_until is not None:
        if definition.censor_from is not None:
            start = np.maximum(start, (definition.censor_from - _DAY_ZERO).days)
        if definition.censor_until is not None:
            until = np.minimum(until, (definition.censor_until - _DAY_ZERO).days)
        kept = start <= until
        person, start, until = person[kept], start[kept], until[kept]
    return person, start, until


def eras(person: Integers, start: Integers, end: Integers) -> tuple[Integers, Integers, Integers]:
    """Stretches of a person that share a day become one.

    Out: persons, first days, last days; in order of person and first day
    """
    if not len(person):
        return person, start, end
    (key,) = keys((person, start))
    if (end < start).any():
        order = np.lexsort((end, key))
        person, start, end = person[order], start[order], end[order]
    elif not in_order(key):
        order = order_of(key)
        person, start, end = person[order], start[order], end[order]
    is_new = begins(person)
    if is_new.all():
        return person, start, end
    least, most = int(end.min()), int(end.max())
    within = (np.cumsum(is_new) - 1) * (most - least + 1) + (end - least)
    so_far = np.maximum.accumulate(within) - within + end
    is_new[1:] |= so_far[:-1] < start[1:]
    first = np.flatnonzero(is_new)
    return person[first], start[first], np.maximum.reduceat(end, first)
