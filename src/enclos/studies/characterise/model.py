"""What a characterisation asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from enclos.studies.model import AgeGroup, CohortAnalysis, DayWindow, Domain, Stratum, check_age_groups, window_word

LARGE_SCALE, DIFFERENCES = "summarise_large_scale_characteristics", "summarise_standardised_differences"
"""Result types whose lines are named by features, concepts among them."""


class Shown(Enum):
    """What is shown of the stretches of another cohort in a window."""

    FLAG = "flag"
    """Whether there is any."""
    COUNT = "count"
    """How many."""
    DAYS = "days"
    """From the index day to the first of them."""
    DATE = "date"
    """The first day of the first of them."""


class Entries(Enum):
    """Which of a person's entries into a cohort are timed."""

    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Intersection:
    """Other cohorts of the study, looked for in a window around the index day."""

    cohorts: tuple[str, ...]
    window: DayWindow
    shown: Shown = Shown.FLAG
    label: str | None = None

    def __post_init__(self) -> None:
        if not self.cohorts or len(set(self.cohorts)) != len(self.cohorts):
            raise ValueError("an intersection has at least one cohort, each once")

    @property
    def variable(self) -> str:
        """The variable's name in results."""
        return variable_of(self.label, self.shown, self.window.from_day, self.window.to_day)


@dataclass(frozen=True, slots=True)
class LargeScale:
    """Every concept of some tables, in windows around the index day.

    An event is in a window that its first day is in; an episode in every window that it shares a day with.
    """

    windows: tuple[DayWindow, ...]
    events: tuple[Domain, ...] = ()
    episodes: tuple[Domain, ...] = ()
    minimum_frequency: float = 0.005

    def __post_init__(self) -> None:
        lists: tuple[tuple[object, ...], ...] = (self.windows, self.events, self.episodes)
        if not self.windows or not (self.events or self.episodes):
            raise ValueError("a large-scale characterisation has at least one window and one table")
        if any(len(set(values)) != len(values) for values in lists) or not 0 <= self.minimum_frequency <= 1:
            raise ValueError("each window and table is given once; a frequency is between 0 and 1")


@dataclass(frozen=True, slots=True)
class Characterisation(CohortAnalysis):
    """Who the persons of some cohorts are on the day they enter, and what happens around it."""

    cohorts: tuple[str, ...]
    age_groups: tuple[AgeGroup, ...] = ()
    strata: tuple[Stratum, ...] = ()
    intersections: tuple[Intersection, ...] = ()
    large_scale: LargeScale | None = None
    overlap: bool = False
    timing: Entries | None = None
    differences: bool = False

    def __post_init__(self) -> None:
        lists: tuple[tuple[object, ...], ...] = (self.cohorts, self.age_groups, self.strata)
        if not self.cohorts or any(len(set(values)) != len(values) for values in lists):
            raise ValueError("a characterisation has at least one cohort; each cohort, age group and stratum once")
        check_age_groups(self.age_groups, self.strata)
        if len(self.cohorts) < 2 and (self.overlap or self.timing or self.differences):
            raise ValueError("comparing cohorts needs two of them")
        variables = [(each.variable, name) for each in self.intersections for name in each.cohorts]
        if len(set(variables)) != len(variables):
            raise ValueError("two intersections have one name")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        others = (name for each in self.intersections for name in each.cohorts)
        return tuple(dict.fromkeys((*self.cohorts, *others)))


def in_sentence_case(name: str) -> str:
    """A name as results show it: first letter large, no underscores."""
    return name.replace("_", " ").capitalize()


def variable_of(label: str | None, shown: Shown, from_day: int | None, to_day: int | None) -> str:
    """The variable's name of an intersection."""
    return in_sentence_case(label or f"cohort_{shown.value}_{window_word(from_day, to_day)}")
