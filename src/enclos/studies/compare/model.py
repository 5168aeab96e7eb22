"""What a comparison asks, in values that cannot be nonsense."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.model import MAX_DAYS, AgeGroup, CohortAnalysis, DateRange, Sex, is_cohort_name

MAX_RATIO = 100
ALL_AGES = AgeGroup(0, 150)
ALL_DATES = DateRange()


class Duplicates(Enum):
    """What becomes of persons who enter both cohorts."""

    KEEP_ALL = "keep_all"
    KEEP_FIRST = "keep_first"
    """The cohort entered first; persons who enter both on one day are left out."""
    KEEP_FIRST_TRUNCATE = "keep_first_truncate"
    """As keep first, and following ends the day before the other cohort is entered."""
    REMOVE_ALL = "remove_all"


class Following(Enum):
    """How long an entry is followed."""

    INTENTION_TO_TREAT = "intention_to_treat"
    """To the end of the observation period, whatever becomes of the treatment."""
    ON_TREATMENT = "on_treatment"
    """To the end of the cohort's stretch, and the days of grace after it."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The days after entry on which an outcome counts."""

    kind: Following = Following.INTENTION_TO_TREAT
    from_day: int = 0
    """The first day that counts; 0 is the day of entry."""
    grace_days: int = 0
    longest_days: int | None = None
    """The last day that counts, whatever else; None: no other end."""
    min_days: int = 1
    """Entries at risk for fewer days are left out."""
    censor_at_switch: bool = False
    """Whether following ends the day before the person enters the other cohort."""

    def __post_init__(self) -> None:
        given = (self.from_day, self.grace_days, self.min_days, self.longest_days or 0)
        if not all(0 <= days <= MAX_DAYS for days in given):
            raise ValueError("days of following are between 0 and 99 999")
        if self.longest_days is not None and self.longest_days < self.from_day:
            raise ValueError("following ends after it begins")


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Which entries into the two cohorts are compared."""

    days_prior_observation: int = 365
    first_exposure: bool = True
    duplicates: Duplicates = Duplicates.KEEP_FIRST
    common_period: bool = False
    """Whether only entries between the later first and the earlier last entry of both cohorts are compared."""
    date_range: DateRange = ALL_DATES
    ages: AgeGroup = ALL_AGES
    sex: Sex = Sex.BOTH
    outcome_washout_days: int | None = None
    """Days before following begins that must be free of the outcome; None: all time; 0: none."""

    def __post_init__(self) -> None:
        given = (self.days_prior_observation, self.outcome_washout_days or 0)
        if not all(0 <= days <= MAX_DAYS for days in given):
            raise ValueError("days before entry are between 0 and 99 999")


class Source(Enum):
    """Where covariates are made from."""

    DEMOGRAPHICS = "demographics"
    CONDITION = "condition"
    DRUG = "drug"
    PROCEDURE = "procedure"
    DEVICE = "device"
    MEASUREMENT = "measurement"
    OBSERVATION = "observation"
    COUNTS = "counts"


class Lookback(Enum):
    """Days before and on the day of entry that covariates look at."""

    ANY_TIME = "any_time"
    LONG_TERM = "long_term"
    MEDIUM_TERM = "medium_term"
    SHORT_TERM = "short_term"

    @property
    def n_days(self) -> int | None:
        """Days before entry; None for all. Source: FeatureExtraction 3, the default windows, which end on day 0."""
        return {Lookback.LONG_TERM: 365, Lookback.MEDIUM_TERM: 180, Lookback.SHORT_TERM: 30}.get(self)


@dataclass(frozen=True, slots=True)
class Covariates:
    """What the score is made of."""

    sources: tuple[Source, ...] = tuple(Source)
    lookbacks: tuple[Lookback, ...] = tuple(Lookback)
    excluded: tuple[int, ...] = ()
    """Concepts whose records, and those of their descendants, are no covariates; the exposures' own never are."""
    min_fraction: float = 0.001
    """The share of persons below which a covariate is left out of the score."""

    def __post_init__(self) -> None:
        if not self.sources or not self.lookbacks or not 0 <= self.min_fraction < 1:
            raise ValueError("covariates have sources, windows and a least share below 1")


class PriorKind(Enum):
    """What keeps the coefficients of the score small."""

    LAPLACE = "laplace"
    NORMAL = "normal"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Propensity:
    """How the score is fitted."""

    prior: PriorKind = PriorKind.LAPLACE
    variance: float | None = None
    """The prior's variance; None: chosen by cross-validation."""
    folds: int = 10
    seed: int = 1

    def __post_init__(self) -> None:
        if (self.variance is not None and self.variance <= 0) or not 2 <= self.folds <= 100 or self.seed < 0:
            raise ValueError("a prior has a positive variance, and cross-validation from 2 to 100 folds")


@dataclass(frozen=True, slots=True)
class TrimFraction:
    """Leave out this share of each cohort, where the other cohort has hardly anybody."""

    fraction: float

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise ValueError("a share lies between 0 and 1")


