"""One-shot likelihood profiles: sites send the log-likelihood of an effect on a grid; their sum is as good as the data.

Between points a profile is a cubic spline; beyond its ends it goes on along its slope where that falls, and stays
level where it does not, so that a site never speaks for effects that it did not look at.
Source: Schuemie et al., Combining Cox regressions across a heterogeneous distributed research network facing small and
zero counts, Statistical Methods in Medical Research 31 (2022) 438; OHDSI EvidenceSynthesis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar
from scipy.special import chdtri

from enclos.studies.calibration.model import Estimate, Floats, Interval, Profile

_FINE = 8
"""Points between two points of a grid where the highest is looked for first."""
_BEYOND = 0.5
"""How far, in the width of the grid, an end is looked for outside it."""


def log_likelihood(profile: Profile) -> Callable[[Floats], Floats]:
    """The log-likelihood at any effect, from those on the grid; highest value 0."""
    points, values = profile.points, profile.values - profile.values.max()
    spline = CubicSpline(points, values)
    first = max(0.0, (values[1] - values[0]) / (points[1] - points[0]))
    last = min(0.0, (values[-1] - values[-2]) / (points[-1] - points[-2]))

    def at(effects: Floats) -> Floats:
        inside = spline(np.clip(effects, points[0], points[-1]))
        below, above = np.minimum(effects - points[0], 0), np.maximum(effects - points[-1], 0)
        return np.asarray(inside + first * below + last * above)

    return at


def normal_profile(estimate: Estimate, points: Sequence[float]) -> Profile:
    """The profile that a normal estimate has, for a site that sent no other."""
    at = np.asarray(points, dtype=np.float64)
    return Profile(at, -0.5 * ((at - estimate.log) / estimate.standard_error) ** 2)


def pooled_profile(profiles: Sequence[Profile], level: float = 0.95) -> Interval:
    """The effect that all sites together make most likely, one for all, and its profile likelihood interval.

    Empty: None for what does not exist: a likelihood that rises to the end of all grids has no highest point and no
           end on that side
    """
    if not profiles:
        return Interval(None, None, None, level)
    parts = [log_likelihood(each) for each in profiles]

    def total(effect: float) -> float:
        at = np.array([effect])
        return float(sum(part(at)[0] for part in parts))

    low, high = min(each.points[0] for each in profiles), max(each.points[-1] for each in profiles)
    step = min(float(np.diff(each.points).min()) for each in profiles) / _FINE
    grid = np.linspace(low, high, max(2, math.ceil((high - low) / step)) + 1)
    sums = np.sum([part(grid) for part in parts], axis=0)
    top = int(sums.argmax())
    drop = float(chdtri(1, 1 - level)) / 2
    if 0 < top < len(grid) - 1:
        best = minimize_scalar(lambda x: -total(x), bounds=(grid[top - 1], grid[top + 1]), options={"xatol": 1e-10})
        log, highest = float(best.x), float(-best.fun)
    else:
        log, highest = float(grid[top]), float(sums[top])
    reach = _BEYOND * (high - low)
    lower = _crossing(lambda x: total(x) - highest + drop, log, low - reach)
    upper = _crossing(lambda x: total(x) - highest + drop, log, high + reach)
    return Interval(log if 0 < top < len(grid) - 1 else None, lower, upper, level)


def _crossing(above: Callable[[float], float], inside: float, outside: float) -> float | None:
    return None if above(outside) >= 0 else float(brentq(above, outside, inside, xtol=1e-10))


@dataclass(frozen=True, slots=True)
class Posterior:
    """What sites say together when their effects differ: mean and spread between them, with credible intervals."""

    log: float
    standard_error: float
    lower: float
    upper: float
    tau: float
    tau_lower: float
    tau_upper: float


_PRIOR_SD, _PRIOR_TAU = 2.0, 0.5
"""Of the mean effect (normal) and of the spread between sites (half-normal). Source: EvidenceSynthesis' defaults."""
_N_TAU, _FEWEST_EFFECTS, _MOST_EFFECTS = 81, 801, 4001
_PER_ERROR = 2.5
"""Nodes for each standard error of the surest site."""


