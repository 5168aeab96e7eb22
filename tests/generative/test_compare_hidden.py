"""A confounder that nobody recorded, in whole synthetic worlds: comparisons miss the truth, calibrated ones hold it.

Each world goes the whole way of a study: cohorts, covariates, score, strata, effect, negative controls. What is hidden
raises the chance of the target drug and the hazard of every outcome alike; six recorded conditions are adjusted for.
"""

from __future__ import annotations

import math

import pytest

from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study
from enclos.studies.summary import summary
from factories.compare import World, study_text, world_cdm

TRUTHS = {"null": 1.0, "harmful": 2.0, "protective": 0.5}
N_PERSONS, N_CONTROLS, HIDDEN, BASE_HAZARD = 1500, 12, 0.7, 0.01
OPTIONS = (
    "      propensity: {variance: 0.1}\n      covariates: {windows: long_term}\n      stratify: {strata: 5}\n"
    "      diagnostics: {ease: null, max_smd: null, equipoise: null, mdrr: null}\n"
)


def held(seed: int, truth: float) -> dict[str, bool]:
    """Whether the interval of each kind holds the true ratio, in one world."""
    world = World(N_PERSONS, truth, BASE_HAZARD, hidden=HIDDEN, n_controls=N_CONTROLS)
    found = run_study(study_from_yaml(study_text(OPTIONS, N_CONTROLS)), world_cdm(world, seed))
    rows = [each for each in summary(found) if (each["analysis"], each["variable"]) == ("compare_estimates", "Effect")]
    return {str(each["adjustment"]): float(str(each["lower"])) <= truth <= float(str(each["upper"])) for each in rows}


def judge(truths: list[float], tolerance: float) -> None:
    """One world for each."""
    worlds = [held(seed, truth) for seed, truth in enumerate(truths)]
    shares = {kind: sum(each[kind] for each in worlds) / len(worlds) for kind in ("Crude", "Adjusted", "Calibrated")}
    monte_carlo = 3 * math.sqrt(0.95 * 0.05 / len(worlds))
    assert shares["Crude"] <= shares["Adjusted"] < 0.95 - monte_carlo
    assert abs(shares["Calibrated"] - 0.95) <= monte_carlo + tolerance


def test_twenty_worlds() -> None:
    judge([*TRUTHS.values()] * 7, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_two_hundred_worlds(truth: float) -> None:
    """Twelve controls leave the mean error itself uncertain, by a third of a standard error: 0.01 of coverage."""
    judge([truth] * 200, 0.015)
