from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from enclos.studies.regression.model import Likelihood, Prior, Status, Ties
from enclos.studies.regression.steps import cross_validate, fit, profile_interval, with_intercept

ALL = list(Likelihood)


def rows(n=60, p=2, seed=1):
    rng = np.random.default_rng(seed)
    x = sparse.csc_array((rng.random((n, p)) < 0.4).astype(float))
    outcome = (rng.random(n) < 0.4).astype(float)
    return x, outcome, {"time": rng.integers(1, 9, n).astype(float), "strata": rng.integers(0, 9, n)}


@pytest.mark.parametrize("likelihood", ALL)
def test_no_event_gives_no_number_and_says_so(likelihood):
    x, outcome, more = rows()
    found = fit(x, 0 * outcome, likelihood=likelihood, **more)
    assert found.status is Status.NO_EVENTS
    assert not found.converged
    assert np.isnan(found.coefficients).all()
    assert found.columns == ()


def test_nothing_but_events_is_nothing_to_explain():
    x, outcome, more = rows()
    assert fit(x, 0 * outcome + 1, likelihood=Likelihood.LOGISTIC, **more).status is Status.NO_EVENTS
    found = fit(x, 0 * outcome + 1, likelihood=Likelihood.CONDITIONAL_LOGISTIC, **more)
    assert found.status is Status.NO_EVENTS


@pytest.mark.parametrize("likelihood", ALL)
def test_a_column_of_zeros_is_left_out_and_the_others_are_fitted(likelihood):
    x, outcome, more = rows()
    wide = sparse.csc_array(sparse.hstack([x[:, [0]], 0 * x[:, [0]], x[:, [1]]]))
    found, narrow = (fit(design, outcome, likelihood=likelihood, **more) for design in (wide, x))
    assert narrow.converged
    assert found.status is Status.NOT_IDENTIFIED
    assert found.unidentified == (1,)
    assert math.isnan(found.coefficients[1])
    np.testing.assert_allclose(found.coefficients[[0, 2]], narrow.coefficients, atol=1e-8)
    np.testing.assert_allclose(found.covariance(), narrow.covariance(), rtol=1e-8)


@pytest.mark.parametrize(
    "likelihood", [Likelihood.COX, Likelihood.CONDITIONAL_LOGISTIC, Likelihood.CONDITIONAL_POISSON]
)
def test_a_constant_column_says_nothing_within_strata(likelihood):
    x, outcome, more = rows()
    found = fit(with_intercept(x), outcome, likelihood=likelihood, **more)
    assert found.unidentified == (0,)


def test_the_later_of_two_equal_columns_is_left_out():
    x, outcome, _ = rows()
    found = fit(sparse.csc_array(sparse.hstack([x, x[:, [0]]])), outcome, likelihood=Likelihood.LOGISTIC)
    assert found.unidentified == (2,)


@pytest.mark.parametrize("likelihood", ALL)
def test_a_column_that_no_event_has_runs_off_and_is_named(likelihood):
    x, _, more = rows(200)
    outcome = np.where(x[:, [0]].toarray()[:, 0] == 1, 0.0, np.arange(200) % 3 == 0)
    design = with_intercept(x) if likelihood in {Likelihood.LOGISTIC, Likelihood.POISSON} else x
    column = design.shape[1] - 2
    found = fit(design, outcome, likelihood=likelihood, **more)
    assert found.status is Status.SEPARATED
    assert found.unbounded == (column,)
    interval = profile_interval(found, column)
    assert interval.lower == -math.inf
    assert math.isfinite(interval.upper)
    penalised = fit(design, outcome, likelihood=likelihood, prior=Prior.normal(1.0, range(column)), **more)
    assert penalised.converged


def test_strata_without_an_event_add_nothing():
    x, outcome, more = rows()
    quiet = more["strata"] == 3
    outcome = np.where(quiet, 0.0, outcome)
    some = {name: values[~quiet] for name, values in more.items()}
    for likelihood in (Likelihood.COX, Likelihood.CONDITIONAL_LOGISTIC, Likelihood.CONDITIONAL_POISSON):
        found = fit(x, outcome, likelihood=likelihood, **more)
        without = fit(x[~quiet], outcome[~quiet], likelihood=likelihood, **some)
        np.testing.assert_allclose(found.coefficients, without.coefficients, atol=1e-9)


