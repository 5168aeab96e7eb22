"""Which of a person's events stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from enclos.studies.circe.model import Definition, Limit
from enclos.studies.circe.rules.columns import Events, Integers, Truth, begins, keys, order_of


def primary(definition: Definition, entries: Events) -> Events:
    """The primary events: observed long enough before and after, and as many as the definition takes."""
    if definition.prior_days or definition.post_days:
        entries = entries.at(
            (entries.start - definition.prior_days >= entries.op_start)
            & (entries.start + definition.post_days <= entries.op_end)
        )
    return limited(entries, definition.primary_limit, entries.sort, by_start=True)


def limited(events: Events, limit: Limit, days: Integers, *, by_start: bool = False) -> Events:
    """The first or last event of every person by these days, or all; see ``staying``."""
    if limit is Limit.ALL or (events.person[1:] > events.person[:-1]).all():
        return events
    return events.at(staying(events, limit, days, by_start=by_start))


def staying(events: Events, limit: Limit, days: Integers, *, by_start: bool = False) -> Integers:
    """The places of the first or last event of every person by these days, or all places.

    Ties are ordered by the record's day and number, then domain, then place in the definition, so that the same data
    give the same cohort; Circe leaves them to the engine.
    In: by_start — whether the days are those of the records, so that only the start is left to order
    """
    if limit is Limit.ALL or not len(events):
        return np.arange(len(events))
    (key,) = keys((events.person, days if limit is Limit.FIRST else -days))
    order = order_of(key)
    person, key = events.person[order], key[order]
    first_at = np.flatnonzero(begins(person))
    n_of_person = np.diff(np.r_[first_at, len(person)])
    foremost = order[key == np.repeat(key[first_at], n_of_person)]
    if len(foremost) == len(first_at):
        return np.asarray(foremost)
    tied = events.at(foremost)
    ways = [tied.op_start, tied.end, tied.start, tied.place, tied.event]
    order = np.lexsort((*ways, tied.person) if by_start else (*ways, tied.sort, tied.person))
    person = tied.person[order]
    found: Integers = foremost[order[begins(person)]]
    return found


def rules_in_turn(held: Sequence[Truth], n_events: int) -> Integers:
    """How many rules each event fulfils together, from the first on.

    In: held — which events fulfil each rule
    """
    found, so_far = np.zeros(n_events, dtype=np.int64), np.ones(n_events, dtype=np.bool_)
    for rule in held:
        so_far = so_far & rule
        found += so_far
    return found
