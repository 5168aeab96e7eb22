"""What an analysis of pathways asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from enclos.studies.model import MAX_DAYS, AgeGroup, CohortAnalysis

MAX_PATH_LENGTH = 20


class Keep(Enum):
    """Which treatments of a path are kept."""

    FIRST = "first"
    """Each treatment the first time."""
    CHANGES = "changes"
    """Each treatment that differs from the one before it."""
    ALL = "all"


class Stratum(Enum):
    """What persons are told apart by, as known on the index day."""

    AGE_GROUP = "age_group"
    SEX = "sex"
    DEPARTMENT = "department"
    INDEX_YEAR = "index_year"


@dataclass(frozen=True, slots=True)
class Steps:
    """How eras of treatments become a path."""

    min_era_days: int = 0
    """Eras whose last day is less days after their first are left out."""
    collapse_days: int = 30
    """Eras of one treatment with a gap of at most so many days are one."""
    combination_days: int = 30
    """Eras of two treatments that overlap at least so long are a combination; a shorter overlap is a switch."""
    min_part_days: int = 30
    """Parts that a combination leaves are dropped when shorter."""
    keep: Keep = Keep.FIRST
    max_length: int = 5

    def __post_init__(self) -> None:
        days = (self.min_era_days, self.collapse_days, self.combination_days, self.min_part_days)
        if not all(0 <= each <= MAX_DAYS for each in days):
            raise ValueError("days of a path are between 0 and 99 999")
        if not 1 <= self.max_length <= MAX_PATH_LENGTH:
            raise ValueError("a path has from 1 to 20 treatments")


@dataclass(frozen=True, slots=True)
class Pathways(CohortAnalysis):
    """The paths of treatments of the persons of a cohort from their first entry on."""

    targets: tuple[str, ...]
    treatments: tuple[str, ...]
    follow_up_days: int | None = None
    """Treatments that start so many days after the index day, within observation; None: within the target cohort."""
    steps: Steps = Steps()
    age_groups: tuple[AgeGroup, ...] = ()
    strata: tuple[Stratum, ...] = ()

    def __post_init__(self) -> None:
        lists: tuple[tuple[object, ...], ...] = (self.targets, self.treatments)
        if not all(values and len(set(values)) == len(values) for values in lists):
            raise ValueError("pathways have at least one target and one treatment, each once")
        if self.follow_up_days is not None and not 1 <= self.follow_up_days <= MAX_DAYS:
            raise ValueError("days of follow-up are between 1 and 99 999")
        if any(after.min_years <= before.max_years for before, after in pairwise(sorted(self.age_groups))):
            raise ValueError("age groups do not share an age")
        if len(set(self.strata)) != len(self.strata) or (Stratum.AGE_GROUP in self.strata) != bool(self.age_groups):
            raise ValueError("each stratum is asked for once; age groups are given when and only when they stratify")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        return tuple(dict.fromkeys((*self.targets, *self.treatments)))
