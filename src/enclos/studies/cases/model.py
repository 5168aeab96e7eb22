"""What the designs around cases ask."""

from __future__ import annotations

from dataclasses import dataclass

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.model import MAX_DAYS, CohortAnalysis, DayWindow

MAX_CONTROLS = 100
MAX_SEED = 2**63 - 1
MAX_CALIPER_YEARS = 150
_MONTH_AFTER, _MONTH_BEFORE = DayWindow(1, 30), DayWindow(-30, -1)
_MONTH_TO, _THE_DAY = DayWindow(-30, 0), DayWindow(0, 0)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the diagnostics must reach before a ratio is shown; None: not judged.

    Source: SelfControlledCohort 2 and SelfControlledCaseSeries 6, the defaults of their thresholds.
    """

    mdrr: float | None = 10.0
    """The largest minimum detectable ratio."""
    ease: float | None = 0.25
    """The largest expected absolute systematic error over the negative controls."""
    left_out: float | None = None
    """The least share of controls whose interval, calibrated by all others, holds none."""


def _check_names(exposures: tuple[str, ...], outcomes: tuple[str, ...], controls: tuple[str, ...]) -> None:
    if not all(values and len(set(values)) == len(values) for values in (exposures, outcomes)):
        raise ValueError("a design has at least one exposure and one outcome, each once")
    if set(exposures) & set(outcomes):
        raise ValueError("an exposure is not its own outcome")
    if len(set(controls)) != len(controls) or {*exposures, *outcomes} & set(controls):
        raise ValueError("a negative control is neither exposure nor outcome, each once")


def _check_positive(asked: PositiveControls | None, negative: tuple[str, ...]) -> None:
    if asked is not None and not negative:
        raise ValueError("positive controls are made of negative controls")


def _check_window(window: DayWindow) -> None:
    if window.from_day is None or window.to_day is None:
        raise ValueError("the window has both ends")


def _check_days(*days: int) -> None:
    if not all(0 <= each <= MAX_DAYS for each in days):
        raise ValueError("days are between 0 and 99 999")


@dataclass(frozen=True, slots=True)
class SelfControlledCohort(CohortAnalysis):
    """The rate of each outcome after an exposure begins against that before, of the same persons."""

    exposures: tuple[str, ...]
    outcomes: tuple[str, ...]
    risk_window: DayWindow = _MONTH_AFTER
    """Days from the first day of an exposure."""
    control_window: DayWindow = _MONTH_BEFORE
    add_exposure_days: bool = True
    """Whether both windows are longer by the length of the exposure."""
    first_exposure_only: bool = True
    first_outcome_only: bool = True
    full_windows: bool = False
    """Whether exposures are left out unless all days of both windows are observed."""
    days_prior_observation: int = 0
    follow_up_days: int = 0
    """Days that must be observed after an exposure begins."""
    negative_controls: tuple[str, ...] = ()
    """Outcomes that no exposure changes."""
    positive_controls: PositiveControls | None = None
    """Made of the negative ones, by adding outcomes while exposed."""
    thresholds: Thresholds = Thresholds()
    show_failed: bool = False
    """Whether ratios are shown although a diagnostic fails."""

    def __post_init__(self) -> None:
        _check_names(self.exposures, self.outcomes, self.negative_controls)
        _check_positive(self.positive_controls, self.negative_controls)
        _check_window(self.risk_window)
        _check_window(self.control_window)
        _check_days(self.days_prior_observation, self.follow_up_days)
        if (self.control_window.to_day or 0) >= (self.risk_window.from_day or 0):
            raise ValueError("the control window ends before the risk window")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        return (*self.exposures, *self.outcomes, *self.negative_controls)


@dataclass(frozen=True, slots=True)
class CaseCrossover(CohortAnalysis):
    """Exposure just before an outcome against exposure of the same person at earlier times."""

    exposures: tuple[str, ...]
    """In one model, so that each is adjusted for the others."""
    outcomes: tuple[str, ...]
    risk_window: DayWindow = _MONTH_TO
    """Days around the outcome."""
    control_offsets: tuple[int, ...] = (-60,)
    """How many days before the risk window each control window lies, as numbers below zero."""
    first_outcome_only: bool = True
    days_prior_observation: int = 180
    negative_controls: tuple[str, ...] = ()
    """Outcomes that no exposure changes."""
    positive_controls: PositiveControls | None = None
    """Made of the negative ones, by adding outcomes while exposed."""
    thresholds: Thresholds = Thresholds()
    show_failed: bool = False
    """Whether ratios are shown although a diagnostic fails."""

    def __post_init__(self) -> None:
        _check_names(self.exposures, self.outcomes, self.negative_controls)
        _check_positive(self.positive_controls, self.negative_controls)
        _check_window(self.risk_window)
        _check_days(self.days_prior_observation)
        offsets = self.control_offsets
        if not offsets or len(set(offsets)) != len(offsets) or not all(-MAX_DAYS <= each < 0 for each in offsets):
            raise ValueError("control windows lie before the risk window, each at another place")
        first, last = self.risk_window.from_day or 0, self.risk_window.to_day or 0
        if last > 0:
            raise ValueError("the risk window ends with the outcome")
        if any(-offset <= last - first for offset in offsets):
            raise ValueError("no control window overlaps the risk window")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        return (*self.exposures, *self.outcomes, *self.negative_controls)


@dataclass(frozen=True, slots=True)
class Matching:
    """Whom a case is compared with: persons still at risk on its day, alike in what is asked, drawn by seed."""

    n_controls: int = 4
    seed: int = 0
    sex: bool = True
    age_caliper_years: int | None = 2
    """Largest difference of birth; None: persons of any age."""
    entry_caliper_days: int | None = None
    """Largest difference of the days on which observation (or the cohort nested in) began; None: any."""

    def __post_init__(self) -> None:
        if not 1 <= self.n_controls <= MAX_CONTROLS or not 0 <= self.seed <= MAX_SEED:
            raise ValueError("a case has 1 to 100 controls, drawn by a seed that is not negative")
        if self.age_caliper_years is not None and not 0 <= self.age_caliper_years <= MAX_CALIPER_YEARS:
            raise ValueError("an age caliper is between 0 and 150 years")
        if self.entry_caliper_days is not None:
            _check_days(self.entry_caliper_days)


@dataclass(frozen=True, slots=True)
class CaseControl(CohortAnalysis):
    """Exposure of cases against that of persons who had not had the outcome on the same day."""

    exposures: tuple[str, ...]
    """In one model, so that each is adjusted for the others."""
    outcomes: tuple[str, ...]
    within: str | None = None
    """The cohort that cases and controls are nested in; None: all who are observed."""
    risk_window: DayWindow = _THE_DAY
    """Days around the outcome."""
    first_outcome_only: bool = True
    days_prior_observation: int = 180
    matching: Matching = Matching()
    negative_controls: tuple[str, ...] = ()
    """Outcomes that no exposure changes."""
    positive_controls: PositiveControls | None = None
    """Made of the negative ones, by adding outcomes while exposed."""
    thresholds: Thresholds = Thresholds()
    show_failed: bool = False
    """Whether ratios are shown although a diagnostic fails."""

    def __post_init__(self) -> None:
        _check_names(self.exposures, self.outcomes, self.negative_controls)
        _check_positive(self.positive_controls, self.negative_controls)
        _check_window(self.risk_window)
        _check_days(self.days_prior_observation)
        if (self.risk_window.to_day or 0) > 0:
            raise ValueError("the risk window ends with the outcome")
        if self.within is not None and self.within in (*self.outcomes, *self.negative_controls):
            raise ValueError("cases are not nested in their own outcome")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        names = (*self.exposures, *self.outcomes, *self.negative_controls)
        return names if self.within is None or self.within in names else (*names, self.within)