def pooled_posterior(
    profiles: Sequence[Profile], level: float = 0.95, *, prior_sd: float = _PRIOR_SD
) -> Posterior | None:
    """Random effects from profiles: the posterior of mean and spread, summed over a grid, the same every time.

    The interval is the narrowest that holds the level, as in the peer, which samples it.
    In:    prior_sd — of the mean effect about none; infinite for what is no ratio
    Empty: None without profiles
    Source: EvidenceSynthesis, computeBayesianMetaAnalysis
    """
    if not profiles:
        return None
    low, high = min(each.points[0] for each in profiles), max(each.points[-1] for each in profiles)
    finest = min(map(_standard_error, profiles)) / _PER_ERROR
    n_effects = min(max(math.ceil((high - low) / finest) + 1, _FEWEST_EFFECTS), _MOST_EFFECTS)
    effects = np.linspace(low, high, n_effects)
    step = effects[1] - effects[0]
    # Small spreads are looked at closely: nodes lie as squares, each for the stretch about it.
    roots = np.linspace(0, 1, _N_TAU)
    taus = 4 * _PRIOR_TAU * roots**2
    logs = [log_likelihood(each)(effects) for each in profiles]
    likelihoods = np.array([*(np.exp(values - values.max()) for values in logs), np.ones(n_effects)])
    log_posterior = np.empty((_N_TAU, n_effects))
    offsets = step * np.arange(1 - n_effects, n_effects)
    n_nodes = 1 << (3 * n_effects).bit_length()
    waves = np.fft.rfft(likelihoods, n_nodes)
    for index, tau in enumerate(taus):
        spread = likelihoods
        if tau >= step:
            kernel = np.exp(-(offsets**2) / (2 * tau**2))
            spread = np.fft.irfft(np.fft.rfft(kernel, n_nodes) * waves, n_nodes)[:, n_effects - 1 : 2 * n_effects - 1]
        # The last row says how much of the spread lies on the grid.
        log_posterior[index] = np.log(np.maximum(spread[:-1] / spread[-1], 1e-300)).sum(axis=0)
    log_posterior -= effects**2 / (2 * prior_sd**2) + taus[:, None] ** 2 / (2 * _PRIOR_TAU**2)
    weights = np.exp(log_posterior - log_posterior.max()) * np.maximum(roots, roots[1] / 4)[:, None]
    weights /= weights.sum()
    of_effect, of_tau = weights.sum(axis=0), weights.sum(axis=1)
    mean = float(of_effect @ effects)
    deviation = math.sqrt(float(of_effect @ (effects - mean) ** 2))
    lower, upper = _narrowest(effects, of_effect, level)
    tau_lower, tau_upper = _narrowest(taus, of_tau, level)
    middle = float(np.interp(0.5, np.cumsum(of_tau) - of_tau / 2, taus))
    return Posterior(mean, deviation, lower, upper, middle, tau_lower, tau_upper)


def _standard_error(profile: Profile) -> float:
    """What the curve of a profile at its highest point says; infinite where it has none."""
    points, values = profile.points, profile.values
    at = min(max(int(values.argmax()), 1), len(points) - 2)
    slopes = np.diff(values[at - 1 : at + 2]) / np.diff(points[at - 1 : at + 2])
    curvature = 2 * float(slopes[0] - slopes[1]) / float(points[at + 1] - points[at - 1])
    return 1 / math.sqrt(curvature) if curvature > 0 else math.inf


def _narrowest(at: Floats, weights: Floats, level: float) -> tuple[float, float]:
    """The ends of the shortest stretch that holds so much of the weight."""
    cumulated = np.concatenate(([0.0], np.cumsum(weights)))
    cumulated /= cumulated[-1]
    edges = np.concatenate(([at[0]], (at[1:] + at[:-1]) / 2, [at[-1]]))
    starts = np.linspace(0, 1 - level, 401)
    lower, upper = np.interp(starts, cumulated, edges), np.interp(starts + level, cumulated, edges)
    best = int((upper - lower).argmin())
    return float(lower[best]), float(upper[best])
