"""How alike target and comparator are, covariate by covariate.

Source: CohortMethod 6.0.2, computeCovariateBalance; Austin 2008 for sets of several sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array
from scipy.special import ndtr

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
THRESHOLD = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class ArmMeans:
    """Each covariate in one cohort."""

    total: Floats
    mean: Floats
    deviation: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """Each covariate in both cohorts; a covariate that neither has is not a number."""

    target: ArmMeans
    comparator: ArmMeans
    difference: Floats
    """Standardised difference of means."""

    @property
    def largest(self) -> float:
        """The largest absolute difference; 0 where there is no covariate to compare."""
        known = np.abs(self.difference[np.isfinite(self.difference)])
        return float(known.max(initial=0.0))


def balance(covariates: csc_array, treated: Bools, weights: Floats | None = None) -> Balance:
    """The balance of some entries, each as often as its weight says.

    In: covariates — one row per entry
    """
    squares = covariates if (covariates.data == 1).all() else covariates.power(2)
    arms = [_means(covariates, squares, treated == arm, weights) for arm in (True, False)]
    spread = np.sqrt((arms[0].deviation ** 2 + arms[1].deviation ** 2) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = (arms[0].mean - arms[1].mean) / spread
    return Balance(arms[0], arms[1], difference)


def _means(covariates: csc_array, squares: csc_array, those: Bools, weights: Floats | None) -> ArmMeans:
    one = those.astype(np.float64)
    total = covariates.T @ one
    if weights is None:
        n = max(one.sum(), 1.0)
        mean = total / n
        variance = np.maximum(squares.T @ one / n - mean**2, 0.0)
        return ArmMeans(total, mean, np.sqrt(variance))
    share = one * weights
    share = share / share.sum() if share.sum() > 0 else share
    mean = covariates.T @ share
    left = 1 - float((share**2).sum())
    variance = np.abs(squares.T @ share - mean**2) / left if left > 0 else np.zeros(len(mean))
    return ArmMeans(total, mean, np.sqrt(variance))


def set_weights(sets: Ints, treated: Bools) -> Floats | None:
    """What each entry counts within its set, where any set has several of one cohort; else nothing is weighed."""
    if not len(sets):
        return None
    _, key, sizes = np.unique(sets * 2 + treated, return_inverse=True, return_counts=True)
    if sizes.max() == 1:
        return None
    found: Floats = 1 / sizes[key]
    return found


def p_above(difference: Floats, n_target: float, n_comparator: float, threshold: float = THRESHOLD) -> Floats:
    """The chance of a difference as large as this if the true one were the threshold, for unweighted entries.

    Source: Hripcsak et al. 2025; variance of a standardised difference: Hedges and Olkin 1985.
    """
    n = n_target + n_comparator
    variance = n / (n_target * n_comparator) + difference**2 / (2 * (n - 2))
    found: Floats = ndtr(-(np.abs(difference) - threshold) / np.sqrt(variance))
    return found
