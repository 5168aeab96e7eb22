"""Persons as plain values, and what follows from a person's dates; read by the slow oracles of studies.

Written day by day and person by person, so that it can judge an engine that counts by sweep. It shares no code with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)
MALE, FEMALE = 8507, 8532
Stretch = tuple[date, date]
"""First and last day, both included."""


@dataclass(frozen=True)
class Record:
    """One condition record."""

    concept_id: int
    start_on: date
    end_on: date | None


@dataclass(frozen=True)
class Exposure:
    """One drug record."""

    concept_id: int
    start_on: date
    end_on: date | None
    quantity: float | None = None
    route: int | None = None


@dataclass(frozen=True)
class History:
    """All that is known of one person."""

    person_id: int
    gender_concept_id: int
    born: tuple[int | None, int | None, int | None]
    periods: tuple[Stretch, ...]
    records: tuple[Record, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    department: int | None = None
    died_on: date | None = None
    """Whoever has died is not observed afterwards."""


@dataclass(frozen=True)
class Cohort:
    """An outcome: its concepts, already resolved; how long it lasts: days, "event_end" or "observation_end"."""

    name: str
    concepts: frozenset[int]
    first_only: bool
    end: int | str
    gap: int | None = None
    """For a cohort of drugs: the gap of its eras; None for conditions."""
    of_deaths: bool = False
    """Whether it is of deaths, each a stretch of its one day, whatever the cause."""


@dataclass(frozen=True)
class Requirement:
    """Who is at risk: ages (both included), sex ("both", "male", "female"), days observed before."""

    ages: tuple[int, int]
    sex: str
    days_prior: int
    target: Cohort | None = None
    window: tuple[int, int | None] = (0, None)
    """Days after an entry into the target."""
    stratum: tuple[str | None, tuple[int, int] | None, int | None] = (None, None, None)
    """Only stays of this sex, of these ages on their first day, of who lives there; not asked by ``stays``."""
    at_entry: bool = False
    """Whether ages, days observed before and study days are judged on the day of entry only."""


def days_of(stretch: Stretch) -> list[date]:
    """Every day of a stretch."""
    first, last = stretch
    return [first + DAY * n for n in range((last - first).days + 1)]


def birthday(born_on: date, years: int) -> date:
    """The day a person turns that age; born on 29 February, on the 28th where there is no 29th."""
    try:
        return born_on.replace(year=born_on.year + years)
    except ValueError:
        return date(born_on.year + years, 2, 28)


def born_on(history: History) -> date | None:
    """The date of birth, the first of what is missing."""
    year, month, day = history.born
    return None if year is None else date(year, month or 1, day or 1)


def _own_end(record: Record | Exposure, cohort: Cohort) -> date | None:
    """The last day of a record; None where nobody knows how long an exposure lasts that would end its entry."""
    if record.end_on is not None or cohort.gap is None:
        return record.end_on or record.start_on + DAY
    return None if cohort.end == "event_end" else record.start_on


def spells(history: History, cohort: Cohort) -> list[Stretch]:
    """The stretches in which the person has the outcome: days that belong together are one stretch."""
    if cohort.of_deaths:
        died_on = history.died_on
        return [(died_on, died_on) for start, end in history.periods if died_on and start <= died_on <= end]
    found: list[tuple[Stretch, Stretch]] = []
    for record in history.records if cohort.gap is None else history.exposures:
        own_end = _own_end(record, cohort)
        if record.concept_id not in cohort.concepts or own_end is None or own_end < record.start_on:
            continue
        for period_start, period_end in history.periods:
            if period_start <= record.start_on <= period_end:
                wanted_end = own_end if cohort.end == "event_end" else period_end
                if isinstance(cohort.end, int):
                    wanted_end = record.start_on + DAY * cohort.end
                found.append(((period_start, period_end), (record.start_on, min(wanted_end, period_end))))
    if cohort.first_only and found and not cohort.gap:
        first_start = min(start for _, (start, _) in found)
        found = [(period, (start, end)) for period, (start, end) in found if start == first_start]
    joined: list[tuple[Stretch, Stretch]] = []
    for period, (start, end) in sorted(found):
        if joined and joined[-1][0] == period and start - joined[-1][1][1] <= DAY * (cohort.gap or 0):
            joined[-1] = (period, (joined[-1][1][0], max(joined[-1][1][1], end)))
        else:
            joined.append((period, (start, end)))
    eras = [stretch for _, stretch in joined]
    return eras[:1] if cohort.first_only else eras


def stays(history: History, requirement: Requirement, study: Stretch) -> list[Stretch]:
    """The stretches in which the person is at risk: days on which every requirement holds, period by period."""
    born = born_on(history)
    if born is None or history.gender_concept_id not in {MALE, FEMALE}:
        return []
    if requirement.sex != "both" and history.gender_concept_id != {"male": MALE, "female": FEMALE}[requirement.sex]:
        return []

    def fits(day: date, period: Stretch) -> bool:
        return (
            study[0] <= day <= study[1]
            and birthday(born, requirement.ages[0]) <= day < birthday(born, requirement.ages[1] + 1)
            and day - period[0] >= DAY * requirement.days_prior
        )

    def young_enough(day: date) -> bool:
        return day <= study[1] and day < birthday(born, requirement.ages[1] + 1)

    found = []
    for period in history.periods:
        if requirement.target is None:
            candidates = [(day, fits(day, period)) for day in days_of(period)]
            found += _whole(candidates)
            continue
        for entry in spells(history, requirement.target):
            if not period[0] <= entry[0] <= period[1]:
                continue
            candidates = []
            for day in days_of(entry):
                after = (day - entry[0]).days
                in_window = requirement.window[0] <= after and (
                    requirement.window[1] is None or after <= requirement.window[1]
                )
                holds = fits(entry[0], period) and young_enough(day) if requirement.at_entry else fits(day, period)
                candidates.append((day, in_window and day <= period[1] and holds))
            found += _whole(candidates)
    return found


def until_death(periods: Sequence[Stretch], died_on: date | None) -> tuple[Stretch, ...]:
    """Periods of observation, the last cut on the day of death."""
    if died_on is None:
        return tuple(periods)
    return tuple((start, min(end, died_on)) for start, end in periods if start <= died_on)


def _whole(days: list[tuple[date, bool]]) -> list[Stretch]:
    """The first and last of the days that hold, if any."""
    holding = [day for day, holds in days if holds]
    return [(holding[0], holding[-1])] if holding else []


def in_stratum(history: History, stay: Stretch, requirement: Requirement) -> bool:
    """Whether a stay is in the stratum."""
    sex, ages, department = requirement.stratum
    born = born_on(history)
    of_sex = sex is None or history.gender_concept_id == {"male": MALE, "female": FEMALE}[sex]
    of_sex &= department is None or history.department == department
    if ages is None or born is None:
        return of_sex
    return of_sex and birthday(born, ages[0]) <= stay[0] < birthday(born, ages[1] + 1)
