"""When a case series holds: each assumption with the number that speaks of it, the bounds, and the verdict.

Source: SelfControlledCaseSeries 6.1.4: checkRareOutcomeAssumption, checkEventExposureIndependenceAssumption,
        checkEventObservationIndependenceAssumption, checkTimeStabilityAssumption, computePreExposureGain.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from enclos.studies.calibration.model import Effect
from enclos.studies.sccs.fitting import two_rates
from enclos.studies.sccs.intervals import Floats, People, Stretches, in_months, key_of
from enclos.studies.sccs.moments import Curves

RARE, GAIN, PRE_EXPOSURE = "rare_outcome", "pre_exposure_gain", "event_exposure_independence"
END, STABLE = "event_observation_independence", "time_stability"
MDRR, EASE, LEFT_OUT = "mdrr", "ease", "left_out"
ALPHA = 0.05
_GAIN_DAYS = 30
_LARGEST_RATIO = 10.0


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What was looked at and whether it holds; numbers that there are not are not numbers."""

    name: str
    passed: bool | None
    """None: it could not be looked at, or is shown for information."""
    estimate: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    p_value: float = math.nan
    exposure: str | None = None
    """None: it is about the outcome."""
    window: str | None = None
    """Set where it is about one ratio alone."""
    least: float = math.nan
    most: float = math.nan
    """What is asked of the estimate, or of its interval."""


def rare_outcome(n_with: int, n_persons: int, most: float | None, *, first_only: bool) -> Diagnostic:
    """The share of persons observed who have the outcome; it matters when only the first outcome counts.

    Source: Farrington, Whitaker and Ghebremichael-Weldeselassie 2018: the bias is about half the share.
    """
    share = n_with / n_persons if n_persons else math.nan
    judged = most is not None and first_only
    return Diagnostic(RARE, share <= (most or 0.0) if judged else None, share, most=_or_nan(most))


def within_bounds(
    name: str, effect: Effect, bounds: tuple[float, float] | None, exposure: str | None = None
) -> Diagnostic:
    """Whether the interval of a window's rate ratio shares a number with the bounds.

    Empty: without an estimate it is not looked at
    """
    least, most = bounds or (math.nan, math.nan)
    if not effect.known:
        return Diagnostic(name, None, exposure=exposure, least=least, most=most)
    ratio, lower, upper = (math.exp(each) for each in (effect.log_ratio, effect.lower, effect.upper))
    passed = None if bounds is None else lower <= most and upper >= least
    return Diagnostic(name, passed, ratio, lower, upper, exposure=exposure, least=least, most=most)


def at_most(name: str, value: float, most: float | None, place: tuple[str | None, str]) -> Diagnostic:
    """Whether a number of one ratio is no larger than asked; one that could not be had does not pass.

    In: place — the window and the exposure
    """
    window, exposure = place
    passed = None if most is None else value <= most
    return Diagnostic(name, passed, value, exposure=exposure, window=window, most=_or_nan(most))


