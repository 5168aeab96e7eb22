"""Every likelihood against R: survival's coxph with ties, strata, weights and clusters; glm for the rest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from enclos.studies.regression.model import Fit, Likelihood, Ties
from enclos.studies.regression.steps import fit, with_intercept

pytestmark = pytest.mark.system("r-cran-survival")

TOLERANCE = {"rtol": 1e-6, "atol": 1e-8}
Table = dict[str, np.ndarray]


def cox_rows(rng: np.random.Generator) -> Table:
    n = 180
    x = rng.normal(size=(n, 3))
    x[:, 1] = rng.random(n) < 0.4
    time = np.ceil(20 * rng.exponential(np.exp(-0.5 * x[:, 0] - 0.3 * x[:, 1]), n) + 0.01)
    return {
        "x1": x[:, 0], "x2": x[:, 1], "x3": x[:, 2], "time": time,
        "event": (rng.random(n) < 0.7).astype(float), "stratum": rng.integers(0, 9, n),
        "weight": rng.integers(1, 9, n) / 4, "cluster": rng.integers(0, 40, n),
    }  # fmt: skip


def case_rows(rng: np.random.Generator) -> Table:
    stratum = np.repeat(np.arange(40), rng.integers(2, 9, 40))
    x = rng.normal(size=(len(stratum), 2))
    event = (rng.random(len(stratum)) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    return {"x1": x[:, 0], "x2": np.round(x[:, 1]), "event": event, "stratum": stratum}


def count_rows(rng: np.random.Generator) -> Table:
    stratum = np.repeat(np.arange(30), rng.integers(2, 7, 30))
    n = len(stratum)
    x, time = rng.normal(size=(n, 2)), rng.integers(1, 400, n).astype(float)
    count = rng.poisson(time * 0.005 * np.exp(0.6 * x[:, 0])).astype(float)
    weight = rng.integers(1, 4, n).astype(float)
    return {"x1": x[:, 0], "x2": x[:, 1], "time": time, "count": count, "stratum": stratum, "weight": weight}


TABLES = {"cox": cox_rows, "sets": case_rows, "counts": count_rows}


@pytest.fixture(scope="module")
def rows() -> dict[str, Table]:
    return {name: make(np.random.default_rng(20)) for name, make in TABLES.items()}


@pytest.fixture(scope="module")
def answers(rows, tmp_path_factory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("survival")
    for name, table in rows.items():
        lines = [",".join(table)]
        lines += [",".join(format(float(value), ".17g") for value in row) for row in zip(*table.values(), strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    script = Path(__file__).with_name("survival.R")
    done = subprocess.run(
        ["Rscript", "--vanilla", str(script), str(folder)], capture_output=True, text=True, check=True, timeout=120
    )
    said = (line.split() for line in done.stdout.splitlines() if ":" in line)
    return {name: np.array([float(value) for value in values]) for name, *values in said}


def columns(table: Table, *names: str) -> sparse.csc_array:
    return sparse.csc_array(np.column_stack([table[name] for name in names]))


def agree(fitted: Fit, answers: dict[str, np.ndarray], name: str) -> None:
    assert fitted.converged
    np.testing.assert_allclose(fitted.coefficients, answers[f"{name}:coefficients"], **TOLERANCE)
    np.testing.assert_allclose(fitted.covariance().ravel(), answers[f"{name}:covariance"], **TOLERANCE)
    if f"{name}:log-likelihood" in answers:
        np.testing.assert_allclose(fitted.log_likelihood, answers[f"{name}:log-likelihood"], rtol=1e-10)


@pytest.mark.parametrize("ties", [Ties.BRESLOW, Ties.EFRON])
@pytest.mark.parametrize("layers", ["one", "many"])
@pytest.mark.parametrize("weighing", ["plain", "weighted"])
def test_cox_is_coxph(rows, answers, ties, layers, weighing):
    table = rows["cox"]
    fitted = fit(
        columns(table, "x1", "x2", "x3"),
        table["event"],
        likelihood=Likelihood.COX,
        time=table["time"],
        strata=table["stratum"] if layers == "many" else None,
        weights=table["weight"] if weighing == "weighted" else None,
        ties=ties,
    )
    name = f"{ties}-{layers}-{weighing}"
    agree(fitted, answers, name)
    np.testing.assert_allclose(fitted.robust_covariance().ravel(), answers[f"{name}:robust"], **TOLERANCE)
    clustered = fitted.robust_covariance(table["cluster"]).ravel()
    np.testing.assert_allclose(clustered, answers[f"{name}:clustered"], **TOLERANCE)


@pytest.mark.parametrize("ties", list(Ties))
def test_conditional_logistic_is_clogit(rows, answers, ties):
    table = rows["sets"]
    fitted = fit(
        columns(table, "x1", "x2"),
        table["event"],
        likelihood=Likelihood.CONDITIONAL_LOGISTIC,
        strata=table["stratum"],
        ties=ties,
    )
    agree(fitted, answers, ties.value)


def test_conditional_poisson_is_a_poisson_with_an_effect_per_stratum(rows, answers):
    table = rows["counts"]
    fitted = fit(
        columns(table, "x1", "x2"),
        table["count"],
        likelihood=Likelihood.CONDITIONAL_POISSON,
        time=table["time"],
        strata=table["stratum"],
    )
    agree(fitted, answers, "conditional-poisson")


def test_poisson_and_logistic_are_glm(rows, answers):
    table = rows["counts"]
    design = with_intercept(columns(table, "x1", "x2"))
    counts = {"likelihood": Likelihood.POISSON, "time": table["time"]}
    agree(fit(design, table["count"], weights=table["weight"], **counts), answers, "poisson")
    plain = fit(design, table["count"], **counts)
    np.testing.assert_allclose(plain.log_likelihood, answers["counts:log-likelihood"], rtol=1e-10)
    agree(fit(design, np.minimum(table["count"], 1), likelihood=Likelihood.LOGISTIC), answers, "logistic")