@pytest.mark.parametrize("likelihood", ALL)
def test_a_weight_of_zero_is_a_row_that_is_not_there(likelihood):
    x, outcome, more = rows()
    kept = np.arange(60) % 4 > 0
    found = fit(x, outcome, likelihood=likelihood, weights=kept.astype(float), **more)
    some = {name: values[kept] for name, values in more.items()}
    without = fit(x[kept], outcome[kept], likelihood=likelihood, **some)
    np.testing.assert_allclose(found.coefficients, without.coefficients, atol=1e-9)
    np.testing.assert_allclose(found.covariance(), without.covariance(), rtol=1e-7)


@pytest.mark.parametrize(
    "likelihood", [Likelihood.LOGISTIC, Likelihood.POISSON, Likelihood.COX, Likelihood.CONDITIONAL_POISSON]
)
def test_a_weight_of_two_is_the_row_twice(likelihood):
    x, outcome, more = rows()
    twice = np.repeat(np.arange(60), 1 + np.arange(60) % 2)
    found = fit(x, outcome, likelihood=likelihood, weights=1.0 + np.arange(60) % 2, **more)
    double = fit(
        x[twice], outcome[twice], likelihood=likelihood, **{name: values[twice] for name, values in more.items()}
    )
    np.testing.assert_allclose(found.coefficients, double.coefficients, atol=1e-9)
    np.testing.assert_allclose(found.log_likelihood, double.log_likelihood, rtol=1e-10)


def test_an_offset_is_a_column_whose_coefficient_is_known():
    x, outcome, _ = rows()
    design = with_intercept(x)
    found = fit(design, outcome, likelihood=Likelihood.LOGISTIC)
    offset = found.coefficients[1] * x[:, [0]].toarray()[:, 0]
    known = fit(design[:, [0, 2]], outcome, likelihood=Likelihood.LOGISTIC, offset=offset)
    np.testing.assert_allclose(known.coefficients, found.coefficients[[0, 2]], atol=1e-8)


def test_what_does_not_fit_together_is_said():
    x, outcome, more = rows()
    for wrong in (
        {"likelihood": Likelihood.COX},
        {"likelihood": Likelihood.CONDITIONAL_POISSON},
        {"likelihood": Likelihood.COX, "ties": Ties.EXACT, **more},
        {"likelihood": Likelihood.LOGISTIC, "weights": -np.ones(60)},
        {"likelihood": Likelihood.POISSON, "time": np.zeros(60)},
        {"likelihood": Likelihood.CONDITIONAL_LOGISTIC, "weights": np.full(60, 0.5), **more},
        {"likelihood": Likelihood.LOGISTIC, "offset": np.full(60, np.nan)},
        {"likelihood": Likelihood.LOGISTIC, "prior": Prior.laplace(1.0, [7])},
    ):
        with pytest.raises(ValueError, match=r"\w"):
            fit(x, outcome, **wrong)
    with pytest.raises(ValueError, match="0 or 1"):
        fit(x, 2 * outcome, likelihood=Likelihood.LOGISTIC)
    with pytest.raises(ValueError, match="positive"):
        Prior.laplace(0.0)


def test_cross_validation_is_the_same_for_the_same_seed_and_tells_what_it_tried():
    rng = np.random.default_rng(5)
    x = sparse.csc_array((rng.random((400, 30)) < 0.2).astype(float))
    eta = x @ np.r_[np.full(4, 1.0), np.zeros(26)] - 1
    outcome = (rng.random(400) < 1 / (1 + np.exp(-eta))).astype(float)
    asked = {"likelihood": Likelihood.LOGISTIC, "prior": Prior.laplace(0.1, [0]), "folds": 5}
    variance, found = cross_validate(with_intercept(x), outcome, seed=3, **asked)
    again, same = cross_validate(with_intercept(x), outcome, seed=3, **asked)
    assert variance == again
    np.testing.assert_array_equal(found.coefficients, same.coefficients)
    best = max(found.trials, key=lambda trial: trial.log_likelihood)
    assert best.variance == variance
    chosen, _ = cross_validate(with_intercept(x), outcome, seed=3, grid=[0.001, variance, 10.0], **asked)
    assert chosen == pytest.approx(variance)


