"""The operations that make a cohort of other cohorts."""

from __future__ import annotations

from dataclasses import dataclass

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

    def __post_init__(self) -> None:
        if not 0 <= self.n_days_prior_observation <= MAX_DAYS:
            raise ValueError("days of prior observation are between 0 and 99 999")

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


@dataclass(frozen=True, slots=True)
class Sample(Operation):
    """All entries of a share of the persons, chosen by a hash of the seed and the person's number in the permit."""

    cohort: str
    share: float
    seed: int

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or not 0 <= self.seed <= MAX_SEED:
            raise ValueError("a share lies between 0 and 1, a seed is a non-negative 32-bit integer")

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.cohort,)


def _check_several(cohorts: tuple[str, ...]) -> None:
    if len(cohorts) < 2 or len(set(cohorts)) != len(cohorts):
        raise ValueError("two cohorts or more are put together, each once")
