"""What a regression is asked and what it answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


class Likelihood(StrEnum):
    """How the outcome of a row depends on its linear predictor."""

    LOGISTIC = "logistic"
    """Outcome 0 or 1."""
    POISSON = "poisson"
    """Outcome is a count; ``time`` is the person-time behind it."""
    COX = "cox"
    """Outcome 1 is an event at the end of ``time``, 0 a censoring; each stratum has a baseline of its own."""
    CONDITIONAL_LOGISTIC = "conditional logistic"
    """Outcome 0 or 1, given the number of cases in each stratum."""
    CONDITIONAL_POISSON = "conditional poisson"
    """Outcome is a count over ``time``, given the number of events in each stratum."""


class Ties(StrEnum):
    """What happens to events at the same time of a stratum (Cox), or to several cases in one (conditional logistic)."""

    BRESLOW = "breslow"
    EFRON = "efron"
    EXACT = "exact"
    """Conditional logistic only: over all sets of as many rows as there are cases."""


class Family(StrEnum):
    """The shape of a prior around zero."""

    NONE = "none"
    LAPLACE = "laplace"
    NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of every coefficient beforehand, but for the exempt columns, of which nothing is.

    A Laplace prior of variance v penalises by sqrt(2 / v) times the absolute coefficient, a normal one by its square
    over 2 v. Log-likelihoods are told without the prior. Source: Suchard et al. 2013, doi 10.1145/2414416.2414791.
    """

    family: Family = Family.NONE
    variance: float = math.inf
    exempt: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if self.family is not Family.NONE and not 0 < self.variance < math.inf:
            raise ValueError("the variance of a prior is a positive number")
        object.__setattr__(self, "exempt", frozenset(self.exempt))

    @classmethod
    def none(cls) -> Prior:
        """Maximum likelihood."""
        return cls()

    @classmethod
    def laplace(cls, variance: float, exempt: Sequence[int] = ()) -> Prior:
        """The lasso."""
        return cls(Family.LAPLACE, variance, frozenset(exempt))

    @classmethod
    def normal(cls, variance: float, exempt: Sequence[int] = ()) -> Prior:
        """Ridge."""
        return cls(Family.NORMAL, variance, frozenset(exempt))

    def with_variance(self, variance: float) -> Prior:
        """The same belief, held more or less firmly."""
        return Prior(self.family, variance, self.exempt)

    @property
    def rate(self) -> float:
        """The weight of the sum of absolute coefficients; zero but for Laplace."""
        return math.sqrt(2 / self.variance) if self.family is Family.LAPLACE else 0.0

    @property
    def precision(self) -> float:
        """The weight of half the sum of squared coefficients; zero but for normal."""
        return 1 / self.variance if self.family is Family.NORMAL else 0.0


class Status(StrEnum):
    """How a fit ended; only the first is an estimate to be used without a second thought."""

    CONVERGED = "converged"
    SEPARATED = "separated"
    """The likelihood rises for ever as some coefficients grow (``Fit.unbounded``); the others may be used."""
    NOT_IDENTIFIED = "not identified"
    """Some columns say nothing that earlier ones do not (``Fit.unidentified``); they are left out, not a number."""
    NO_EVENTS = "no events"
    """The outcome has nothing to explain: no coefficient is a number."""
    ITERATIONS = "iterations"
    """The iterations were used up, or no step improved the fit, before it converged."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From where to where; infinite where the likelihood never falls far enough."""

    lower: float
    upper: float
    level: float


@dataclass(frozen=True, slots=True)
class Trial:
    """A variance that cross-validation tried, and the log-likelihood of what was held out, summed over the folds."""

    variance: float
    log_likelihood: float


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The most likely coefficients, and how sure they are."""

    coefficients: Floats
    """One per column; not a number where nothing is known of it."""
    log_likelihood: float
    """Without the prior."""
    log_prior: float
    """Minus the penalty: zero without prior."""
    status: Status
    n_iterations: int
    unbounded: tuple[int, ...]
    unidentified: tuple[int, ...]
    columns: tuple[int, ...]
    """The columns without a Laplace prior that are identified: those that ``covariance`` is about."""
    covariance_of: Callable[[tuple[int, ...]], Floats] = field(repr=False)
    robust_covariance_of: Callable[[tuple[int, ...], Ints | None], Floats] = field(repr=False)
    problem: object = field(repr=False)
    """What was fitted, for the steps that go on from here."""
    trials: tuple[Trial, ...] = ()
    """What cross-validation tried, by variance; empty where none ran."""

    @property
    def converged(self) -> bool:
        """Whether the coefficients are the most likely ones, all finite and identified."""
        return self.status is Status.CONVERGED

    def covariance(self, columns: Sequence[int] | None = None) -> Floats:
        """The inverse of the observed information: rows and columns as ``columns`` (by default the fit's own).

        Other estimated coefficients count as estimated; those that Laplace put to zero count as known to be zero.
        Empty: not a number for a coefficient that is not finite (``unbounded``), and the others as if it were known
        """
        return self.covariance_of(tuple(self.columns if columns is None else columns))

    def robust_covariance(self, clusters: Ints | None = None, columns: Sequence[int] | None = None) -> Floats:
        """The sandwich covariance, rows summed within clusters.

        In: clusters — one number per row; without it, every row (conditional likelihoods: every stratum) is one.
        Source: Lin and Wei 1989; as R's survival, coxph(robust = TRUE, cluster).
        """
        return self.robust_covariance_of(tuple(self.columns if columns is None else columns), clusters)

    def standard_errors(self) -> Floats:
        """The square roots of the covariance's diagonal, one per column; not a number for other columns."""
        errors = np.full(len(self.coefficients), np.nan)
        errors[list(self.columns)] = np.sqrt(np.diag(self.covariance()))
        return errors
