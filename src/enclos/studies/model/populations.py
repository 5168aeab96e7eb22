"""Populations: who is at risk on which days, and what estimates are made apart for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import pairwise

from enclos.studies.model.cohorts import MAX_DAYS

MAX_AGE_YEARS = 150


class Sex(Enum):
    """Who is at risk; persons whose sex is neither male nor female in the data are in none, as in the peers."""

    BOTH = "both"
    MALE = "male"
    FEMALE = "female"

    @property
    def word(self) -> str:
        """The word that results use."""
        return self.value.capitalize()


@dataclass(frozen=True, slots=True, order=True)
class AgeGroup:
    """Ages in completed years, both included."""

    min_years: int
    max_years: int

    def __post_init__(self) -> None:
        if not 0 <= self.min_years <= self.max_years <= MAX_AGE_YEARS:
            raise ValueError("an age group runs from 0 to 150 years, the lower age first")

    @property
    def word(self) -> str:
        """The words that results use."""
        return f"{self.min_years} to {self.max_years}"


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days that a study looks at, both ends included; None leaves an end to the observed data."""

    start_on: date | None = None
    end_on: date | None = None

    def __post_init__(self) -> None:
        if self.start_on is not None and self.end_on is not None and self.end_on < self.start_on:
            raise ValueError("a date range cannot end before it starts")


@dataclass(frozen=True, slots=True)
class DayWindow:
    """Days relative to an index day, both ends included; None leaves an end open."""

    from_day: int | None
    to_day: int | None

    def __post_init__(self) -> None:
        ends = [day for day in (self.from_day, self.to_day) if day is not None]
        if any(abs(day) > MAX_DAYS for day in ends) or ends != sorted(ends):
            raise ValueError("a window runs from its first to its last day")

    @property
    def word(self) -> str:
        """The words that results use."""
        return window_word(self.from_day, self.to_day)


def window_word(from_day: int | None, to_day: int | None) -> str:
    """The words that results use for a window."""
    return f"{'-inf' if from_day is None else from_day} to {'inf' if to_day is None else to_day}"


ALL_TIME = DayWindow(0, None)
"""From an index day on."""


@dataclass(frozen=True, slots=True)
class Target:
    """A cohort that persons count in only while they are in it, in windows of days after each entry."""

    cohort: str
    windows: tuple[DayWindow, ...] = (ALL_TIME,)
    requirements_at_entry: bool = True
    """Whether age, prior observation and study dates hold on the day of entry, or from whenever they are met."""

    def __post_init__(self) -> None:
        if not self.windows or len(set(self.windows)) != len(self.windows):
            raise ValueError("a target has at least one window at risk, each once")
        if any(each.from_day is None or each.from_day < 0 for each in self.windows):
            raise ValueError("time at risk starts on or after the day of entry")


class Stratum(Enum):
    """What estimates are made apart for."""

    SEX = "sex"
    AGE_GROUP = "age_group"
    DEPARTMENT = "department"
    """Where a person lives, as LOCATION.county says."""


def check_age_groups(age_groups: Sequence[AgeGroup], strata: Sequence[Stratum]) -> None:
    """Refuse (ValueError) age groups that overlap, and strata by age without groups."""
    ages = sorted(age_groups)
    if any(after.min_years <= before.max_years for before, after in pairwise(ages)):
        raise ValueError("age groups do not overlap")
    if Stratum.AGE_GROUP in strata and not age_groups:
        raise ValueError("strata by age need age groups")


@dataclass(frozen=True, slots=True)
class Population:
    """Who is at risk and when: every combination of window at risk, age group, sex and days of prior observation."""

    age_groups: tuple[AgeGroup, ...] = (AgeGroup(0, MAX_AGE_YEARS),)
    sexes: tuple[Sex, ...] = (Sex.BOTH,)
    days_prior_observation: tuple[int, ...] = (0,)
    date_range: DateRange = DateRange()
    target: Target | None = None
    strata: tuple[tuple[Stratum, ...], ...] = ()
    """What estimates are also made apart for, by what a person is on the first day at risk of each stay."""
    strata_age_groups: tuple[AgeGroup, ...] = ()
    include_overall: bool = True
    """Whether there are estimates of all persons beside those of strata."""

    def __post_init__(self) -> None:
        lists: tuple[tuple[object, ...], ...] = (self.age_groups, self.sexes, self.days_prior_observation)
        if not all(self_list and len(set(self_list)) == len(self_list) for self_list in lists):
            raise ValueError("each list of a population has at least one value, each once")
        if not all(0 <= days <= MAX_DAYS for days in self.days_prior_observation):
            raise ValueError("days of prior observation are between 0 and 99 999")
        sets = {frozenset(names) for names in self.strata}
        if frozenset() in sets or len(sets) < len(self.strata) or any(len(set(n)) < len(n) for n in self.strata):
            raise ValueError("strata are sets of names, each once")
        check_age_groups(self.strata_age_groups, [name for names in self.strata for name in names])
        if not self.include_overall and not self.strata:
            raise ValueError("without strata there are estimates of all persons alone")

    @property
    def by_department(self) -> bool:
        """Whether estimates are made apart for where persons live."""
        return any(Stratum.DEPARTMENT in names for names in self.strata)
