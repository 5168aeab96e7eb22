"""What a study of the use of drugs asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from enclos.studies.model import (
    MAX_CONCEPT_ID,
    MAX_DAYS,
    AgeGroup,
    CohortAnalysis,
    DayWindow,
    Domain,
    Stratum,
    check_age_groups,
)

MAX_INDICATIONS = 8
"""Every combination of indications is told, and they double with each one."""
MAX_TREATMENTS = 60
"""Treatments that are told each on its own."""


class Until(Enum):
    """The last day on which exposures count for an entry."""

    COHORT_END = "cohort_end"
    OBSERVATION_END = "observation_end"


@dataclass(frozen=True, slots=True)
class Indications:
    """Cohorts that can be the reason of an entry, looked for in windows around its first day.

    An entry with none of them is ``unknown`` when a table of ``unknown`` has any record that starts in the window.
    """

    cohorts: tuple[str, ...]
    windows: tuple[DayWindow, ...]
    unknown: tuple[Domain, ...] = ()

    def __post_init__(self) -> None:
        _check_around(self.cohorts, self.windows, MAX_INDICATIONS)
        if len(set(self.unknown)) != len(self.unknown):
            raise ValueError("a table is given once")


@dataclass(frozen=True, slots=True)
class Treatments:
    """Cohorts of treatments, looked for in windows around the first day of each entry.

    Each is told on its own, so that an entry can have several, or as combinations that exclude each other.
    """

    cohorts: tuple[str, ...]
    windows: tuple[DayWindow, ...]
    exclusive: bool = False

    def __post_init__(self) -> None:
        _check_around(self.cohorts, self.windows, MAX_INDICATIONS if self.exclusive else MAX_TREATMENTS)


def _check_around(cohorts: tuple[str, ...], windows: tuple[DayWindow, ...], at_most: int) -> None:
    lists: tuple[tuple[object, ...], ...] = (cohorts, windows)
    if any(not values or len(set(values)) != len(values) for values in lists):
        raise ValueError("there are at least one cohort and window around an entry, each once")
    if len(cohorts) > at_most:
        raise ValueError(f"there are at most {at_most} cohorts around an entry")


@dataclass(frozen=True, slots=True)
class Restart:
    """What happens after a treatment ends, within days of follow-up; None is to the end of observation."""

    switch: tuple[str, ...]
    days: tuple[int | None, ...] = (None,)
    incident: bool = True
    """Whether a switch has to start on or after the last day of the treatment."""
    first_only: bool = True
    """Whether only the end of a person's first treatment counts."""

    def __post_init__(self) -> None:
        lists: tuple[tuple[object, ...], ...] = (self.switch, self.days)
        if any(not values or len(set(values)) != len(values) for values in lists):
            raise ValueError("a restart has at least one cohort to switch to and one follow-up, each once")
        if any(each is not None and not 0 <= each <= MAX_DAYS for each in self.days):
            raise ValueError("days of follow-up are between 0 and 99 999, or all")


@dataclass(frozen=True, slots=True)
class Adherence:
    """For how much of the days followed from the first day of an entry a drug was at hand.

    Following lasts ``days``, the first day of the entry among them, or until observation ends.
    """

    days: int = 365
    threshold: float = 0.8
    """The least proportion of days covered with which a person is adherent."""

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MAX_DAYS:
            raise ValueError("adherence is followed for 1 to 99 999 days")
        if not 0 < self.threshold <= 1:
            raise ValueError("the least proportion of days covered is above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class Utilisation(CohortAnalysis):
    """The use of drugs during each entry into some cohorts, and what surrounds it.

    ``exposures`` are cohorts of drugs: their concepts are the exposures that count, lasting by their duration rule.
    """

    cohorts: tuple[str, ...]
    exposures: tuple[str, ...]
    gap_era_days: int = 30
    ingredient: int | None = None
    until: Until = Until.COHORT_END
    incident: bool = True
    indications: Indications | None = None
    covered_days: int | None = None
    restart: Restart | None = None
    strata: tuple[Stratum, ...] = ()
    age_groups: tuple[AgeGroup, ...] = ()
    treatments: Treatments | None = None
    dose_coverage: tuple[int, ...] = ()
    """Ingredients of which it is told for how many exposures, whoever has them, a daily dose is known."""
    adherence: Adherence | None = None

    def __post_init__(self) -> None:
        check_age_groups(self.age_groups, self.strata)
        if len(set(self.strata)) != len(self.strata):
            raise ValueError("a stratum is given once")
        lists: tuple[tuple[object, ...], ...] = (self.cohorts, self.exposures)
        if any(not values or len(set(values)) != len(values) for values in lists):
            raise ValueError("a utilisation has at least one cohort and one exposure, each once")
        if not 0 <= self.gap_era_days <= MAX_DAYS:
            raise ValueError("a gap is between 0 and 99 999 days")
        if self.ingredient is not None and not 0 < self.ingredient <= MAX_CONCEPT_ID:
            raise ValueError("a concept id is a positive 32-bit integer")
        coverage = self.dose_coverage
        if len(set(coverage)) != len(coverage) or not all(0 < each <= MAX_CONCEPT_ID for each in coverage):
            raise ValueError("an ingredient whose doses are told is a positive 32-bit integer, each once")
        if self.covered_days is not None and not 1 <= self.covered_days <= MAX_DAYS:
            raise ValueError("covered days are between 1 and 99 999")
        if self.restart is not None and set(self.restart.switch) & set(self.cohorts):
            raise ValueError("a switch is to a cohort that is not followed itself")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        around = [each.cohorts for each in (self.indications, self.treatments) if each is not None]
        reasons = tuple(name for names in around for name in names)
        switches = () if self.restart is None else self.restart.switch
        return tuple(dict.fromkeys((*self.cohorts, *self.exposures, *reasons, *switches)))
