"""Calendar intervals, found by asking each day where it belongs; read by the slow oracles of studies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

DAY = timedelta(days=1)


def interval_of(day: date, kind: str) -> tuple[date, date]:
    """The first and last day of the calendar interval that a day belongs to."""
    first = last = day
    while _key(first - DAY, kind) == _key(day, kind):
        first -= DAY
    while _key(last + DAY, kind) == _key(day, kind):
        last += DAY
    return first, last


def _key(day: date, kind: str) -> tuple[int, ...]:
    if kind == "weeks":
        return tuple(day.isocalendar())[:2]
    if kind == "months":
        return day.year, day.month
    if kind == "quarters":
        return day.year, (day.month - 1) // 3
    return (day.year,)


def intervals_touching(kind: str, first: date, last: date) -> list[tuple[date, date]]:
    """The calendar intervals between two days, in order, the outer ones whole."""
    found = []
    day = first
    while day <= last:
        found.append(interval_of(day, kind))
        day = found[-1][1] + DAY
    return found


def windows(kinds: Iterable[str], first: date, last: date, *, complete: bool) -> list[tuple[str, date, date]]:
    """The windows of each kind between the first and the last day: whole ones only, or cut to these days."""
    found = []
    for kind in [each for each in ("weeks", "months", "quarters", "years") if each in kinds]:
        for start, end in intervals_touching(kind, first, last):
            if start >= first and end <= last:
                found.append((kind, start, end))
            elif not complete:
                found.append((kind, max(start, first), min(end, last)))
    if "overall" in kinds:
        found.append(("overall", first, last))
    return found


def points(kinds: Iterable[str], time_point: str, first: date, last: date) -> list[tuple[str, date, date]]:
    """The days at which a point prevalence is taken, between the first and the last day."""
    found = []
    for kind in [each for each in ("weeks", "months", "quarters", "years") if each in kinds]:
        for start, end in intervals_touching(kind, first, last):
            day = {"start": start, "end": end, "middle": _middle(kind, start)}[time_point]
            if first <= day <= last:
                found.append((kind, day, day))
    return found


def _middle(kind: str, start: date) -> date:
    if kind == "weeks":
        return start + DAY * 3
    if kind == "months":
        return start.replace(day=15)
    if kind == "quarters":
        return start.replace(month=start.month + 1, day=15)
    return start.replace(month=7)
