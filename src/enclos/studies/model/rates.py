"""Rates and shares of a population, by intervals of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from enclos.studies.model.cohorts import MAX_DAYS
from enclos.studies.model.populations import Population, Stratum
from enclos.studies.standard.model import Standard


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


class Level(Enum):
    """What a period prevalence counts."""

    PERSON = "person"
    RECORD = "record"
    """Stays: of a person who is present twice in an interval, each time counts."""


@dataclass(frozen=True, slots=True)
class PeriodPrevalence:
    """The share of persons (or stays) present in an interval who have the outcome while present in it."""

    outcomes: tuple[str, ...]
    population: Population
    intervals: tuple[Interval, ...] = (Interval.YEARS,)
    full_contribution: bool = False
    complete_intervals: bool = True
    level: Level = Level.PERSON

    def __post_init__(self) -> None:
        _check_analysis(self.outcomes, self.intervals)


Prevalence: TypeAlias = PointPrevalence | PeriodPrevalence
Rate: TypeAlias = Incidence | PointPrevalence | PeriodPrevalence
"""Estimates about a population."""


def _check_analysis(outcomes: tuple[str, ...], intervals: tuple[Interval, ...]) -> None:
    lists: tuple[tuple[object, ...], ...] = (outcomes, intervals)
    if not all(values and len(set(values)) == len(values) for values in lists):
        raise ValueError("an analysis has at least one outcome and one interval, each once")
