from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from enclos.studies.regression.model import Fit, Likelihood, Prior
from enclos.studies.regression.steps import fit, with_intercept


def windows(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """What real covariates are like: the same event in windows within each other, repeats, whole sets of categories."""
    columns = []
    for _ in range(k):
        long = rng.random(n) < rng.choice([0.05, 0.1, 0.4])
        columns += [long, *(long & (rng.random(n) < share) for share in (0.98, 0.9, 0.6))]
        columns += [long] * (rng.random() < 0.3)
    columns += [*np.eye(12)[rng.integers(0, 12, n)].T, *np.eye(20)[rng.integers(0, 20, n)].T]
    plain = np.column_stack(columns).astype(float)
    return np.c_[plain, plain.sum(axis=1) / plain.sum(axis=1).max(), rng.poisson(3, n) / 9]


def unmet(found: Fit, design: sparse.csc_array, slope: np.ndarray, variance: float, exempt: list[int]) -> float:
    """By how much the slope misses what a maximum asks of it."""
    rate = np.full(design.shape[1], math.sqrt(2 / variance))
    rate[exempt] = 0.0
    along = design.T @ slope
    at_zero = (found.coefficients == 0) & (rate > 0)
    missing = np.where(at_zero, np.maximum(np.abs(along) - rate, 0.0), along - rate * np.sign(found.coefficients))
    return float(np.abs(missing).max())


@pytest.mark.parametrize("variance", [0.001, 0.1, 10.0])
@pytest.mark.parametrize("likelihood", [Likelihood.LOGISTIC, Likelihood.POISSON, Likelihood.COX])
def test_windows_within_windows_are_fitted_in_few_steps(likelihood, variance):
    rng = np.random.default_rng(0)
    n = 600
    design = sparse.csc_array(windows(rng, n, 40))
    effect = np.where(rng.random(design.shape[1]) < 0.1, rng.normal(size=design.shape[1]), 0.0)
    eta, exempt, time = design @ effect - 1, [0], None
    if likelihood is Likelihood.LOGISTIC:
        outcome = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    elif likelihood is Likelihood.POISSON:
        outcome = rng.poisson(np.exp(np.clip(eta, -5, 3))).astype(float)
    else:
        outcome, exempt = (rng.random(n) < 0.5).astype(float), []
        time = np.ceil(10 * rng.exponential(np.exp(-eta - 1))) + 1
    design = with_intercept(design) if exempt else design
    found = fit(design, outcome, likelihood=likelihood, time=time, prior=Prior.laplace(variance, exempt))
    assert found.converged
    assert found.n_iterations < 60
    eta = design @ found.coefficients
    if likelihood is Likelihood.COX:
        at_risk = time[None, :] >= time[:, None]
        hazard = outcome / (at_risk @ np.exp(eta))
        slope = outcome - np.exp(eta) * (at_risk.T @ hazard)
    else:
        slope = outcome - (np.exp(eta) if likelihood is Likelihood.POISSON else 1 / (1 + np.exp(-eta)))
    assert unmet(found, design, slope, variance, exempt) < 1e-5
