"""Ratios: of two rates exactly, of odds within matched sets."""

from __future__ import annotations

import math

import numpy as np

from enclos.studies.calibration.model import Effect
from enclos.studies.regression.model import Likelihood, Prior, Status
from enclos.studies.regression.steps import fit
from enclos.studies.sccs.fitting import LEVEL, effects_of
from enclos.studies.sccs.intervals import Bools, Ints


def rate_ratio(n_risk: int, n_control: int, risk_days: int, control_days: int) -> tuple[float, float, float]:
    """The ratio of two rates with its exact interval, given the outcomes in all.

    Empty: not numbers without an outcome or without time; the upper end is infinite without an outcome before
    Source: Clopper and Pearson 1934 on the share of outcomes after; R rateratio.test, which SelfControlledCohort uses.
    """
    from scipy.special import betaincinv

    n = n_risk + n_control
    if not n or not risk_days or not control_days:
        return math.nan, math.nan, math.nan
    tail = (1 - LEVEL) / 2
    low = float(betaincinv(n_risk, n_control + 1, tail)) if n_risk else 0.0
    high = float(betaincinv(n_risk + 1, n_control, 1 - tail)) if n_control else 1.0
    odds = [n_risk / n_control if n_control else math.inf, low / (1 - low), high / (1 - high) if high < 1 else math.inf]
    ratio, lower, upper = (each * control_days / risk_days for each in odds)
    return ratio, lower, upper


def effect_of_rates(ratio: tuple[float, float, float]) -> Effect:
    """A ratio of rates with its interval as logarithms."""
    logs = [math.log(each) if each > 0 else -math.inf if each == 0 else math.nan for each in ratio]
    return Effect(*logs)


def odds_ratios(number: Ints, is_case: Bools, exposed: Bools) -> tuple[Effect, ...]:
    """The odds ratio of each exposure within sets that have one case, each adjusted for the others.

    In:     number — the set of each row; exposed — one column per exposure
    Empty:  not numbers where the sets do not tell: no set in which somebody differs from the case, or all in one way
    Source: Breslow and Day 1980, conditional logistic regression; intervals of the profile likelihood.
    """
    from scipy.sparse import csc_array

    n_exposures = exposed.shape[1]
    effects = [Effect() for _ in range(n_exposures)]
    columns = np.array([at for at in range(n_exposures) if _tells(number, is_case, exposed[:, at])], dtype=np.int64)
    if not len(columns):
        return tuple(effects)
    found = fit(
        csc_array(exposed[:, columns].astype(np.float64)),
        is_case.astype(np.float64),
        likelihood=Likelihood.CONDITIONAL_LOGISTIC,
        strata=number,
        prior=Prior.none(),
    )
    if found.status not in {Status.CONVERGED, Status.NOT_IDENTIFIED}:
        return tuple(effects)
    for column, effect in zip(columns.tolist(), effects_of(found, range(len(columns))), strict=True):
        effects[column] = effect
    return tuple(effects)


def _tells(number: Ints, is_case: Bools, exposed: Bools) -> bool:
    """Whether some exposed case has a control that is not, and some other case a control that is."""
    n_sets = int(number.max(initial=-1)) + 1
    case_exposed = np.zeros(n_sets, dtype=np.bool_)
    case_exposed[number[is_case]] = exposed[is_case]
    differs = ~is_case & (exposed != case_exposed[number])
    return bool((differs & exposed).any() and (differs & ~exposed).any())
