"""The propensity score: fit it, and say what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from enclos.studies.compare.model import PriorKind, Propensity
from enclos.studies.compare.rules.covariates import CovariateMatrix
from enclos.studies.compare.rules.scores import SCORE_DIGITS, area_under_curve, preference, share_in_equipoise
from enclos.studies.compare.rules.tidy import tidied
from enclos.studies.regression.model import Fit, Likelihood, Prior
from enclos.studies.regression.steps import cross_validate, fit, with_intercept

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
_FIRST_VARIANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The scores of some entries, with the model that gave them."""

    score: Floats
    preference: Floats
    covariates: Ints
    """Ids of the covariates in the model."""
    coefficients: Floats
    """The intercept, then one per covariate, for values divided by their largest."""
    variance: float | None
    """The prior's; None without prior, or without covariates."""
    fitted: bool
    """Whether the most likely coefficients were found."""
    auc: float
    equipoise: float


def score_of(found: CovariateMatrix, treated: Bools, asked: Propensity, min_fraction: float) -> Score:
    """The chance of each entry to be one of the target, given its covariates.

    In:     treated — with entries of both cohorts
    Source: CohortMethod 6.0.2, createPs: rare and repeated covariates left out, values divided by their largest, a
            Laplace prior on all but the intercept, its variance by cross-validation, scores rounded to ten decimals.
    """
    values, ids = tidied(found.values, found.ids, min_fraction)
    model, variance = _fitted(values, treated, asked)
    coefficients = np.nan_to_num(model.coefficients)
    odds = with_intercept(values) @ coefficients
    score = np.round(1 / (1 + np.exp(-odds)), SCORE_DIGITS)
    preferred = preference(score, float(treated.mean()))
    return Score(
        score,
        preferred,
        ids,
        coefficients,
        variance,
        model.converged,
        area_under_curve(score, treated),
        share_in_equipoise(preferred),
    )


def _fitted(values: csc_array, treated: Bools, asked: Propensity) -> tuple[Fit, float | None]:
    design, outcome = with_intercept(values), treated.astype(np.float64)
    if asked.prior is PriorKind.NONE or not values.shape[1]:
        return fit(design, outcome, likelihood=Likelihood.LOGISTIC), None
    prior_of = Prior.laplace if asked.prior is PriorKind.LAPLACE else Prior.normal
    if asked.variance is not None:
        prior = prior_of(asked.variance, exempt=(0,))
        return fit(design, outcome, likelihood=Likelihood.LOGISTIC, prior=prior), asked.variance
    variance, model = cross_validate(
        design,
        outcome,
        likelihood=Likelihood.LOGISTIC,
        prior=prior_of(_FIRST_VARIANCE, exempt=(0,)),
        folds=min(asked.folds, len(outcome)),
        seed=asked.seed,
    )
    return model, variance
