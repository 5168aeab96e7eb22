"""Meta-analysis: one estimate of several sites' estimates.

Source: DerSimonian and Laird, Controlled Clinical Trials 7 (1986) 177; Viechtbauer, Journal of Educational and
Behavioral Statistics 30 (2005) 261 for REML; Hartung and Knapp, Statistics in Medicine 20 (2001) 3875; Higgins and
Thompson, Statistics in Medicine 21 (2002) 1539 for I²; Higgins, Thompson and Spiegelhalter, JRSS A 172 (2009) 137 for
the prediction interval; R metafor for what is equalled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc, ndtri, stdtrit

from enclos.studies.calibration.model import Estimate, Floats, Heterogeneity, Pooled

_MAX_STEPS, _ENOUGH = 200, 1e-12


def pooled(
    estimates: Sequence[Estimate],
    heterogeneity: Heterogeneity = Heterogeneity.REML,
    *,
    hartung_knapp: bool = False,
    level: float = 0.95,
) -> Pooled | None:
    """The mean effect of sites, and how much it differs between them.

    In:    hartung_knapp — take the error from how far sites lie apart, with the t distribution; needs two sites
    Empty: None when no estimate is usable; one site gives its own estimate
    """
    kept = [each for each in estimates if each.is_usable]
    if not kept:
        return None
    n = len(kept)
    effects = np.array([each.log for each in kept])
    variances = np.array([each.standard_error for each in kept]) ** 2
    q = _cochran_q(effects, variances)
    tau2 = _TAU2[heterogeneity](effects, variances) if n > 1 else 0.0
    weights = 1 / (variances + tau2)
    mean = float((weights * effects).sum() / weights.sum())
    error = 1 / math.sqrt(weights.sum())
    z = float(ndtri((1 + level) / 2))
    if hartung_knapp and n > 1:
        error *= math.sqrt(float((weights * (effects - mean) ** 2).sum()) / (n - 1))
        z = float(stdtrit(n - 1, (1 + level) / 2))
    apart = None
    if n > 2:
        apart = float(stdtrit(n - 2, (1 + level) / 2)) * math.sqrt(tau2 + error**2)
    return Pooled(
        n_sites=n,
        log=mean,
        standard_error=error,
        lower=mean - z * error,
        upper=mean + z * error,
        tau2=tau2,
        i2=_i2(variances, tau2, q, heterogeneity),
        q=q,
        q_p_value=float(chdtrc(n - 1, q)) if n > 1 else None,
        predicted_lower=None if apart is None else mean - apart,
        predicted_upper=None if apart is None else mean + apart,
    )


def _cochran_q(effects: Floats, variances: Floats) -> float:
    weights = 1 / variances
    return float((weights * (effects - (weights * effects).sum() / weights.sum()) ** 2).sum())


def _i2(variances: Floats, tau2: float, q: float, heterogeneity: Heterogeneity) -> float:
    """Variance between sites over all variance; what Q says where one effect is taken for all."""
    n_free = len(variances) - 1
    if n_free == 0:
        return 0.0
    if heterogeneity is Heterogeneity.NONE:
        return max(0.0, (q - n_free) / q) if q > 0 else 0.0
    return tau2 / (tau2 + n_free / _typical(variances))


def _typical(variances: Floats) -> float:
    weights = 1 / variances
    return float(weights.sum() - (weights**2).sum() / weights.sum())


def _none(_effects: Floats, _variances: Floats) -> float:
    return 0.0


def _dersimonian_laird(effects: Floats, variances: Floats) -> float:
    return max(0.0, (_cochran_q(effects, variances) - len(effects) + 1) / _typical(variances))


def _reml(effects: Floats, variances: Floats) -> float:
    """Fisher's scoring of the restricted likelihood, never below zero; halved steps while the likelihood falls."""
    tau2 = _dersimonian_laird(effects, variances)
    here = _restricted(effects, variances, tau2)
    for _ in range(_MAX_STEPS):
        weights = 1 / (variances + tau2)
        mean = (weights * effects).sum() / weights.sum()
        trace = weights.sum() - (weights**2).sum() / weights.sum()
        squares = (weights**2).sum()
        information = (squares - 2 * (weights**3).sum() / weights.sum() + (squares / weights.sum()) ** 2) / 2
        step = float(((weights**2 * (effects - mean) ** 2).sum() - trace) / 2 / information)
        after = max(0.0, tau2 + step)
        while (there := _restricted(effects, variances, after)) < here and abs(after - tau2) > _ENOUGH:
            after = (after + tau2) / 2
        if abs(after - tau2) <= _ENOUGH * (1 + tau2):
            return after if there >= here else tau2
        tau2, here = after, there
    return tau2


def _restricted(effects: Floats, variances: Floats, tau2: float) -> float:
    weights = 1 / (variances + tau2)
    mean = (weights * effects).sum() / weights.sum()
    return float(np.log(weights).sum() - np.log(weights.sum()) - (weights * (effects - mean) ** 2).sum()) / 2


_TAU2 = {
    Heterogeneity.NONE: _none,
    Heterogeneity.DERSIMONIAN_LAIRD: _dersimonian_laird,
    Heterogeneity.REML: _reml,
}
