"""Incidence, person by person and day by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from oracle.calendars import windows
from oracle.histories import DAY, Cohort, History, Requirement, Stretch, days_of, in_stratum, spells, stays


@dataclass
class Rate:
    """What one window holds."""

    at_risk: set[int] = field(default_factory=set)
    cases: set[int] = field(default_factory=set)
    person_days: int = 0
    n_events: int = 0


def days_at_risk(
    history: History,
    requirement: Requirement,
    cohort: Cohort,
    study: Stretch,
    washout: int | None,
    *,
    repeated: bool,
    censor: Cohort | None = None,
) -> list[tuple[date, bool]]:
    """The days on which a person is at risk, in order, each with whether an event falls on it.

    On each day the person looks back at the last outcome that began before it: the day counts when the outcome and
    the washout are over; never when the washout is all time; nor on a day after the censor cohort was entered.
    """
    having = spells(history, cohort)
    censored = [] if censor is None else spells(history, censor)
    found: list[tuple[date, bool]] = []
    for stay in sorted(stays(history, requirement, study)):
        for day in days_of(stay):
            if any(spell[0] < day for spell in censored):
                continue
            before = [spell for spell in having if spell[0] < day]
            if before and (washout is None or day <= before[-1][1] + DAY * washout):
                continue
            has_event = any(spell[0] == day for spell in having)
            if in_stratum(history, stay, requirement):
                found.append((day, has_event))
            if has_event and not repeated:
                return found
    return found


def incidence(
    histories: Sequence[History],
    requirement: Requirement,
    cohort: Cohort,
    study: Stretch,
    *,
    kinds: Sequence[str],
    washout: int | None,
    repeated: bool,
    complete: bool,
    censor: Cohort | None = None,
) -> dict[tuple[str, date, date], Rate]:
    """The rate of each window in which someone is at risk; the windows of a stratum are those of all."""
    at_risk = {
        history.person_id: days_at_risk(history, requirement, cohort, study, washout, repeated=repeated, censor=censor)
        for history in histories
    }
    rates: dict[tuple[str, date, date], Rate] = {}
    everybody = replace(requirement, stratum=(None, None, None))
    of_all = [
        days_at_risk(history, everybody, cohort, study, washout, repeated=repeated, censor=censor)
        for history in histories
    ]
    for window in incidence_windows(of_all, kinds, complete=complete):
        rate = Rate()
        for person_id, days in at_risk.items():
            inside = [has_event for day, has_event in days if window[1] <= day <= window[2]]
            if inside:
                rate.at_risk.add(person_id)
            if any(inside):
                rate.cases.add(person_id)
            rate.person_days += len(inside)
            rate.n_events += sum(inside)
        if rate.at_risk:
            rates[window] = rate
    return rates


def incidence_windows(
    days_of_all: Iterable[Sequence[tuple[date, bool]]], kinds: Sequence[str], *, complete: bool
) -> list[tuple[str, date, date]]:
    """The windows between the first and the last day on which anyone is at risk."""
    all_days = [day for days in days_of_all for day, _ in days]
    return windows(kinds, min(all_days), max(all_days), complete=complete) if all_days else []


def stretches_at_risk(days: Sequence[tuple[date, bool]], stays_of_person: Sequence[Stretch]) -> list[Stretch]:
    """The days at risk as stretches: one ends at an event, at a gap, or with its stay."""
    found: list[Stretch] = []
    ended = True
    ends = {end for _, end in stays_of_person}
    for day, has_event in days:
        if ended or day != found[-1][1] + DAY:
            found.append((day, day))
        found[-1] = (found[-1][0], day)
        ended = has_event or day in ends
    return found
