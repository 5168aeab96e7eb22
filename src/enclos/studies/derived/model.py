"""The operations that make a cohort of other cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from enclos.studies.model import MAX_DAYS, AgeGroup, DateRange, DayWindow, Operation, Sex

ANY_DAY = DateRange()


@dataclass(frozen=True, slots=True)
class Union(Operation):
    """The entries of all the cohorts; those that share a day become one."""

    cohorts: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_several(self.cohorts)

    @property
    def sources(self) -> tuple[str, ...]:
        return self.cohorts


@dataclass(frozen=True, slots=True)
class Intersection(Operation):
    """The days that entries of all the cohorts share."""

    cohorts: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_several(self.cohorts)

    @property
    def sources(self) -> tuple[str, ...]:
        return self.cohorts


@dataclass(frozen=True, slots=True)
class First(Operation):
    """Each person's first entry."""

    cohort: str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.cohort,)


@dataclass(frozen=True, slots=True)
class Near(Operation):
    """The entries around whose first day the person is in another cohort, or those around which the person is not."""

    cohort: str
    other: str
    window: DayWindow
    present: bool

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.cohort, self.other)))


@dataclass(frozen=True, slots=True)
class Require(Operation):
    """The entries on whose first day the person meets every requirement; None asks for nothing."""

    cohort: str
    ages: AgeGroup | None = None
    sex: Sex = Sex.BOTH
    n_days_prior_observation: int = 0
    date_range: DateRange = ANY_DAY
    n_days_future_observation: int = 0

    def __post_init__(self) -> None:
        if not all(0 <= days <= MAX_DAYS for days in (self.n_days_prior_observation, self.n_days_future_observation)):
            raise ValueError("days of observation are between 0 and 99 999")

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.cohort,)


@dataclass(frozen=True, slots=True)
class Collapse(Operation):
    """Entries of one observation period with at most so many days from the end of one to the next are one."""

    cohort: str
    gap_days: int

    def __post_init__(self) -> None:
        if not 0 <= self.gap_days <= MAX_DAYS:
            raise ValueError("a gap is between 0 and 99 999 days")

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.cohort,)


MAX_SEED = 2**31 - 1
MAX_SAMPLE = 10**9
MAX_RATIO = 100


@dataclass(frozen=True, slots=True)
class Sample(Operation):
    """All entries of a share of the persons, or of a number of them, drawn by a hash of the seed and the person's
    number in the permit.
    """

    cohort: str
    share: float | None
    seed: int
    n_persons: int | None = None
    """The persons with the lowest hashes; all of them where there are fewer."""

    def __post_init__(self) -> None:
        if (self.share is None) == (self.n_persons is None):
            raise ValueError("a sample is a share or a number of persons")
        if self.share is not None and not 0 < self.share < 1:
            raise ValueError("a share lies between 0 and 1")
        if self.n_persons is not None and not 1 <= self.n_persons <= MAX_SAMPLE:
            raise ValueError("a sample has from one to a thousand million persons")
        _check_seed(self.seed)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.cohort,)

    @property
    def is_drawn(self) -> bool:
        return self.n_persons is not None


class Trait(Enum):
    """What two persons have in common to be a match."""

    SEX = "sex"
    YEAR_OF_BIRTH = "year_of_birth"
    DEPARTMENT = "department"
    """Where they live, as LOCATION.county says."""


class Side(Enum):
    """Which persons of a matching make the cohort."""

    CONTROLS = "controls"
    CASES = "cases"


@dataclass(frozen=True, slots=True)
class Match(Operation):
    """Persons who never enter the cohort, alike in the traits and observed on the day of an entry, so many for each
    entry and each person once; or the entries that have one.
    """

    cohort: str
    seed: int
    ratio: int = 1
    traits: tuple[Trait, ...] = (Trait.SEX, Trait.YEAR_OF_BIRTH)
    keep: Side = Side.CONTROLS

    def __post_init__(self) -> None:
        if not 1 <= self.ratio <= MAX_RATIO:
            raise ValueError("there are from one to a hundred matches for an entry")
        if not self.traits or len(set(self.traits)) != len(self.traits):
            raise ValueError("a match has at least one trait, each once")
        _check_seed(self.seed)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.cohort,)

    @property
    def is_drawn(self) -> bool:
        return True


def entries_from(operation: Operation) -> tuple[str, ...]:
    """The cohorts whose entries, or parts of them, a derived cohort has: none of one of controls."""
    if isinstance(operation, Match) and operation.keep is Side.CONTROLS:
        return ()
    return (operation.cohort,) if isinstance(operation, Near) else operation.sources


def _check_several(cohorts: tuple[str, ...]) -> None:
    if len(cohorts) < 2 or len(set(cohorts)) != len(cohorts):
        raise ValueError("two cohorts or more are put together, each once")


def _check_seed(seed: int) -> None:
    if not 0 <= seed <= MAX_SEED:
        raise ValueError("a seed is a non-negative 32-bit integer")
