"""What a study asks, in values that cannot be nonsense.

Meaning lives here, ease of writing in ``document.py``, speed in ``plans``. Days are calendar days; both ends of a
date range belong to it, as people write it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import pairwise
from typing import TypeAlias

from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.studies.circe.model import Definition
from enclos.studies.standard.model import Standard

MAX_AGE_YEARS = 150
MAX_DAYS = 99_999
MAX_CONCEPT_ID = 2**31 - 1
"""OMOP concept ids are 32-bit integers."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_STUDY_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")


def is_cohort_name(name: str) -> bool:
    """Whether a cohort can have that name: snake case, as the result's readers expect."""
    return _NAME.fullmatch(name) is not None


def is_study_name(name: str) -> bool:
    """Whether a study can have that name: letters, digits, dot, dash, underscore."""
    return _STUDY_NAME.fullmatch(name) is not None


class Domain(Enum):
    """The OMOP table that a concept set is looked up in."""

    CONDITION = "condition"
    DRUG = "drug"
    PROCEDURE = "procedure"
    MEASUREMENT = "measurement"
    OBSERVATION = "observation"
    VISIT = "visit"


class Limit(Enum):
    """Which of a person's records enter the cohort."""

    FIRST = "first"
    ALL = "all"


class OpenEnd(Enum):
    """A cohort end that the data give."""

    EVENT_END = "event_end"
    """The record's own last day; the day after its first day where a record that lasts has none."""
    OBSERVATION_END = "observation_end"
    """The last day of the observation period that the record starts in."""


@dataclass(frozen=True, slots=True)
class AfterDays:
    """A cohort end a fixed number of days after the start."""

    n_days: int

    def __post_init__(self) -> None:
        if not 0 <= self.n_days <= MAX_DAYS:
            raise ValueError("days after the start are between 0 and 99 999")


CohortEnd: TypeAlias = OpenEnd | AfterDays


@dataclass(frozen=True, slots=True)
class ConceptCohort:
    """Persons with a record of a concept set, from its first day to a defined end, within observation."""

    name: str
    concepts: tuple[int, ...]
    descendants: bool
    domain: Domain
    limit: Limit
    end: CohortEnd
    duration: str | None = None
    """The rule by which dispensings last; None: the one that the snapshot was built with."""
    gap_era_days: int = 0
    """Stretches with at most so many days from the end of one to the start of the next are one era."""

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a cohort's name is snake case")
        if not self.concepts or len(set(self.concepts)) != len(self.concepts):
            raise ValueError("a cohort has at least one concept, each once")
        if not all(0 < concept <= MAX_CONCEPT_ID for concept in self.concepts):
            raise ValueError("a concept id is a positive 32-bit integer")
        if self.duration is not None and (self.domain is not Domain.DRUG or self.duration not in DURATION_RULE_IDS):
            raise ValueError("a known duration rule belongs to a drug cohort")
        if not 0 <= self.gap_era_days <= MAX_DAYS or (self.gap_era_days and self.domain is not Domain.DRUG):
            raise ValueError("a gap of 0 to 99 999 days belongs to a drug cohort")


@dataclass(frozen=True, slots=True)
class CirceCohort:
    """Persons with the events that a Circe definition describes."""

    name: str
    definition: Definition
    digest: str
    """SHA-256 of the definition's text."""

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a cohort's name is snake case")


class Operation(ABC):
    """How a cohort is made of others; ``derived`` has the kinds."""

    __slots__ = ()

    @property
    @abstractmethod
    def sources(self) -> tuple[str, ...]:
        """The cohorts that it is made of, each once."""

    @property
    def is_drawn(self) -> bool:
        """Whether who is in depends on the persons of all buckets."""
        return False


@dataclass(frozen=True, slots=True)
class DerivedCohort:
    """A cohort made of other cohorts of the study."""

    name: str
    operation: Operation

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a cohort's name is snake case")


Cohort: TypeAlias = ConceptCohort | CirceCohort | DerivedCohort


def sources_of(cohort: Cohort) -> tuple[str, ...]:
    """The cohorts that a cohort is made of: none unless it is derived."""
    return cohort.operation.sources if isinstance(cohort, DerivedCohort) else ()


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


class Interval(Enum):
    """The stretch of time that one estimate covers."""

    WEEKS = "weeks"
    """ISO weeks, Monday to Sunday."""
    MONTHS = "months"
    QUARTERS = "quarters"
    YEARS = "years"
    OVERALL = "overall"
    """From the first to the last day that anyone contributes."""


