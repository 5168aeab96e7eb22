"""The share of each cohort without the outcome over time, each entry as often as its weight says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True, eq=False)
class WeightedCurve:
    """A step function: at each day the share without the outcome, its interval and who is at risk."""

    days: Ints
    share: Floats
    lower: Floats
    upper: Floats
    n_at_risk: Ints

    def on(self, days: Ints) -> tuple[Floats, Floats, Floats]:
        """The share and its interval on some days; before the first one all are without the outcome."""
        at = np.searchsorted(self.days, days, side="right")
        share, lower, upper = (np.concatenate(([1.0], each))[at] for each in (self.share, self.lower, self.upper))
        return share, lower, upper


def weighted_curve(days: Ints, outcome: Bools, weights: Floats | None = None) -> WeightedCurve:
    """Kaplan and Meier's estimate for weighted entries.

    In:     days — up to the outcome or the end; weights — None: all alike
    Source: Xie and Liu 2005, Stat. Med. 24:3089, equation 4; interval on the log scale.
    """
    weights = np.ones(len(days)) if weights is None else weights
    unique, which = np.unique(days, return_inverse=True)
    n = len(unique)
    events = np.bincount(which[outcome], weights[outcome], minlength=n)
    at_risk, squares, count = (
        np.bincount(which, each, minlength=n)[::-1].cumsum()[::-1] for each in (weights, weights**2, np.ones(len(days)))
    )
    rate = np.divide(events, at_risk, out=np.zeros(n), where=at_risk > 0)
    share = np.cumprod(1 - rate)
    effective = np.divide(at_risk**2, squares, out=np.ones(n), where=squares > 0)
    # Xie and Liu: the variance of the log of the share adds up rate / (m (1 - rate)) with m the effective number.
    left = np.where(rate < 1, 1 - rate, 1.0)
    width = _Z * np.sqrt(np.cumsum(rate / (effective * left)))
    return WeightedCurve(
        unique.astype(np.int64),
        share,
        share * np.exp(-width),
        np.minimum(share * np.exp(width), 1.0),
        count.astype(np.int64),
    )
