"""The estimators of survival, from counts by day: Kaplan-Meier, Aalen-Johansen, restricted means and quantiles.

All give what R's survival 3.8 gives: survfit with its defaults (Greenwood errors, intervals on the log scale),
summary.survfit and quantile.survfit. Days are whole days since entry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""
_TOLERANCE = math.sqrt(np.finfo(np.float64).eps)
"""Two shares that differ by less are one. Source: survival, quantile.survfit."""


@dataclass(frozen=True, slots=True, eq=False)
class LifeTable:
    """What happens on each day on which anything does, in order; at least one day."""

    days: Ints
    n_at_risk: Ints | Floats
    """Whole entries, or parts of some where what happens is known by steps of days only."""
    n_events: Ints
    """One row per kind of event."""
    n_censored: Ints

    @property
    def n_records(self) -> int:
        """How many entries are followed."""
        return int(self.n_at_risk[0])

    @property
    def last_day(self) -> int:
        """The last day on which anyone is followed."""
        return int(self.days[-1])


def life_table(endings: Ints) -> LifeTable:
    """The life table of entries counted by how they ended.

    In: endings — one row per way of ending, censored first; one column per day since entry; not all zero
    """
    (days,) = np.nonzero(endings.sum(axis=0))
    counts = endings[:, days]
    leaving = counts.sum(axis=0)
    at_risk = leaving[::-1].cumsum()[::-1]
    return LifeTable(days, at_risk, counts[1:], counts[0])


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A share by day, constant until the next day, with its 95 % interval; not a number where there is none."""

    days: Ints
    before: float
    """The share before the first day."""
    share: Floats
    lower: Floats
    upper: Floats

    def steps(self) -> tuple[Floats, Floats, Floats]:
        """Share and interval before the first day, then from each day on."""
        first = (self.before, self.before, self.before) if self.before else (self.before, np.nan, np.nan)
        shown = zip(first, (self.share, self.lower, self.upper), strict=True)
        share, lower, upper = (np.concatenate(([start], values)) for start, values in shown)
        return share, lower, upper

    def step_on(self, days: Ints) -> Ints:
        """The step that each day lies on."""
        return np.searchsorted(self.days, days, side="right")