@pytest.mark.parametrize("variance", [0.001, 0.1, 1.0])
def test_columns_that_say_the_same_between_them_are_fitted_under_a_laplace_prior(variance):
    rng = np.random.default_rng(0)
    n = 300
    sexes, months = np.eye(2)[rng.integers(0, 2, n)], np.eye(6)[rng.integers(0, 6, n)]
    ill = rng.random(n) < 0.3
    lately = ill & (rng.random(n) < 0.95)
    design = with_intercept(sparse.csc_array(np.c_[sexes, months, ill, lately, rng.poisson(3, n) / 9]))
    outcome = (rng.random(n) < 1 / (1 + np.exp(0.5 - 1.2 * ill))).astype(float)
    found = fit(design, outcome, likelihood=Likelihood.LOGISTIC, prior=Prior.laplace(variance, [0]))
    assert found.converged
    slope = design.T @ (outcome - 1 / (1 + np.exp(-design @ found.coefficients)))
    rate = math.sqrt(2 / variance)
    at_zero = found.coefficients[1:] == 0
    assert slope[0] == pytest.approx(0, abs=1e-3)
    assert (np.abs(slope[1:][at_zero]) <= rate + 1e-3).all()
    np.testing.assert_allclose(slope[1:][~at_zero], rate * np.sign(found.coefficients[1:][~at_zero]), atol=1e-3)


def test_what_is_not_finite_has_no_variance_and_the_others_have_theirs():
    """Nobody with the first column has the event: its coefficient runs off, and its rows say nothing of the others."""
    x, outcome, _ = rows(200, 3)
    outcome[np.asarray(x[:, [0]].todense()).ravel() > 0] = 0
    found = fit(with_intercept(x), outcome, likelihood=Likelihood.LOGISTIC)
    assert found.status is Status.SEPARATED
    assert found.unbounded == (1,)
    covariance = found.covariance()
    assert np.isnan(covariance[1]).all()
    assert np.isnan(covariance[:, 1]).all()
    assert np.isnan(found.standard_errors()[1])
    assert np.isnan(found.robust_covariance()[1]).all()
    kept = np.asarray(x[:, [0]].todense()).ravel() == 0
    rest = fit(with_intercept(sparse.csc_array(x[:, [1, 2]][kept])), outcome[kept], likelihood=Likelihood.LOGISTIC)
    others = np.ix_([0, 2, 3], [0, 2, 3])
    np.testing.assert_allclose(covariance[others], rest.covariance(), rtol=1e-4)
    np.testing.assert_allclose(found.robust_covariance()[others], rest.robust_covariance(), rtol=1e-4)


@pytest.mark.parametrize("likelihood", ALL)
def test_two_rows_that_tell_all_apart_give_no_variance_and_no_warning(likelihood):
    design, outcome = sparse.csc_array([[1.0], [0.0], [1.0], [0.0]]), np.array([1.0, 0.0, 1.0, 0.0])
    found = fit(design, outcome, likelihood=likelihood, time=np.ones(4), strata=np.array([0, 0, 1, 1]))
    if found.unbounded:
        assert np.isnan(found.standard_errors()).all()
        assert np.isnan(found.covariance()).all()


def test_a_column_alike_within_strata_says_nothing_however_rounded():
    x, _, more = rows(400)
    counts = np.random.default_rng(2).poisson(1.0, 400).astype(float)
    alike = sparse.csc_array(0.1 + 0.7 * more["strata"].reshape(-1, 1))
    wide = sparse.csc_array(sparse.hstack([x, alike]))
    found = fit(wide, counts, likelihood=Likelihood.CONDITIONAL_POISSON, **more)
    assert found.unidentified == (2,)
    narrow = fit(x, counts, likelihood=Likelihood.CONDITIONAL_POISSON, **more)
    np.testing.assert_allclose(found.coefficients[:2], narrow.coefficients, atol=1e-8)
