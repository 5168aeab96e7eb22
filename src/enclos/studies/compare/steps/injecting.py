"""Positive controls: outcomes added to the target's time at risk, where measured risk expects them.

Source: OHDSI MethodEvaluation, synthesizePositiveControls: a Poisson model of the outcome among the exposed, with a
Laplace prior whose variance is chosen by cross-validation.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import csc_array

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.calibration.rules.positive_controls import Exposure, PositiveControl, positive_control
from enclos.studies.compare.model import OutcomeModel, Propensity
from enclos.studies.compare.rules.population import AtRisk, Events, Floats, Followed, Ints
from enclos.studies.compare.rules.tidy import tidied
from enclos.studies.regression.model import Likelihood, Prior
from enclos.studies.regression.steps import cross_validate, fit, with_intercept

_FIRST_VARIANCE = 0.01


def expected_outcomes(
    target: Followed,
    covariates: csc_array,
    ids: Ints,
    min_fraction: float,
    fitted: Propensity,
    *,
    first_only: bool,
) -> Floats:
    """How many outcomes each entry of the target is expected to have while at risk, given its covariates.

    In: covariates — one row per entry of the target; fitted — variance, folds and seed, as the score has them
        first_only — whether following ends with the first outcome
    """
    values, _ = tidied(covariates, ids, min_fraction)
    outcome = (target.with_outcome if first_only else target.n_outcomes).astype(np.float64)
    days = (target.days if first_only else target.days_at_risk).astype(np.float64)
    design = with_intercept(values)
    prior = Prior.laplace(fitted.variance or _FIRST_VARIANCE, exempt=(0,))
    if not values.shape[1]:
        model = fit(design, outcome, likelihood=Likelihood.POISSON, time=days)
    elif fitted.variance is not None:
        model = fit(design, outcome, likelihood=Likelihood.POISSON, time=days, prior=prior)
    else:
        folds = min(fitted.folds, len(outcome))
        _, model = cross_validate(
            design, outcome, likelihood=Likelihood.POISSON, time=days, prior=prior, folds=folds, seed=fitted.seed
        )
    rate = np.exp(design @ np.nan_to_num(model.coefficients))
    return np.asarray(rate * target.days_at_risk)


def controls_of(
    target: Followed, expected: Floats, asked: PositiveControls, *, first_only: bool
) -> list[PositiveControl]:
    """The positive controls that can be made of a negative one, in the order of their effects.

    Empty: none where the target has too few outcomes, or too few entries without one
    """
    n_observed = target.with_outcome.astype(np.int64) if first_only else target.n_outcomes
    if int(n_observed.sum()) < asked.min_outcomes:
        return []
    rows = zip(target.at.tolist(), target.days_at_risk.tolist(), n_observed.tolist(), expected.tolist(), strict=True)
    exposures = [Exposure(*row) for row in rows]
    found = [positive_control(exposures, effect, asked.seed, first_only=first_only) for effect in sorted(asked.effects)]
    return [each for each in found if each is not None]


def with_added(events: Events, control: PositiveControl, risk: AtRisk) -> Events:
    """The outcomes of a negative control and those that are added, as days from entry."""
    entry = np.array([each.key for each in control.added], dtype=np.int64)
    day = np.array([each.day for each in control.added], dtype=np.int64)
    return Events(np.concatenate((events.entry, entry)), np.concatenate((events.days, risk.start[entry] + day)))


def true_log_of(model: OutcomeModel, before: Followed, after: Followed) -> float:
    """The log effect that outcomes added to the target make, in what the model is a ratio of.

    First outcomes that are common shorten the time at risk, so that the hazard grows by more than their number.
    """
    if model is OutcomeModel.LOGISTIC:
        odds = [each.with_outcome.sum() / (~each.with_outcome).sum() for each in (before, after)]
        return math.log(odds[1] / odds[0])
    if model is OutcomeModel.POISSON:
        return math.log(after.n_outcomes.sum() / before.n_outcomes.sum())
    rates = [each.with_outcome.sum() / each.days.sum() for each in (before, after)]
    return math.log(rates[1] / rates[0])
