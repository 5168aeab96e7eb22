"""No estimate without its diagnostics."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csc_array

from enclos.studies.compare.model import Estimand, Thresholds, Weight
from enclos.studies.compare.rules.balance import balance
from enclos.studies.compare.rules.diagnostics import Measured, effective_number, failed, family_wise_p, judge
from enclos.studies.compare.rules.scores import weights_of
from enclos.studies.compare.rules.tidy import distinct, frequent, normalised
from enclos.studies.regression.model import Likelihood, Prior
from enclos.studies.regression.steps import fit, with_intercept

GOOD = Measured(equipoise=0.8, max_smd=0.05, smd_p=1.0, mdrr=2.0, ease=0.1, attrition=0.4, score_fitted=True)


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"equipoise": 0.19}, "equipoise"),
        ({"max_smd": 0.2, "smd_p": 0.04}, "max_smd"),
        ({"mdrr": 10.5}, "mdrr"),
        ({"mdrr": math.nan}, "mdrr"),
        ({"ease": 0.3}, "ease"),
        ({"ease": math.nan}, "ease"),
        ({"score_fitted": False}, "score_fitted"),
    ],
)
def test_each_diagnostic_can_withhold(changed: dict[str, float], name: str) -> None:
    assert failed(judge(GOOD, Thresholds())) == ()
    assert failed(judge(replace(GOOD, **changed), Thresholds())) == (name,)


def test_a_difference_that_chance_explains_passes_unless_the_study_forbids_it() -> None:
    chance = replace(GOOD, max_smd=0.15, smd_p=0.6)
    assert failed(judge(chance, Thresholds())) == ()
    assert failed(judge(chance, Thresholds(smd_alpha=None))) == ("max_smd",)


def test_what_is_not_asked_for_is_told_but_not_judged() -> None:
    judged = judge(replace(GOOD, ease=None, equipoise=0.0), Thresholds(equipoise=None))
    assert failed(judged) == ()
    assert {each.name: each.passed for each in judged}["equipoise"] is None
    assert "ease" not in {each.name for each in judged}
    assert failed(judge(GOOD, Thresholds(attrition=0.3))) == ("attrition",)


def test_chance_is_judged_over_all_covariates() -> None:
    rng = np.random.default_rng(4)
    treated = np.arange(600) < 300
    covariates = csc_array((rng.random((600, 300)) < 0.2).astype(float))
    fair = balance(covariates, treated)
    assert fair.largest > 0.1
    assert family_wise_p(fair, 300, 300, 0.1) > 0.05
    unfair = balance(
        csc_array(np.r_[rng.random(300) < 0.4, rng.random(300) < 0.15].astype(float).reshape(-1, 1)), treated
    )
    assert family_wise_p(unfair, 300, 300, 0.1) < 0.001


def test_weights_count_as_fewer() -> None:
    assert effective_number(None, 7) == 7
    assert effective_number(np.array([1.0, 1.0, 0.0, 0.0]), 4) == 2


def test_columns_that_are_rare_repeated_or_constant_are_no_part_of_the_score() -> None:
    rows = np.zeros((10, 5))
    rows[:4, 0] = rows[:4, 2] = 1
    rows[0, 1] = 1
    rows[:, 3] = 1
    rows[:6, 4] = [1, 2, 3, 4, 5, 10]
    covariates = csc_array(rows)
    assert frequent(covariates, 0.2).tolist() == [0, 2, 3, 4]
    assert distinct(covariates, np.array([1, 2, 3, 4, 5])).tolist() == [0, 1, 4]
    sexes = csc_array(np.c_[np.arange(10) < 4, np.arange(10) >= 4].astype(float))
    assert distinct(sexes, np.array([8507001, 8532001])).tolist() == [0]
    assert distinct(sexes, np.array([8507001, 8532002])).tolist() == [0, 1]
    assert normalised(covariates).toarray()[:, 4].max() == 1
    assert normalised(covariates).toarray()[0, 4] == 0.1


def test_overlap_weights_of_a_fitted_score_balance_every_covariate_exactly() -> None:
    """Whatever the covariates are: a property of the likelihood's slope (Li, Morgan and Zaslavsky 2018, theorem 3)."""
    rng = np.random.default_rng(12)
    values = rng.random((400, 5))
    treated = rng.random(400) < 1 / (1 + np.exp(1 - 2 * values[:, 0]))
    design = with_intercept(csc_array(values))
    fitted = fit(design, treated.astype(float), likelihood=Likelihood.LOGISTIC, prior=Prior.none())
    score = 1 / (1 + np.exp(-(design @ fitted.coefficients)))
    weights = weights_of(score, treated, Weight(Estimand.OVERLAP))
    found = balance(csc_array(values), treated, weights)
    np.testing.assert_allclose(found.target.mean, found.comparator.mean, atol=1e-7)
    assert np.abs(balance(csc_array(values), treated).difference).max() > 0.2
