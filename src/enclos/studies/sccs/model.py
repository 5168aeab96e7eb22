"""What a self-controlled case series asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.model import MAX_DAYS, AgeGroup, CohortAnalysis, DateRange, is_cohort_name

MAX_KNOTS = 50
PRE_EXPOSURE = "pre_exposure"
"""The window before an exposure starts, in which the outcome says that exposures depend on it."""
END_OF_OBSERVATION = "end_of_observation"
"""The last days of a person's time, in which the outcome says that observation ends because of it."""
_ALL_DATES = DateRange()
RESERVED = frozenset({PRE_EXPOSURE, END_OF_OBSERVATION})


class Anchor(Enum):
    """The day of an exposure that a window counts from."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Window:
    """Days of each exposure in which the rate may differ, both ends included.

    A window never reaches the next exposure to the same cohort, which has its own.
    """

    name: str
    from_day: int = 0
    from_anchor: Anchor = Anchor.START
    to_day: int = 0
    to_anchor: Anchor = Anchor.END
    first_only: bool = False
    """Whether only a person's first exposure has it."""

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a window's name is snake case")
        if abs(self.from_day) > MAX_DAYS or abs(self.to_day) > MAX_DAYS:
            raise ValueError("a window's days are at most 99 999 from its anchor")
        if self.from_anchor is self.to_anchor and self.to_day < self.from_day:
            raise ValueError("a window runs from its first to its last day")


@dataclass(frozen=True, slots=True)
class Time:
    """What else of time changes the rate: splines over age, the year's months and the calendar, by number of knots."""

    age_knots: int = 0
    season_knots: int = 0
    calendar_knots: int = 0
    """Zero leaves the spline out."""

    def __post_init__(self) -> None:
        knots = (self.age_knots, self.season_knots, self.calendar_knots)
        if not all(each == 0 or 3 <= each <= MAX_KNOTS for each in knots):
            raise ValueError("a spline has from 3 to 50 knots, or there is none")

    @property
    def any(self) -> bool:
        """Whether there is a spline."""
        return bool(self.age_knots or self.season_knots or self.calendar_knots)


@dataclass(frozen=True, slots=True)
class Cases:
    """Which time of which persons counts: that of observation periods with the outcome."""

    first_outcome_only: bool = False
    """Whether only the first outcome of an observation period counts."""
    naive_days: int = 0
    """Days at the start of an observation period that are left out, outcomes on them too."""
    ages: AgeGroup | None = None
    dates: DateRange = _ALL_DATES

    def __post_init__(self) -> None:
        if not 0 <= self.naive_days <= MAX_DAYS:
            raise ValueError("naive days are between 0 and 99 999")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the diagnostics must reach before a ratio is shown; None: not judged.

    Source: SelfControlledCaseSeries 6.1.4, createSccsDiagnosticThresholds: its defaults; ``left_out`` is ours.
    """

    rare_outcome: float | None = 0.1
    """The largest share of persons with the outcome, where only the first counts."""
    pre_exposure: tuple[float, float] | None = (0.8, 1.25)
    """Bounds that the interval of the window before an exposure must touch."""
    end_of_observation: tuple[float, float] | None = (0.5, 2.0)
    """Bounds that the interval of the window at the end of observation must touch."""
    time_stability: float | None = 1.1
    """The largest mean ratio of outcomes by month to those expected that the data may speak for."""
    mdrr: float | None = 10.0
    """The largest minimum detectable rate ratio."""
    ease: float | None = 0.25
    """The largest expected absolute systematic error over the negative controls."""
    left_out: float | None = None
    """The least share of controls whose interval, calibrated by all others, holds their true effect."""


@dataclass(frozen=True, slots=True)
class Sccs(CohortAnalysis):
    """The rate of each outcome in windows around exposures against the rest of the same person's time."""

    exposures: tuple[str, ...]
    """In one model, so that each is adjusted for the others."""
    outcomes: tuple[str, ...]
    windows: tuple[Window, ...] = (Window("exposed"),)
    cases: Cases = Cases()
    time: Time = Time()
    pre_exposure_days: int = 30
    """Length of the window before each exposure; zero leaves it out."""
    end_of_observation_days: int = 30
    """Length of the window at the end of a person's time; zero leaves it out."""
    show_failed: bool = False
    """Whether estimates are shown although a diagnostic fails."""
    thresholds: Thresholds = Thresholds()
    negative_controls: tuple[str, ...] = ()
    """Outcomes that no exposure changes."""
    positive_controls: PositiveControls | None = None
    """Made of the negative ones; None: none."""
    weigh_observation: bool = False
    """Whether time is weighed by how observation ends after an outcome."""

    def __post_init__(self) -> None:
        names = tuple(each.name for each in self.windows)
        lists: tuple[tuple[object, ...], ...] = (self.exposures, self.outcomes, names)
        if not all(values and len(set(values)) == len(values) for values in lists):
            raise ValueError("a case series has at least one exposure, one outcome and one window, each once")
        if set(self.exposures) & set(self.outcomes):
            raise ValueError("an exposure is not its own outcome")
        if self.weigh_observation and not self.cases.first_outcome_only:
            raise ValueError("time is weighed by how observation ends after the first outcome")
        controls = set(self.negative_controls)
        if len(controls) != len(self.negative_controls) or controls & {*self.exposures, *self.outcomes}:
            raise ValueError("a negative control is neither exposure nor outcome, each once")
        if self.positive_controls is not None and not controls:
            raise ValueError("positive controls are made of negative controls")
        if RESERVED & set(names):
            raise ValueError("windows before an exposure and at the end of observation have options of their own")
        if not all(0 <= days <= MAX_DAYS for days in (self.pre_exposure_days, self.end_of_observation_days)):
            raise ValueError("days before an exposure and at the end of observation are between 0 and 99 999")

    @property
    def all_windows(self) -> tuple[Window, ...]:
        """The windows of each exposure, that before it last."""
        if not self.pre_exposure_days:
            return self.windows
        return (*self.windows, Window(PRE_EXPOSURE, -self.pre_exposure_days, Anchor.START, -1, Anchor.START))

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        return (*self.exposures, *self.outcomes, *self.negative_controls)
