"""What a survival analysis asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from enclos.studies.model import MAX_DAYS, AgeGroup, CohortAnalysis, Stratum, check_age_groups

Strata: TypeAlias = tuple[Stratum, ...]
"""One way of cutting the persons; empty: all together."""


@dataclass(frozen=True, slots=True)
class Washout:
    """Time without an event before entry; None is all time before."""

    n_days: int | None = None

    def __post_init__(self) -> None:
        if self.n_days is not None and not 0 <= self.n_days <= MAX_DAYS:
            raise ValueError("washout days are between 0 and 99 999, or all")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """When following a person ends, the end of observation apart; None is no such end."""

    n_days: int | None = None
    on_cohort_exit: bool = False
    on_date: date | None = None
    minimum_days: int = 1
    """Whoever has an outcome, or is lost, before so many days is left out."""

    def __post_init__(self) -> None:
        if self.n_days is not None and not 1 <= self.n_days <= MAX_DAYS:
            raise ValueError("days of follow-up are between 1 and 99 999")
        if not 0 <= self.minimum_days <= MAX_DAYS:
            raise ValueError("minimum survival days are between 0 and 99 999")
        if self.n_days is not None and self.minimum_days > self.n_days:
            raise ValueError("nobody survives longer than followed")


@dataclass(frozen=True, slots=True)
class Shown:
    """Which days of follow-up are shown, and to which day the restricted mean is taken (None: the last)."""

    estimate_gap_days: int = 1
    event_gap_days: int = 30
    restricted_mean_days: int | None = None

    def __post_init__(self) -> None:
        restricted = () if self.restricted_mean_days is None else (self.restricted_mean_days,)
        if not all(1 <= days <= MAX_DAYS for days in (self.estimate_gap_days, self.event_gap_days, *restricted)):
            raise ValueError("gaps and the days of a restricted mean are between 1 and 99 999")


@dataclass(frozen=True, slots=True)
class Survival(CohortAnalysis):
    """The share of entries into each target cohort that have not had each outcome, by days since entry.

    With a competing outcome: the share that have had each of the two first.
    """

    targets: tuple[str, ...]
    outcomes: tuple[str, ...]
    competing_outcome: str | None = None
    washout: Washout = Washout()
    competing_washout: Washout = Washout()
    follow_up: FollowUp = FollowUp()
    shown: Shown = Shown()
    age_groups: tuple[AgeGroup, ...] = ()
    strata: tuple[Strata, ...] = ()
    outcome_at_end: bool = False
    """Whether the outcome is on the last day of an entry into its cohort rather than on the first."""

    def __post_init__(self) -> None:
        lists: tuple[tuple[object, ...], ...] = (self.targets, self.outcomes)
        if not all(values and len(set(values)) == len(values) for values in lists):
            raise ValueError("a survival has at least one target and one outcome, each once")
        if self.competing_outcome in self.outcomes:
            raise ValueError("an outcome does not compete with itself")
        if self.competing_outcome in self.targets:
            raise ValueError("a target is nothing that competes: who enters it has it that day")
        if not self.outcome_at_end and set(self.targets) & set(self.outcomes):
            raise ValueError("a target is its own outcome at its end alone")
        check_age_groups(self.age_groups, [name for names in self.strata for name in names])
        if not all(strata and len(set(strata)) == len(strata) for strata in self.strata):
            raise ValueError("a stratification names at least one variable, each once")
        if len(set(self.strata)) != len(self.strata):
            raise ValueError("a stratification is asked for once")
        if any(Stratum.AGE_GROUP in strata for strata in self.strata) != bool(self.age_groups):
            raise ValueError("age groups are given when and only when they stratify")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        competing = () if self.competing_outcome is None else (self.competing_outcome,)
        return tuple(dict.fromkeys((*self.targets, *self.outcomes, *competing)))