def at_least(name: str, value: float, least: float | None, place: tuple[str | None, str]) -> Diagnostic:
    """Whether a number of one ratio is no smaller than asked; one that could not be had does not pass."""
    window, exposure = place
    passed = None if least is None else value >= least
    return Diagnostic(name, passed, value, exposure=exposure, window=window, least=_or_nan(least))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def pre_exposure_gain(people: People, eras: Stretches, exposure: str, *, decides: bool) -> Diagnostic:
    """The rate in the 30 days before a case's first exposure against the 30 days from it on; p is one-sided.

    In: eras — of one exposure
        decides — whether it is a verdict, or for information beside the window of the model
    """
    from scipy.stats import chi2

    inside = (eras.first_day >= people.first_day[eras.case]) & (eras.first_day < people.last_day[eras.case])
    order = np.lexsort((eras.first_day[inside], eras.case[inside]))
    case, place = np.unique(eras.case[inside][order], return_index=True)
    day = eras.first_day[inside][order][place]
    start = np.full(len(people), np.iinfo(np.int64).min // 2)
    start[case] = day
    delta = people.outcome_day - start[people.outcome_case]
    n_before, n_after = (
        np.bincount(people.outcome_case[kept], minlength=len(people))[case]
        for kept in ((delta >= -_GAIN_DAYS) & (delta < 0), (delta >= 0) & (delta <= _GAIN_DAYS))
    )
    days = [np.minimum(each, _GAIN_DAYS) for each in (day - people.first_day[case], people.last_day[case] - day)]
    n_days, n_outcomes = np.concatenate(days), np.concatenate((n_before, n_after))
    before = np.repeat([1, 0], len(case))
    kept = n_days > 0
    log_ratio, fall = two_rates(n_outcomes[kept], n_days[kept], np.concatenate((case, case))[kept], before[kept])
    if math.isnan(log_ratio):
        return Diagnostic(GAIN, None, exposure=exposure)
    half = float(chi2.sf(2 * max(fall, 0.0), 1)) / 2
    p_value = half if log_ratio >= 0 else 1 - half
    return Diagnostic(
        GAIN, p_value >= ALPHA if decides else None, math.exp(log_ratio), p_value=p_value, exposure=exposure
    )


def time_stability(people: People, curves: Curves, season: Floats, calendar: Floats, most: float | None) -> Diagnostic:
    """How far outcomes by month are from what the cases' time in the month lets expect, season and calendar counted in.

    The mean ratio is the one that makes most likely that each month has its expected outcomes times it, or divided by
    it; p is that of a ratio above the largest that is borne.

    In:     season, calendar — coefficients of the splines
    Source: SelfControlledCaseSeries 6.1.4, checkTimeStabilityAssumption. The peer takes all months for 31 days, a
            case's time for a month longer than it is, and leaves out months without outcomes; here days are counted.
    """
    from scipy.optimize import minimize_scalar
    from scipy.stats import chi2, poisson

    months = in_months(people)
    effect = np.zeros(len(months))
    if curves.season.shape[1]:
        effect += (curves.season @ season)[months.kind % 12]
    if curves.calendar.shape[1]:
        effect += (curves.calendar @ calendar)[curves.of_calendar(months.kind)]
    if not len(months) or not np.isfinite(effect).all():
        return Diagnostic(STABLE, None)
    weight = (months.last_day - months.first_day + 1) * np.exp(effect - effect.max())
    n_of_case = np.bincount(people.outcome_case, minlength=len(people))
    share = weight / np.bincount(months.case, weight, len(people))[months.case]
    from_month = int(months.kind.min())
    expected = np.bincount(months.kind - from_month, share * n_of_case[months.case])
    place = np.searchsorted(
        key_of(months.case, months.first_day), key_of(people.outcome_case, people.outcome_day), side="right"
    )
    observed = np.bincount(months.kind[place - 1] - from_month, minlength=len(expected))
    seen = expected > 0
    observed, expected = observed[seen], expected[seen]
    if len(expected) < 2:
        return Diagnostic(STABLE, None)

    def log_likelihood(ratio: float) -> float:
        above, below = poisson.logpmf(observed, expected * ratio), poisson.logpmf(observed, expected / ratio)
        return float(np.logaddexp(above, below).sum())

    grid = np.linspace(1, _LARGEST_RATIO, 91)
    best = int(np.argmax([log_likelihood(each) for each in grid]))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    ratio = float(minimize_scalar(lambda each: -log_likelihood(each), bounds=around, method="bounded").x)
    if most is None:
        return Diagnostic(STABLE, None, ratio)
    rise = log_likelihood(max(ratio, most)) - log_likelihood(min(ratio, most))
    p_value = float(chi2.sf(2 * rise, 1)) if rise > 0 else 1.0
    return Diagnostic(STABLE, p_value > ALPHA, ratio, p_value=p_value, most=most)


def all_hold(diagnostics: Iterable[Diagnostic], place: tuple[str, str | None] | None = None) -> bool:
    """Whether nothing that was looked at fails; a series in which nothing could be looked at does not hold.

    In: place — the window and exposure whose own diagnostics count too; None: those of the series as a whole
    """
    judged = [each for each in diagnostics if each.passed is not None]
    of_all = [each.passed for each in judged if each.window is None]
    own = [each.passed for each in judged if each.window is not None and (each.window, each.exposure) == place]
    return bool(of_all) and all(of_all) and all(own)