@dataclass(frozen=True, slots=True)
class TrimPreference:
    """Keep entries whose preference score lies within bounds."""

    lower: float = 0.3
    upper: float = 0.7

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper <= 1:
            raise ValueError("bounds of the preference score lie between 0 and 1, the lower first")


Trim: TypeAlias = TrimFraction | TrimPreference


class Scale(Enum):
    """What a caliper is measured in."""

    PROPENSITY = "propensity"
    STANDARDISED = "standardised"
    STANDARDISED_LOGIT = "standardised_logit"


@dataclass(frozen=True, slots=True)
class Match:
    """Sets of one entry of the target and its nearest of the comparator."""

    ratio: int = 1
    """The most comparators in a set."""
    fixed: bool = False
    """Whether sets with fewer are left out."""
    caliper: float = 0.2
    scale: Scale = Scale.STANDARDISED_LOGIT

    def __post_init__(self) -> None:
        if not 1 <= self.ratio <= MAX_RATIO or self.caliper < 0:
            raise ValueError("a set has from 1 to 100 comparators, and a caliper is not negative")


class Base(Enum):
    """Whose scores the strata divide evenly."""

    ALL = "all"
    TARGET = "target"
    COMPARATOR = "comparator"


@dataclass(frozen=True, slots=True)
class Stratify:
    """Strata of like scores."""

    n_strata: int = 5
    base: Base = Base.ALL

    def __post_init__(self) -> None:
        if not 2 <= self.n_strata <= MAX_RATIO:
            raise ValueError("there are from 2 to 100 strata")


class Estimand(Enum):
    """Whom the effect is about."""

    ATE = "ate"
    """All who are compared."""
    ATT = "att"
    """Those of the target."""
    OVERLAP = "overlap"
    """Those who could have had either."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Weights by the inverse probability of the treatment received."""

    estimand: Estimand = Estimand.ATE
    max_weight: float | None = None
    """Larger weights are set to this one."""

    def __post_init__(self) -> None:
        if self.max_weight is not None and self.max_weight <= 0:
            raise ValueError("weights are positive")


Adjustment: TypeAlias = Match | Stratify | Weight


class OutcomeModel(Enum):
    """What the effect is estimated with."""

    COX = "cox"
    POISSON = "poisson"
    LOGISTIC = "logistic"

    @property
    def ratio(self) -> str:
        """The name of its ratio."""
        names = {OutcomeModel.COX: "hazard_ratio", OutcomeModel.POISSON: "rate_ratio"}
        return names.get(self, "odds_ratio")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the diagnostics must reach before an estimate is shown; None: not judged.

    Source: CohortMethod 6, createCmDiagnosticThresholds: its defaults, but for ``smd_alpha``, which it leaves open.
    """

    equipoise: float | None = 0.2
    """The least share of entries whose preference score lies between 0.3 and 0.7."""
    max_smd: float | None = 0.1
    """The largest standardised difference of a covariate after adjustment."""
    smd_alpha: float | None = 0.05
    """A larger difference passes while chance explains it with at least this probability over all covariates; None: it
    never passes."""
    mdrr: float | None = 10.0
    """The largest minimum detectable relative risk."""
    ease: float | None = 0.25
    """The largest expected absolute systematic error over the negative controls."""
    attrition: float | None = None
    """The largest share of the target that adjustment may lose."""
    left_out: float | None = None
    """The least share of controls whose interval, calibrated by all others, holds their true effect."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of asking: all options of a comparison but its outcomes."""

    name: str
    target: str
    comparator: str
    eligibility: Eligibility = Eligibility()
    follow_up: FollowUp = FollowUp()
    covariates: Covariates = Covariates()
    propensity: Propensity = Propensity()
    trim: Trim | None = None
    adjustment: Adjustment = field(default_factory=Match)
    model: OutcomeModel = OutcomeModel.COX
    thresholds: Thresholds = Thresholds()

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a sensitivity analysis has a name in snake case")
        if self.target == self.comparator:
            raise ValueError("a cohort is not compared with itself")


@dataclass(frozen=True, slots=True)
class Comparison(CohortAnalysis):
    """A target and a comparator, outcomes, outcomes that neither can cause, and other ways of asking the same."""

    primary: Variant
    outcomes: tuple[str, ...]
    negative_controls: tuple[str, ...] = ()
    sensitivity: tuple[Variant, ...] = ()
    positive_controls: PositiveControls | None = None
    """Made of the negative ones; None: none."""

    def __post_init__(self) -> None:
        lists = (self.outcomes, self.negative_controls, tuple(each.name for each in self.variants))
        if not self.outcomes or any(len(set(values)) != len(values) for values in lists):
            raise ValueError("a comparison has at least one outcome, and each name once")
        if set(self.outcomes) & set(self.negative_controls):
            raise ValueError("an outcome is not a negative control")
        if self.positive_controls is not None and not self.negative_controls:
            raise ValueError("positive controls are made of negative controls")

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Every way of asking, the primary one first."""
        return (self.primary, *self.sensitivity)

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        arms = [name for each in self.variants for name in (each.target, each.comparator)]
        return tuple(dict.fromkeys((*arms, *self.outcomes, *self.negative_controls)))
