"""Estimates on the log scale, what a design's error is like, and what several sites say together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect on the log scale (log of a hazard, rate or odds ratio) with its standard error."""

    log: float
    standard_error: float

    @property
    def is_usable(self) -> bool:
        """Whether both are numbers and the error is one."""
        return math.isfinite(self.log) and math.isfinite(self.standard_error) and self.standard_error > 0


@dataclass(frozen=True, slots=True)
class Effect:
    """The logarithm of a ratio with its 95 % interval; not numbers where the data give none."""

    log_ratio: float = math.nan
    lower: float = math.nan
    upper: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there is an estimate with both ends of its interval."""
        return all(map(math.isfinite, (self.log_ratio, self.lower, self.upper)))

    @property
    def standard_error(self) -> float:
        """The one that the interval's width means. Source: CohortMethod, fitOutcomeModel, seLogRr."""
        return (self.upper - self.lower) / (2 * Z_95)

    @property
    def p_value(self) -> float:
        """Two-sided, by the standard error; not a number without an estimate."""
        return math.erfc(abs(self.log_ratio) / self.standard_error / math.sqrt(2)) if self.known else math.nan

    @property
    def estimate(self) -> Estimate:
        """The effect as calibration reads it."""
        return Estimate(self.log_ratio, self.standard_error)

    def widened(self, variance: float) -> Effect:
        """The same with so much more variance on each side of the interval."""
        below, above = (
            math.hypot(side, Z_95 * math.sqrt(variance))
            for side in (self.log_ratio - self.lower, self.upper - self.log_ratio)
        )
        return Effect(self.log_ratio, self.log_ratio - below, self.log_ratio + above)


@dataclass(frozen=True, slots=True)
class Control:
    """An estimate whose true effect is known: that of a negative control is none, its log 0."""

    estimate: Estimate
    true_log: float = 0.0
    group: str = ""
    """Controls that stand or fall together: a negative control and the positive ones made of it."""


@dataclass(frozen=True, slots=True)
class PositiveControls:
    """Which positive controls are made of each negative one."""

    effects: tuple[float, ...] = (1.5, 2.0, 4.0)
    """Ratios, above 1."""
    seed: int = 1
    min_outcomes: int = 25
    """A negative control with fewer outcomes while exposed gives none. Source: MethodEvaluation's default."""

    def __post_init__(self) -> None:
        effects = self.effects
        if not effects or len(set(effects)) != len(effects) or not all(1 < each <= MAX_EFFECT for each in effects):
            raise ValueError("positive controls have ratios above 1 and at most 10, each once")
        if self.seed < 0 or self.min_outcomes < 1:
            raise ValueError("a seed is not negative, and a positive control is made of one outcome at least")


MAX_EFFECT = 10.0


class Side(Enum):
    """The alternative that a p-value is for."""

    TWO = "two-sided"
    UPPER = "harm"
    LOWER = "benefit"


@dataclass(frozen=True, slots=True)
class Null:
    """The normal distribution of the systematic error where there is no effect."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """The normal distribution of an estimate without random error, by the true log effect.

    Its mean is ``mean_intercept + mean_slope * true``, its standard deviation ``sd_intercept + sd_slope * |true|``.
    """

    mean_intercept: float
    mean_slope: float
    sd_intercept: float
    sd_slope: float

    @classmethod
    def from_null(cls, null: Null, mean_slope: float = 1.0, sd_slope: float = 0.0) -> ErrorModel:
        """The model in which the error is the same whatever the true effect, unless slopes say otherwise.

        Source: EmpiricalCalibration, convertNullToErrorModel: a design that is biased towards the null breaks it.
        """
        return cls(null.mean, mean_slope, null.sd, sd_slope)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval on the log scale; None where an end does not exist."""

    log: float | None
    lower: float | None
    upper: float | None
    level: float = 0.95

    @property
    def standard_error(self) -> float | None:
        """The standard error that an interval of this width would have, were it normal."""
        if self.lower is None or self.upper is None:
            return None
        return (self.upper - self.lower) / (2 * NormalDist().inv_cdf((1 + self.level) / 2))


class Heterogeneity(Enum):
    """How the variance between sites is estimated."""

    NONE = "fixed"
    """One effect for all: none."""
    DERSIMONIAN_LAIRD = "dersimonian-laird"
    REML = "reml"


@dataclass(frozen=True, slots=True)
class Pooled:
    """What several sites say together, on the log scale."""

    n_sites: int
    log: float
    standard_error: float
    lower: float
    upper: float
    tau2: float
    """Variance of the effect between sites."""
    i2: float
    """Share of the variance of estimates that is not chance."""
    q: float
    """Cochran's statistic."""
    q_p_value: float | None
    predicted_lower: float | None
    """Where the effect of another site would lie, in 95 of 100 cases; None for fewer than three sites."""
    predicted_upper: float | None


Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The log-likelihood of one log effect, everything else at its best, on a grid: all that a site has to tell.

    Any constant may be added to the values.
    """

    points: Floats
    values: Floats

    def __post_init__(self) -> None:
        whole = self.points.ndim == 1 and self.points.shape == self.values.shape and len(self.points) >= 4
        if not whole or not (np.diff(self.points) > 0).all() or not np.isfinite(self.values).all():
            raise ValueError("a profile has at least four points in order, each with a finite value")


PROFILE_POINTS: tuple[float, ...] = tuple(round(math.log(100) * step / 60, 6) for step in range(-60, 61))
"""The grid that sites share: log effects from 1/100 to 100, 0.077 apart."""
