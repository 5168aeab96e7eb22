"""What Cyclops gives at a fixed variance, and near what its cross-validation chooses.

Where the reference data are absent, data are made, and the reference is a general optimiser of SciPy on the lasso
written as a smooth problem with bounds, which shares no code with the engine.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize, sparse

from enclos.studies.regression.model import Likelihood, Prior
from enclos.studies.regression.steps import cross_validate, fit, with_intercept
from shared_data import shared

KINDS = {"lr": Likelihood.LOGISTIC, "pr": Likelihood.POISSON, "cox": Likelihood.COX}
VARIANCE = 0.1
PRINTED = {"lr": -1052.58088898, "pr": -4041.08267124, "cox": -11623.9159017}
"""Log-likelihoods that Cyclops printed."""
CHOSEN = {"lr": 0.0490522443057, "pr": 0.0236145425202, "cox": 0.046354763542}
"""Variances that its cross-validation chose, with folds of its own."""
AS_GOOD = {"lr": 6.0, "pr": 2.0, "cox": 3.0}
"""How much better than theirs our variance may be in held-out log-likelihood: the profile is that flat."""


@dataclass(frozen=True)
class Case:
    design: sparse.csc_array
    outcome: np.ndarray
    time: np.ndarray
    coefficients: np.ndarray
    log_likelihood: float | None


def table(name: str) -> list[dict[str, str]]:
    path = shared("oracle", "estimation", f"cyclops_{name}.csv.gz")
    assert path is not None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def from_cyclops(kind: str) -> Case:
    outcomes, covariates = table(f"{kind}_outcomes"), table(f"{kind}_covariates")
    row = {each["rowId"]: number for number, each in enumerate(outcomes)}
    told = {each["covariateId"]: float(each["beta"]) for each in table(f"{kind}_coef_laplace_var0.1")}
    column = {name: number for number, name in enumerate(name for name in told if name != "(Intercept)")}
    places = ([row[each["rowId"]] for each in covariates], [column[each["covariateId"]] for each in covariates])
    values = [float(each["covariateValue"]) for each in covariates]
    design = sparse.csc_array((values, places), shape=(len(row), len(column)))
    return Case(
        design if kind == "cox" else with_intercept(design),
        np.array([float(each["y"]) for each in outcomes]),
        np.array([float(each.get("time", 1)) for each in outcomes]),
        np.array(list(told.values())),
        PRINTED[kind],
    )


def made_here(kind: str) -> Case:
    rng = np.random.default_rng(8)
    design = sparse.csc_array((rng.random((300, 12)) < 0.2).astype(float))
    eta, time = design @ np.r_[0.9, -0.7, 0.5, np.zeros(9)] - 1, rng.integers(1, 60, 300).astype(float)
    outcome = (rng.random(300) < 1 / (1 + np.exp(-eta))).astype(float)
    if kind == "pr":
        outcome = rng.poisson(time * np.exp(eta) / 30).astype(float)
    design = design if kind == "cox" else with_intercept(design)
    n = design.shape[1]
    rate = np.full(n, np.sqrt(2 / VARIANCE))
    rate[: kind != "cox"] = 0.0

    def loss(halves: np.ndarray) -> float:
        eta = design @ (halves[:n] - halves[n:])
        if kind == "lr":
            value = outcome @ eta - np.logaddexp(0, eta).sum()
        elif kind == "pr":
            value = outcome @ (eta + np.log(time)) - (time * np.exp(eta)).sum()
        else:
            value = outcome @ (eta - np.log((time[None, :] >= time[:, None]) @ np.exp(eta)))
        return float(-value + np.r_[rate, rate] @ halves)

    how = {"maxiter": 5000, "maxfun": 10**6, "ftol": 1e-15, "gtol": 1e-8}
    best = optimize.minimize(loss, np.zeros(2 * n), method="L-BFGS-B", bounds=[(0, None)] * 2 * n, options=how)
    return Case(design, outcome, time, best.x[:n] - best.x[n:], None)


@pytest.fixture(scope="module", params=list(KINDS))
def known(request) -> tuple[str, Case]:
    make = from_cyclops if shared("oracle", "estimation") else made_here
    return request.param, make(request.param)


def asked(kind: str, case: Case) -> dict:
    prior = Prior.laplace(VARIANCE, [] if kind == "cox" else [0])
    return {"likelihood": KINDS[kind], "time": None if kind == "lr" else case.time, "prior": prior}


def test_coefficients_at_a_fixed_variance(known):
    kind, case = known
    found = fit(case.design, case.outcome, **asked(kind, case))
    assert found.converged
    np.testing.assert_allclose(found.coefficients, case.coefficients, atol=1e-4)
    if case.log_likelihood is not None:
        np.testing.assert_allclose(found.log_likelihood, case.log_likelihood, rtol=1e-11)
        np.testing.assert_allclose(found.coefficients, case.coefficients, atol=1e-8)


def test_the_search_ends_where_held_out_rows_are_told_as_well_as_anywhere(known):
    kind, case = known
    variance, found = cross_validate(case.design, case.outcome, seed=1, **asked(kind, case))
    told = {trial.variance: trial.log_likelihood for trial in found.trials}
    grid = [CHOSEN[kind], *np.geomspace(0.003, 1.0, 8)]
    _, gridded = cross_validate(case.design, case.outcome, seed=1, grid=grid, **asked(kind, case))
    by_variance = {trial.variance: trial.log_likelihood for trial in gridded.trials}
    assert told[variance] >= max(by_variance.values()) - 0.5
    theirs = min(by_variance.items(), key=lambda each: abs(each[0] - CHOSEN[kind]))[1]
    if case.log_likelihood is not None:
        assert told[variance] - theirs < AS_GOOD[kind]


def test_cohort_method_s_propensity_model_at_a_fixed_variance():
    """14 522 covariates of 10 000 persons, by the steps of CohortMethod: rare ones out, each over its largest value."""
    if shared("oracle", "estimation") is None:
        case = made_here("lr")
        design = case.design @ sparse.diags_array(np.r_[1.0, np.full(12, 0.5)])
        found = fit(design, case.outcome, likelihood=Likelihood.LOGISTIC, prior=Prior.laplace(VARIANCE * 4, [0]))
        np.testing.assert_allclose(found.coefficients[1:] / 2, case.coefficients[1:], atol=1e-4)
        return
    design, outcome, covariates = propensity_rows()
    found = fit(design, outcome, likelihood=Likelihood.LOGISTIC, prior=Prior.laplace(0.01, [0]))
    path = shared("oracle", "estimation", "cm_ps_model_fixedvar0.01.csv.gz")
    assert path is not None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        told = {each["covariateId"]: float(each["coefficient"]) for each in csv.DictReader(file)}
    theirs = np.array([told.get("NA", 0.0), *(told.get(covariate, 0.0) for covariate in covariates)])
    assert np.count_nonzero(theirs) == len(told)
    np.testing.assert_allclose(found.coefficients, theirs, atol=1e-7)


def propensity_rows() -> tuple[sparse.csc_array, np.ndarray, list[str]]:
    folder = shared("oracle", "estimation")
    assert folder is not None
    with gzip.open(folder / "cm_studypop.csv.gz", "rt", encoding="utf-8") as file:
        persons = [(each["rowId"], float(each["treatment"])) for each in csv.DictReader(file)]
    row = {person: number for number, (person, _) in enumerate(persons)}
    column: dict[str, int] = {}
    places: list[tuple[int, int, float]] = []
    with gzip.open(folder / "cm_covariates.csv.gz", "rt", encoding="utf-8") as file:
        for person, covariate, value in list(csv.reader(file))[1:]:
            if person in row:
                places.append((row[person], column.setdefault(covariate, len(column)), float(value)))
    rows, columns, values = zip(*places, strict=True)
    design = sparse.csc_array((values, (rows, columns)), shape=(len(row), len(column)))
    common = np.flatnonzero(np.diff(design.indptr) >= 0.001 * len(row))
    design = design[:, common]
    design = design @ sparse.diags_array(1 / abs(design).max(axis=0).toarray())
    names = list(column)
    return with_intercept(design), np.array([treated for _, treated in persons]), [names[number] for number in common]
