"""What follows from a propensity score alone."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.studies.compare.model import Base, Estimand, Stratify, Trim, TrimFraction, Weight

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
EQUIPOISE = (0.3, 0.7)
"""Preference scores of persons who could as well have had the other drug. Source: Walker et al. 2013."""
SCORE_DIGITS = 10
"""Digits that scores keep, so that ties do not hang on the last bit. Source: CohortMethod 6, createPs."""


def logit(score: Floats) -> Floats:
    """The log odds of a score."""
    with np.errstate(divide="ignore"):
        odds: Floats = np.log(score) - np.log1p(-score)
    return odds


def preference(score: Floats, share_treated: float) -> Floats:
    """The score as it were if both drugs had been as popular.

    In:     share_treated — of the population that the score was fitted on
    Source: Walker et al. 2013, Comp. Effect. Res. 3:11.
    """
    moved = logit(score) - np.log(share_treated / (1 - share_treated))
    found: Floats = 1 / (1 + np.exp(-moved))
    return found


def share_in_equipoise(preference_score: Floats) -> float:
    """The share of entries in equipoise; not a number for none."""
    inside = (preference_score >= EQUIPOISE[0]) & (preference_score <= EQUIPOISE[1])
    return float(inside.mean()) if len(inside) else float("nan")


def area_under_curve(score: Floats, treated: Bools) -> float:
    """The chance that an entry of the target has a higher score than one of the comparator; a tie counts half.

    Source: Mann and Whitney 1947, by mid-ranks.
    """
    n_treated, n = int(treated.sum()), len(treated)
    if n_treated in {0, n}:
        return float("nan")
    _, which, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
    above = float(ranks[treated].sum()) - n_treated * (n_treated + 1) / 2
    return above / (n_treated * (n - n_treated))


def trimmed(score: Floats, preference_score: Floats, treated: Bools, trim: Trim | None) -> Bools:
    """Which entries are kept.

    Source: CohortMethod, trimByPs: the highest scores of the target and the lowest of the comparator go.
    """
    if trim is None or not len(score):
        return np.ones(len(score), dtype=np.bool_)
    if isinstance(trim, TrimFraction):
        highest = np.quantile(score[treated], 1 - trim.fraction) if treated.any() else 1.0
        lowest = np.quantile(score[~treated], trim.fraction) if not treated.all() else 0.0
        return np.where(treated, score <= highest, score >= lowest)
    return (preference_score >= trim.lower) & (preference_score <= trim.upper)


def strata_of(score: Floats, treated: Bools, asked: Stratify) -> Ints:
    """The stratum of each entry, from 1; a score on a border belongs to the lower stratum.

    Source: CohortMethod, stratifyByPs; quantiles of type 7 as in R.
    """
    among = {Base.ALL: np.ones(len(score), dtype=np.bool_), Base.TARGET: treated, Base.COMPARATOR: ~treated}
    base = score[among[asked.base]]
    if not len(base):
        return np.ones(len(score), dtype=np.int64)
    borders = np.unique(np.quantile(base, np.arange(1, asked.n_strata) / asked.n_strata))
    found: Ints = np.searchsorted(borders, score, side="left").astype(np.int64) + 1
    return found


def weights_of(score: Floats, treated: Bools, asked: Weight) -> Floats:
    """The weight of each entry, stabilised by the shares of both cohorts.

    Source: CohortMethod, computeIptw; overlap weights: Li, Morgan and Zaslavsky 2018.
    """
    share = treated.mean() if len(treated) else 0.0
    with np.errstate(divide="ignore"):
        if asked.estimand is Estimand.ATE:
            weights = np.where(treated, share / score, (1 - share) / (1 - score))
        elif asked.estimand is Estimand.ATT:
            weights = np.where(treated, share, (1 - share) * score / (1 - score))
        else:
            weights = np.where(treated, 1 - score, score)
    return weights if asked.max_weight is None else np.minimum(weights, asked.max_weight)
