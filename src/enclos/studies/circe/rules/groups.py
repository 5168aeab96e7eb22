"""Which events fulfil a group of conditions: occurrences are counted in columns, by person and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enclos.studies.circe.domains import CountColumn
from enclos.studies.circe.model import Bound, Correlated, Count, Criterion, Demographic, Group, GroupKind, Window
from enclos.studies.circe.rules.columns import FAR, NEVER, Events, Integers, Truth, keys, order_of, spread

_N_PAIRS = 2_000_000
"""So many pairs of an event and an occurrence are looked at together, unless one event has more."""
_N_MARKS = 32_000_000
"""So many pairs of an event and a value are marked, a byte each; more are sorted."""

_SIGNS = {Count.AT_LEAST: np.greater_equal, Count.AT_MOST: np.less_equal, Count.EXACTLY: np.equal}


@dataclass(frozen=True, slots=True, repr=False)
class Occurrences:
    """Events that are counted around others."""

    events: Events
    counted: Mapping[CountColumn, Integers]
    """Columns of which different values are counted, as one number for each value, -1 for none."""

    def at(self, places: Integers | Truth) -> Occurrences:
        """The occurrences at some places, or where a mask holds."""
        return Occurrences(self.events.at(places), {column: values[places] for column, values in self.counted.items()})


@dataclass(frozen=True, slots=True)
class Known:
    """What groups are held against."""

    occurrences: Callable[[Criterion], Occurrences]
    """The events of a criterion, in order of person and start."""
    told: Callable[[Demographic, Events], Truth]
    """Which events a demographic criterion holds for."""


def fulfilled(group: Group, events: Events, known: Known) -> Truth:
    """Which events a group holds for; one without members holds always."""
    if not group.members:
        return np.ones(len(events), dtype=np.bool_)
    n_held: Integers = np.zeros(len(events), dtype=np.int64)
    for member in group.members:
        n_held += _held(member, events, known)
    if group.kind is GroupKind.AT_MOST:
        return np.asarray(n_held <= group.n)
    least = {GroupKind.ALL: len(group.members), GroupKind.ANY: 1}.get(group.kind, group.n)
    return np.asarray(n_held >= least)


def _held(member: Correlated | Demographic | Group, events: Events, known: Known) -> Truth:
    match member:
        case Group():
            return fulfilled(member, events, known)
        case Demographic():
            return known.told(member, events)
        case Correlated():
            n = _n_occurrences(member, events, known.occurrences(member.criterion))
            return np.asarray(_SIGNS[member.count](n, member.n))


def _n_occurrences(member: Correlated, events: Events, found: Occurrences) -> Integers:
    """How many occurrences, or different values of them, lie in the windows of each event."""
    if member.restrict_visit:
        found = found.at(found.events.visit != NEVER)
    if not len(found.events) or not len(events):
        return np.zeros(len(events), dtype=np.int64)
    found, first, n = _started(member, events, found)
    by_end = [window for window in member.windows if window.use_event_end]
    if not by_end and member.distinct is None:
        return n
    least, most = _days(by_end, events, member)
    n_near = np.zeros(len(events), dtype=np.int64)
    for begin, end in _parts(n):
        event, at = spread(first[begin:end], n[begin:end])
        if by_end:
            day = found.events.end[at]
            near = (least[begin:end][event] <= day) & (day <= most[begin:end][event])
            if _is_bounded(by_end, member):
                near &= day != NEVER
            event, at = event[near], at[near]
        if member.distinct is not None:
            n_near[begin:end] = _n_values(event, found.counted[member.distinct][at], end - begin)
        else:
            n_near[begin:end] = np.bincount(event, minlength=end - begin)
    return n_near


def _started(member: Correlated, events: Events, found: Occurrences) -> tuple[Occurrences, Integers, Integers]:
    """The occurrences in order of who has them and their start; and for each event where those begin that start when
    its windows say, and how many they are.
    """
    among = found.events
    of_found, of_event = _visits(among, events) if member.restrict_visit else (among.person, events.person)
    least, most = _days([window for window in member.windows if not window.use_event_end], events, member)
    if member.within_observation:
        least, most = np.maximum(least, events.op_start), np.minimum(most, events.op_end)
    low, high = int(among.start.min()), int(among.start.max())
    of_found, of_least, of_most = keys(
        (of_found, among.start),
        (of_event, np.clip(least, low, high + 1)),
        (of_event, np.clip(most, low - 1, high)),
    )
    if member.restrict_visit:
        order = order_of(of_found)
        found, of_found = found.at(order), of_found[order]
    first = np.searchsorted(of_found, of_least)
    return found, first, np.maximum(np.searchsorted(of_found, of_most, side="right") - first, 0)


def _visits(*events: Events) -> list[Integers]:
    """One number for each visit of a person, alike over all events."""
    _, visits = np.unique(np.concatenate([each.visit for each in events]), return_inverse=True)
    parts = np.split(visits, np.cumsum([len(each) for each in events])[:-1])
    return keys(*((each.person, visit) for each, visit in zip(events, parts, strict=True)))


def _n_values(event: Integers, value: Integers, n_events: int) -> Integers:
    """How many different values each event has among its pairs; -1 is none."""
    event, value = event[value >= 0], value[value >= 0]
    n_values = int(value.max(initial=0)) + 1
    pair = event * n_values + value
    if n_events * n_values > _N_MARKS:
        return np.bincount(np.unique(pair) // n_values, minlength=n_events)
    marks = np.zeros(n_events * n_values, dtype=np.bool_)  # quicker than sorting
    marks[pair] = True
    return np.asarray(marks.reshape(n_events, n_values).sum(axis=1))


def _parts(n: Integers) -> Iterator[tuple[int, int]]:
    """Rows cut so that the pairs of each part stay few."""
    so_far = np.cumsum(n)
    begin = 0
    while begin < len(n):
        done = int(so_far[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(so_far, done + _N_PAIRS, side="right")), begin + 1)
        yield begin, end
        begin = end


def _days(windows: Sequence[Window], events: Events, member: Correlated) -> tuple[Integers, Integers]:
    """The first and the last day that all windows hold; a window around a day that is not recorded holds none."""
    least, most = np.full(len(events), -FAR * 2), np.full(len(events), FAR)
    for window in windows:
        index = events.end if window.use_index_end else events.start
        if (from_day := _bound(window.start, index, events, member)) is not None:
            least = np.maximum(least, from_day)
        if (until_day := _bound(window.end, index, events, member)) is not None:
            most = np.minimum(most, until_day)
        if window.start.days is not None or window.end.days is not None:
            most = np.where(index == NEVER, -FAR * 3, most)
    return least, most


def _bound(bound: Bound, index: Integers, events: Events, member: Correlated) -> Integers | None:
    if bound.days is not None:
        return index + bound.days
    if not member.within_observation:
        return None
    return events.op_start if bound.before else events.op_end


def _is_bounded(windows: Sequence[Window], member: Correlated) -> bool:
    return member.within_observation or any(
        bound.days is not None for window in windows for bound in (window.start, window.end)
    )
