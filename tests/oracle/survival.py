"""Survival entry by entry and day by day; standard errors by moving each entry's weight a little.

Written to judge an engine that adds up counts by day. It shares no code with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from oracle.histories import DAY, FEMALE, MALE, Cohort, History, Stretch, born_on, spells

CENSORED, OUTCOME, COMPETING = "censored", "outcome", "competing"
Z = 1.959963984540054
_NUDGE = 1e-4


@dataclass(frozen=True)
class Rules:
    """What is asked; days that are None are without limit."""

    washout: int | None = None
    competing_washout: int | None = None
    follow_up: int | None = None
    on_exit: bool = False
    on_date: date | None = None
    minimum: int = 1
    at_end: bool = False


@dataclass(frozen=True)
class Entry:
    """One entry into the target cohort: how long it was followed, how it ended, or why it is left out."""

    person_id: int
    n_days: int
    ending: str
    left_out: str | None
    age: int | None
    sex: str


def age_on(history: History, day: date) -> int | None:
    """Completed years; born on 29 February, a year older on 1 March."""
    born = born_on(history)
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def entries(history: History, target: Cohort, outcome: Cohort, competing: Cohort | None, asked: Rules) -> list[Entry]:
    """Every entry of one person."""
    found = []
    for start, exit_on in spells(history, target):
        (period_end,) = [end for first, end in history.periods if first <= start <= end]
        last = _last_day(start, exit_on, period_end, asked)
        outcome_days = [(until, until) if asked.at_end else (since, until) for since, until in spells(history, outcome)]
        outcome_on = _first_between(outcome_days, start, last, asked)
        competing_on = None if competing is None else _first_between(spells(history, competing), start, last, asked)
        ending, day = CENSORED, last
        if outcome_on is not None:
            ending, day = OUTCOME, outcome_on
        if competing_on is not None and competing_on <= day:
            ending, day = COMPETING, competing_on
        left_out = None
        if asked.on_date is not None and start > asked.on_date:
            left_out = "after the date"
        elif _in_washout(spells(history, outcome), start, asked.washout):
            left_out = "washout"
        elif ((outcome_on or last) - start).days < asked.minimum:
            left_out = "short"
        elif competing is not None and _in_washout(spells(history, competing), start, asked.competing_washout):
            left_out = "competing washout"
        elif competing_on is not None and (competing_on - start).days < asked.minimum:
            left_out = "competing short"
        sex = {MALE: "Male", FEMALE: "Female"}.get(history.gender_concept_id, "None")
        found.append(Entry(history.person_id, (day - start).days, ending, left_out, age_on(history, start), sex))
    return found


def _last_day(start: date, exit_on: date, period_end: date, asked: Rules) -> date:
    ends = [period_end]
    if asked.on_exit:
        ends.append(exit_on)
    if asked.on_date is not None:
        ends.append(asked.on_date)
    if asked.follow_up is not None:
        ends.append(start + DAY * asked.follow_up)
    return min(ends)


def _first_between(events: Sequence[Stretch], start: date, last: date, asked: Rules) -> date | None:
    for first, _ in sorted(events):
        if start <= first <= last and (asked.on_date is None or first < asked.on_date):
            return first
    return None


def _in_washout(events: Sequence[Stretch], start: date, n_days: int | None) -> bool:
    if n_days is None:
        return any(first < start for first, _ in events)
    washed = [start - DAY * n for n in range(1, n_days + 1)]
    return any(first <= day <= last for first, last in events for day in washed)


def surviving(followed: Sequence[Entry], weights: Sequence[float], day: int) -> float:
    """The share without any event by a day, entries weighing what they weigh."""
    share = 1.0
    for each_day in sorted({each.n_days for each in followed if each.n_days <= day}):
        pairs = list(zip(followed, weights, strict=True))
        at_risk = sum(weight for each, weight in pairs if each.n_days >= each_day)
        ended = sum(weight for each, weight in pairs if each.n_days == each_day and each.ending != CENSORED)
        share *= 1 - ended / at_risk
    return share


def having_had(followed: Sequence[Entry], weights: Sequence[float], kind: str, day: int) -> float:
    """The share that has had an event of one kind first, by a day."""
    share = 0.0
    for each_day in sorted({each.n_days for each in followed if each.n_days <= day}):
        pairs = list(zip(followed, weights, strict=True))
        at_risk = sum(weight for each, weight in pairs if each.n_days >= each_day)
        ended = sum(weight for each, weight in pairs if each.n_days == each_day and each.ending == kind)
        share += surviving(followed, weights, each_day - 1) * ended / at_risk
    return share


def with_error(estimate: Callable[[Sequence[float]], float], n: int) -> tuple[float, float]:
    """An estimate at equal weights, and the root of the summed squares of what each weight does to it."""
    ones = [1.0] * n
    total = 0.0
    for at in range(n):
        more, less = list(ones), list(ones)
        more[at], less[at] = 1 + _NUDGE, 1 - _NUDGE
        total += ((estimate(more) - estimate(less)) / (2 * _NUDGE)) ** 2
    return estimate(ones), math.sqrt(total)


def interval(share: float, error: float) -> tuple[float | None, float | None]:
    """The 95 % interval on the log scale; none where the share is zero."""
    if share <= 1e-12:
        return None, None
    width = Z * error / share
    return share * math.exp(-width), min(1.0, share * math.exp(width))


def mean_of_days(shares: Callable[[int], float], to_day: int) -> float:
    """The sum over days of a share that holds from a day to the next."""
    return sum(shares(day) for day in range(to_day))


def first_day_at(followed: Sequence[Entry], p: float) -> float | None:
    """The day by which a share p has had an event; the middle of the days on which exactly p has."""
    days = sorted({each.n_days for each in followed})
    if p == 0:
        return 0.0
    ones = [1.0] * len(followed)
    gone = [(day, 1 - surviving(followed, ones, day)) for day in days]
    if not [day for day, share in gone if share >= p - 1e-9]:
        return None
    first = min(day for day, share in gone if share >= p - 1e-9)
    exactly = abs(dict(gone)[first] - p) < 1e-9
    later = [day for day, share in gone if share > p + 1e-9]
    if not exactly:
        return float(first)
    return (first + (min(later) if later else days[-1])) / 2