def _log_interval(share: Floats, error_of_log: Floats) -> tuple[Floats, Floats]:
    """The interval that is symmetric on the log scale, no upper end above one; none where the share is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(share > 0, share, np.nan))
        lower: Floats = np.exp(logs - Z_95 * error_of_log)
        upper: Floats = np.minimum(np.exp(logs + Z_95 * error_of_log), 1.0)
    return lower, upper


def _greenwood(table: LifeTable) -> Floats:
    """What each day adds to the variance of the log of survival; none on a day that nobody survives."""
    n_events = table.n_events.sum(axis=0)
    surviving = table.n_at_risk - n_events
    terms: Floats = np.divide(n_events, table.n_at_risk * surviving, out=np.zeros(len(surviving)), where=surviving > 0)
    return terms


def _shares(n_events: Ints, n_at_risk: Ints | Floats) -> Floats:
    """The share of those at risk who have an event on each day; not a number where nobody is at risk any more."""
    shares: Floats = np.full(n_events.shape, np.nan)
    np.divide(n_events, n_at_risk, out=shares, where=n_at_risk > 0)
    return shares


def kaplan_meier(table: LifeTable) -> Curve:
    """The share that has had no event.

    Source: Kaplan and Meier 1958; Greenwood 1926; R survival, survfit with conf.type log.
    """
    share: Floats = np.cumprod(1 - _shares(table.n_events.sum(axis=0), table.n_at_risk), dtype=np.float64)
    error = np.sqrt(np.cumsum(_greenwood(table)))
    return Curve(table.days, 1.0, share, *_log_interval(share, error))


def restricted_mean(table: LifeTable, to_day: int) -> tuple[float, float]:
    """The mean days without event up to a day, the last share carried on to it, and its standard error.

    Source: R survival, summary.survfit with rmean.
    """
    kept = table.days <= to_day
    share = np.cumprod(1 - table.n_events.sum(axis=0) / table.n_at_risk)[kept]
    ends = np.concatenate((table.days[kept], [to_day]))
    areas = np.diff(ends, prepend=0) * np.concatenate(([1.0], share))
    after = areas[::-1].cumsum()[::-1][1:]
    return float(areas.sum()), float(np.sqrt((after**2 * _greenwood(table)[kept]).sum()))


def quantile(curve: Curve, p: float) -> tuple[float, float, float]:
    """The first day by which a share p has had the event, and its interval; not a number where it is not reached.

    A level met over a stretch of days gives the middle of the stretch.

    Source: R survival, quantile.survfit.
    """
    share, lower, upper = (_first_day(curve.days, level, p) for level in (curve.share, curve.lower, curve.upper))
    return share, lower, upper


def _first_day(days: Ints, surviving: Floats, p: float) -> float:
    if p <= 0:
        return 0.0
    known = ~np.isnan(surviving)
    levels, firsts = np.unique(1 - np.concatenate(([1.0], surviving[known])), return_index=True)
    at = np.concatenate(([0], days[known]))[firsts]
    reached, passed = np.searchsorted(levels, (p - _TOLERANCE, p + _TOLERANCE))
    if reached == len(levels):
        return math.nan
    if reached == passed:
        return float(at[reached])
    if passed < len(levels):
        return float((at[reached] + at[passed]) / 2)
    return float((at[reached] + days[-1]) / 2) if known[-1] else math.nan


def median(curve: Curve) -> tuple[float, float, float]:
    """The median days without event and its interval.

    Source: R survival, summary.survfit: as its quantile, but a curve that ends at one half gives the day it gets there.
    """
    middle, lower, upper = (_half_day(curve.days, each) for each in (curve.share, curve.lower, curve.upper))
    return middle, lower, upper


def _half_day(days: Ints, surviving: Floats) -> float:
    kept = ~np.isnan(surviving) & (np.nan_to_num(surviving, nan=1.0) < 0.5 + _TOLERANCE)
    if not kept.any():
        return math.nan
    at, share = days[kept], surviving[kept]
    if abs(share[0] - 0.5) < _TOLERANCE and (share < share[0]).any():
        return float((at[0] + at[np.argmax(share < share[0])]) / 2)
    return float(at[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Increments:
    """The parts of Aalen-Johansen estimates, by day and kind of event."""

    surviving_before: Floats
    hazards: Floats
    incidence: Floats
    kept: Floats
    """The share of those at risk whom no event of the day takes, inverse; zero where all are taken."""


def _increments(table: LifeTable) -> _Increments:
    hazards = _shares(table.n_events, table.n_at_risk)
    surviving = np.cumprod(1 - hazards.sum(axis=0))
    before = np.concatenate(([1.0], surviving[:-1]))
    left = table.n_at_risk - table.n_events.sum(axis=0)
    kept = np.divide(table.n_at_risk, left, out=np.zeros(len(left)), where=left > 0)
    return _Increments(before, hazards, np.cumsum(before * hazards, axis=1), kept)


def aalen_johansen(table: LifeTable) -> list[Curve]:
    """For each kind of event, the share that has had it first.

    Source: Aalen and Johansen 1978; errors as the infinitesimal jackknife of R's survfit, which for whole entries is a
            sum over days: on each, events are drawn among those at risk, and a draw of kind j on day s moves the share
            with kind k on day t by S(s-) [j = k] - (F(t) - F(s)) S(s-) / S(s).
    """
    parts = _increments(table)
    curves = []
    for kind, share in enumerate(parts.incidence):
        moved = np.zeros((len(table.n_events), len(share)))
        moved[kind] = parts.surviving_before
        moved += parts.kept * share
        # A move on day t is moved - kept F(t): a square in F(t), whose parts add up over days.
        square, mixed, plain = _draws(parts.hazards, moved, parts.kept, table.n_at_risk)
        variance = np.cumsum(square) - 2 * share * np.cumsum(mixed) + share**2 * np.cumsum(plain)
        error = np.sqrt(np.maximum(variance, 0.0))
        relative = np.divide(error, share, out=np.zeros(len(share)), where=share > 0)
        curves.append(Curve(table.days, 0.0, share, *_log_interval(share, relative)))
    return curves


def _draws(hazards: Floats, moved: Floats, kept: Floats, n_at_risk: Ints | Floats) -> tuple[Floats, Floats, Floats]:
    """The variances of one day's draw, each kind weighing ``moved`` or ``kept``, and their covariance."""
    mean = (hazards * moved).sum(axis=0)
    total = hazards.sum(axis=0)
    square: Floats = ((hazards * moved**2).sum(axis=0) - mean**2) / n_at_risk
    mixed: Floats = kept * (mean - mean * total) / n_at_risk
    plain: Floats = kept**2 * (total - total**2) / n_at_risk
    return square, mixed, plain


def mean_days_with(table: LifeTable, kind: int, to_day: int) -> tuple[float, float]:
    """The mean days since an event of a kind, up to a day, and its standard error.

    Source: R survival, summary.survfit of a multi-state curve: the restricted mean time in a state.
    """
    parts = _increments(table)
    kept = table.days < to_day
    share, days = parts.incidence[kind][kept], table.days[kept]
    if not len(days):
        return 0.0, 0.0
    widths = np.diff(np.concatenate((days, [to_day])))
    areas = share * widths
    after = areas[::-1].cumsum()[::-1]
    left = to_day - days
    moved = np.zeros((len(parts.hazards), len(days)))
    moved[kind] = parts.surviving_before[kept] * left
    moved -= parts.kept[kept] * (after - share * left)
    square, _, _ = _draws(parts.hazards[:, kept], moved, parts.kept[kept], table.n_at_risk[kept])
    return float(areas.sum()), float(np.sqrt(np.maximum(square, 0.0).sum()))
