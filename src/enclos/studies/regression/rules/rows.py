"""Logistic and Poisson: every row stands for itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import special

from enclos.studies.regression.model import Floats
from enclos.studies.regression.rules.likelihood import Local, times


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """Outcomes 0 or 1; the log-odds is the predictor."""

    outcome: Floats
    weights: Floats

    @property
    def n_events(self) -> float:
        """The weight of the rarer outcome."""
        ones = float(self.weights @ self.outcome)
        return min(ones, float(self.weights.sum()) - ones)

    def value(self, predictor: Floats) -> float:
        """Bernoulli log-likelihood."""
        return float(self.weights @ (self.outcome * predictor - np.logaddexp(0.0, predictor)))

    def at(self, predictor: Floats) -> Local:
        """Value, slope and curvature."""
        small = np.exp(-np.abs(predictor))
        share = np.where(predictor >= 0, 1.0, small) / (1.0 + small)
        value = self.weights @ (self.outcome * predictor - np.maximum(predictor, 0.0) - np.log1p(small))
        slope = self.weights * (self.outcome - share)
        spread = self.weights * (small / (1.0 + small) ** 2)
        return Local(float(value), slope, lambda u: times(spread, u), spread, lambda x: times(slope, x))


@dataclass(frozen=True, slots=True, eq=False)
class Poisson:
    """Counts; the log of the mean is the predictor, in which the log of person-time is already an offset."""

    outcome: Floats
    weights: Floats
    factorials: float = field(init=False)
    """The weighted sum of the logs of the outcomes' factorials, which no predictor changes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "factorials", float(self.weights @ special.gammaln(self.outcome + 1)))

    @property
    def n_events(self) -> float:
        """The weighted number of events."""
        return float(self.weights @ self.outcome)

    def value(self, predictor: Floats) -> float:
        """Poisson log-likelihood."""
        with np.errstate(over="ignore"):
            return float(self.weights @ (self.outcome * predictor - np.exp(predictor))) - self.factorials

    def at(self, predictor: Floats) -> Local:
        """Value, slope and curvature."""
        with np.errstate(over="ignore"):
            mean = self.weights * np.exp(predictor)
        slope = self.weights * self.outcome - mean
        value = float((self.weights * self.outcome) @ predictor - mean.sum()) - self.factorials
        return Local(value, slope, lambda u: times(mean, u), mean, lambda x: times(slope, x))
