"""The likelihoods against their definitions, and the fits against a general optimiser that is told no derivative."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from enclos.studies.regression.model import Family, Likelihood, Prior, Ties
from enclos.studies.regression.rules.case_sets import case_sets
from enclos.studies.regression.rules.risk_sets import cox
from enclos.studies.regression.rules.rows import Logistic, Poisson
from enclos.studies.regression.rules.strata import conditional_poisson
from enclos.studies.regression.steps import fit, log_likelihood_profile, profile_interval
from oracle import regression as slow

KINDS = [
    (Likelihood.LOGISTIC, None),
    (Likelihood.POISSON, None),
    (Likelihood.COX, Ties.BRESLOW),
    (Likelihood.COX, Ties.EFRON),
    (Likelihood.CONDITIONAL_LOGISTIC, Ties.EXACT),
    (Likelihood.CONDITIONAL_POISSON, None),
]


class Rows:
    """Rows of a random study, few enough for the slow definitions."""

    def __init__(self, seed: int, n: int = 24, n_strata: int = 4) -> None:
        rng = np.random.default_rng(seed)
        self.x = np.round(rng.normal(size=(n, 2)), 1)
        self.time = rng.integers(1, 6, n).astype(float)
        self.strata = rng.integers(0, n_strata, n)
        self.weights = rng.integers(1, 5, n) / 2
        self.binary = (rng.random(n) < 0.4).astype(float)
        self.counts = rng.poisson(self.time / 2).astype(float)
        self.eta = rng.normal(size=n)
        self.along = rng.normal(size=n)

    def fast(self, likelihood, ties):
        if likelihood is Likelihood.LOGISTIC:
            return Logistic(self.binary, self.weights)
        if likelihood is Likelihood.POISSON:
            return Poisson(self.counts, self.weights)
        if likelihood is Likelihood.COX:
            return cox(self.binary, self.time, self.strata, self.weights, ties)
        if likelihood is Likelihood.CONDITIONAL_LOGISTIC:
            return case_sets(self.binary, self.strata)
        return conditional_poisson(self.counts, self.strata, np.ones(len(self.eta)))

    def slow(self, likelihood, ties, eta):
        if likelihood is Likelihood.LOGISTIC:
            return slow.logistic(eta, self.binary, self.weights)
        if likelihood is Likelihood.POISSON:
            return slow.poisson(eta, self.counts, self.weights)
        if likelihood is Likelihood.COX:
            return slow.cox(eta, self.binary, self.time, self.strata, self.weights, efron=ties is Ties.EFRON)
        if likelihood is Likelihood.CONDITIONAL_LOGISTIC:
            return slow.conditional_logistic(eta, self.binary, self.strata)
        return slow.conditional_poisson(eta, self.counts, self.strata)

    def arguments(self, likelihood, ties):
        counted = likelihood in {Likelihood.POISSON, Likelihood.CONDITIONAL_POISSON}
        conditional = likelihood in {Likelihood.CONDITIONAL_LOGISTIC, Likelihood.CONDITIONAL_POISSON}
        return {
            "design": sparse.csc_array(self.x),
            "outcome": self.counts if counted else self.binary,
            "likelihood": likelihood,
            "ties": ties,
            "time": None if conditional or likelihood is Likelihood.LOGISTIC else self.time,
            "strata": self.strata if conditional or likelihood is Likelihood.COX else None,
            "weights": None if conditional else self.weights,
        }

    def objective(self, likelihood, ties, prior, coefficients):
        offset = np.log(self.time) if likelihood is Likelihood.POISSON else 0.0
        penalty = prior.rate * np.abs(coefficients).sum() + prior.precision / 2 * (coefficients @ coefficients)
        return self.slow(likelihood, ties, (self.x @ coefficients + offset).tolist()) - penalty


@pytest.mark.parametrize(("likelihood", "ties"), KINDS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_value_slope_and_curvature_are_those_of_the_definition(likelihood, ties, seed):
    rows = Rows(seed)
    local = rows.fast(likelihood, ties).at(rows.eta)
    value = rows.slow(likelihood, ties, rows.eta.tolist())
    assert math.isclose(local.value, value, rel_tol=1e-10, abs_tol=1e-10)
    small = 1e-5
    ahead, behind = (rows.fast(likelihood, ties).at(rows.eta + sign * small * rows.along) for sign in (1, -1))
    up, down = (rows.slow(likelihood, ties, (rows.eta + sign * small * rows.along).tolist()) for sign in (1, -1))
    assert math.isclose(local.slope @ rows.along, (up - down) / (2 * small), rel_tol=1e-5, abs_tol=1e-5)
    bend = (behind.slope - ahead.slope) / (2 * small)
    np.testing.assert_allclose(local.curve(rows.along), bend, rtol=1e-5, atol=1e-6)
    both = local.curve(np.column_stack([rows.along, rows.eta]))
    np.testing.assert_allclose(both[:, 0], local.curve(rows.along), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(local.scores(rows.x).sum(axis=0), local.slope @ rows.x, rtol=1e-9, atol=1e-9)


def _simplex(loss, start):
    told = {"xatol": 1e-7, "fatol": 1e-11, "maxiter": 2000}
    told["initial_simplex"] = start + np.array([[0.0, 0.0], [0.5, 0.1], [-0.1, 0.5]])
    return optimize.minimize(loss, start, method="Nelder-Mead", options=told)


@pytest.mark.parametrize("prior", [Prior.none(), Prior.normal(0.3), Prior.laplace(0.3)], ids=lambda prior: prior.family)
@pytest.mark.parametrize(("likelihood", "ties"), KINDS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=4, deadline=None)
def test_a_fit_is_where_a_general_optimiser_ends(likelihood, ties, prior, seed):
    rows = Rows(seed)
    found = fit(prior=prior, **rows.arguments(likelihood, ties))

    def loss(coefficients):
        return -rows.objective(likelihood, ties, prior, np.clip(coefficients, -30, 30))

    best, before = _simplex(loss, np.array([0.1, -0.1])), np.inf
    while before - best.fun > 1e-11:  # its simplex may fold up before the end: it is spread out again, until it stays
        best, before = _simplex(loss, best.x), best.fun
    if not found.converged:
        assert prior.family is Family.NONE
        assert found.unbounded or found.unidentified or np.isnan(found.coefficients).all()
        return
    np.testing.assert_allclose(found.log_likelihood + found.log_prior, -best.fun, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.coefficients, best.x, atol=2e-4)


@pytest.mark.parametrize(("likelihood", "ties"), KINDS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=4, deadline=None)
def test_a_profile_is_the_best_of_the_others_and_the_interval_ends_where_it_has_fallen(likelihood, ties, seed):
    rows = Rows(seed)
    found = fit(**rows.arguments(likelihood, ties))
    if not found.converged:
        return
    at = float(found.coefficients[0]) + 0.3
    best = optimize.minimize_scalar(
        lambda other: -rows.objective(likelihood, ties, Prior.none(), np.array([at, other])),
        bracket=(found.coefficients[1] - 0.5, found.coefficients[1] + 0.5),
        tol=1e-10,
    )
    (value,) = log_likelihood_profile(found, 0, np.array([at]))
    np.testing.assert_allclose(value, -best.fun, rtol=1e-8, atol=1e-8)
    interval = profile_interval(found, 0)
    ends = np.array([end for end in (interval.lower, interval.upper) if math.isfinite(end)])
    fallen = found.log_likelihood - log_likelihood_profile(found, 0, ends)
    np.testing.assert_allclose(fallen, 1.9207294103470645, rtol=1e-6)
