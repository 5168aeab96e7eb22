"""The effect of the target against the comparator, estimated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from enclos.studies.calibration.model import Z_95, Effect
from enclos.studies.compare.model import OutcomeModel
from enclos.studies.compare.rules.population import Followed
from enclos.studies.regression.model import Fit, Likelihood, Status
from enclos.studies.regression.steps import fit, log_likelihood_profile, profile_interval, with_intercept

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_LEVEL = 0.95


UNKNOWN = Effect()


def effect_of(
    seen: Followed,
    model: OutcomeModel,
    sets: Ints | None = None,
    weights: Floats | None = None,
    *,
    robust: bool | None = None,
) -> Effect:
    """The effect, within sets where there are any.

    In:     robust — the interval of the sandwich variance, persons as clusters; None: where entries are weighted, as
            they then count more or less than once. Otherwise by the profile of the likelihood, as the peer does always.
    Empty:  UNKNOWN where nobody has the outcome, or the data do not tell the cohorts apart
    Source: CohortMethod 6.0.2, fitOutcomeModel. Cox: ties by Breslow. Poisson: outcomes over all days at risk.
    """
    seen, sets, weights = _informative(seen, sets, weights)
    outcome = seen.n_outcomes if model is OutcomeModel.POISSON else seen.with_outcome
    if not len(seen) or not outcome.any() or seen.treated.all() or not seen.treated.any():
        return UNKNOWN
    fitted, column = _fitted(seen, model, outcome.astype(np.float64), sets, weights)
    if fitted.status not in {Status.CONVERGED, Status.SEPARATED} or not math.isfinite(fitted.coefficients[column]):
        return UNKNOWN
    best = float(fitted.coefficients[column])
    if fitted.status is Status.SEPARATED and column in fitted.unbounded:
        return UNKNOWN
    if (weights is not None) if robust is None else robust:
        width = Z_95 * math.sqrt(float(fitted.robust_covariance(seen.person, (column,))[0, 0]))
        return Effect(best, best - width, best + width)
    interval = profile_interval(fitted, column, _LEVEL)
    return Effect(best, interval.lower, interval.upper)


def profile_of(seen: Followed, model: OutcomeModel, sets: Ints | None, points: Sequence[float]) -> Floats | None:
    """The log-likelihood of the log ratio at some points, the highest of them 0, so that sites can add theirs up.

    Empty: None where nobody has the outcome, or one cohort is empty
    """
    seen, sets, _ = _informative(seen, sets, None)
    outcome = seen.n_outcomes if model is OutcomeModel.POISSON else seen.with_outcome
    if not len(seen) or not outcome.any() or seen.treated.all() or not seen.treated.any():
        return None
    fitted, column = _fitted(seen, model, outcome.astype(np.float64), sets, None)
    if column in fitted.unidentified:
        return None
    heights = log_likelihood_profile(fitted, column, np.array(points))
    found: Floats = heights - heights.max()
    return found


def _informative(
    seen: Followed, sets: Ints | None, weights: Floats | None
) -> tuple[Followed, Ints | None, Floats | None]:
    """Without sets in which nobody has the outcome: they say nothing."""
    if sets is None:
        return seen, None, weights
    kept = np.isin(sets, np.unique(sets[seen.with_outcome]))
    return seen.take(kept), sets[kept], None if weights is None else weights[kept]


def _fitted(
    seen: Followed, model: OutcomeModel, outcome: Floats, sets: Ints | None, weights: Floats | None
) -> tuple[Fit, int]:
    """The fit, and the treatment's column."""
    design = csc_array(seen.treated.astype(np.float64).reshape(-1, 1))
    if model is OutcomeModel.COX:
        time = seen.days.astype(np.float64)
        return fit(design, outcome, likelihood=Likelihood.COX, time=time, strata=sets, weights=weights), 0
    counted = model is OutcomeModel.POISSON
    at_risk = seen.days_at_risk.astype(np.float64) if counted else None
    if sets is None:
        kind = Likelihood.POISSON if counted else Likelihood.LOGISTIC
        return fit(with_intercept(design), outcome, likelihood=kind, time=at_risk, weights=weights), 1
    kind = Likelihood.CONDITIONAL_POISSON if counted else Likelihood.CONDITIONAL_LOGISTIC
    return fit(design, outcome, likelihood=kind, time=at_risk, strata=sets, weights=weights), 0