class TimePoint(Enum):
    """The day of an interval at which point prevalence is taken."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


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


@dataclass(frozen=True, slots=True)
class Incidence:
    """New events per person-time.

    ``washout_days`` is the time without the outcome before a person is at risk (again); None is all time: only a
    person's first event ever counts. Without repeated events a person leaves at the first event in the study.
    """

    outcomes: tuple[str, ...]
    population: Population
    intervals: tuple[Interval, ...] = (Interval.YEARS,)
    washout_days: int | None = None
    repeated_events: bool = False
    complete_intervals: bool = True
    censor: str | None = None
    """The cohort on whose first day a person's time at risk ends, that day included."""
    standard: Standard | None = None
    """What rates are also standardised by, over the finest age groups of the population."""

    def __post_init__(self) -> None:
        _check_analysis(self.outcomes, self.intervals)
        groups = [(each.min_years, each.max_years) for each in self.population.age_groups]
        if self.standard is not None and self.standard.weights_of(groups) is None:
            raise ValueError("standardised age groups are made of whole bands of the standard and do not overlap")
        if self.standard is not None and any(Stratum.AGE_GROUP in names for names in self.population.strata):
            raise ValueError("a rate standardised by age has no strata by age")
        if self.washout_days is not None and not 0 <= self.washout_days <= MAX_DAYS:
            raise ValueError("washout days are between 0 and 99 999, or all")


@dataclass(frozen=True, slots=True)
class PointPrevalence:
    """The share of persons present on one day who have the outcome on it."""

    outcomes: tuple[str, ...]
    population: Population
    intervals: tuple[Interval, ...] = (Interval.YEARS,)
    time_point: TimePoint = TimePoint.START

    def __post_init__(self) -> None:
        _check_analysis(self.outcomes, self.intervals)
        if Interval.OVERALL in self.intervals:
            raise ValueError("a point prevalence has no overall interval")


@dataclass(frozen=True, slots=True)
class PeriodPrevalence:
    """The share of persons present in an interval who have the outcome while present in it."""

    outcomes: tuple[str, ...]
    population: Population
    intervals: tuple[Interval, ...] = (Interval.YEARS,)
    full_contribution: bool = False
    complete_intervals: bool = True

    def __post_init__(self) -> None:
        _check_analysis(self.outcomes, self.intervals)


Prevalence: TypeAlias = PointPrevalence | PeriodPrevalence
Rate: TypeAlias = Incidence | PointPrevalence | PeriodPrevalence
"""Estimates about a population."""


class CohortAnalysis(ABC):
    """An analysis that follows the persons of cohorts; each kind has a folder of its own in this room."""

    __slots__ = ()

    @property
    @abstractmethod
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""


Analysis: TypeAlias = Rate | CohortAnalysis


def cohorts_used(analysis: Analysis) -> tuple[str, ...]:
    """The names of the cohorts that an analysis reads."""
    if isinstance(analysis, CohortAnalysis):
        return analysis.cohort_names
    target = analysis.population.target
    censor = analysis.censor if isinstance(analysis, Incidence) else None
    others = (None if target is None else target.cohort, censor)
    return tuple(dict.fromkeys([*analysis.outcomes, *(name for name in others if name is not None)]))


def circular(sources: Mapping[str, Iterable[str]]) -> list[str]:
    """The cohorts that are made of themselves, be it through others, or of such a cohort; other names are passed over.

    In: sources — the cohorts that each cohort is made of
    """
    left = {name: {each for each in of if each in sources} for name, of in sources.items()}
    while ready := {name for name, of in left.items() if not of & left.keys()}:
        left = {name: of for name, of in left.items() if name not in ready}
    return list(left)


def _check_analysis(outcomes: tuple[str, ...], intervals: tuple[Interval, ...]) -> None:
    lists: tuple[tuple[object, ...], ...] = (outcomes, intervals)
    if not all(values and len(set(values)) == len(values) for values in lists):
        raise ValueError("an analysis has at least one outcome and one interval, each once")


@dataclass(frozen=True, slots=True)
class Study:
    """A name, the cohorts it defines, and the analyses that use them."""

    name: str
    cohorts: tuple[Cohort, ...]
    analyses: tuple[Analysis, ...]

    def __post_init__(self) -> None:
        if not is_study_name(self.name):
            raise ValueError("a study's name is made of letters, digits, dot, dash and underscore")
        names = [cohort.name for cohort in self.cohorts]
        if len(set(names)) != len(names):
            raise ValueError("two cohorts have one name")
        if not self.analyses:
            raise ValueError("a study has at least one analysis")
        if any(name not in names for analysis in self.analyses for name in cohorts_used(analysis)):
            raise ValueError("an analysis reads cohorts of the study")
        if any(name not in names for cohort in self.cohorts for name in sources_of(cohort)):
            raise ValueError("a derived cohort is made of cohorts of the study")
        if circular({cohort.name: sources_of(cohort) for cohort in self.cohorts}):
            raise ValueError("no cohort is made of itself")
