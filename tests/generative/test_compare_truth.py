"""Adjusted ratios of simulated populations are those that they were drawn with: no bias, intervals that hold the truth.

In each population two traits that the covariates show raise the chance of the target drug and of the outcome alike.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse import csc_array
from scipy.stats import binom

from enclos.studies.calibration.model import Effect
from enclos.studies.compare.model import Adjustment, Estimand, Match, Propensity, Stratify, Variant, Weight
from enclos.studies.compare.rules.covariates import CovariateMatrix
from enclos.studies.compare.rules.population import Entries, Events, no_switch
from enclos.studies.compare.steps.estimating import compared, scored

TRUTHS = (1.0, 2.0, 0.5)
DESIGNS: dict[str, Adjustment] = {
    "one to one": Match(),
    "one to several": Match(4),
    "strata": Stratify(10),
    "weights": Weight(Estimand.ATE),
    "overlap weights": Weight(Estimand.OVERLAP),
}
N, N_COVARIATES, LAST_DAY = 1500, 20, 1000
HAZARD = 1 / 9000
"""Of the outcome a day, without a trait: rare, so that ratios in all and in some are one."""


def effects(seed: int, truth: float) -> dict[str, tuple[Effect, Effect]]:
    """The adjusted and the crude effect by each design, on one population."""
    rng = np.random.default_rng(seed)
    traits = rng.random((N, N_COVARIATES)) < 0.3
    sick = traits[:, 0].astype(float) + traits[:, 1]
    treated = rng.random(N) < 1 / (1 + np.exp(-1.2 * (sick - 0.6)))
    days = 1 + rng.exponential(1 / (HAZARD * np.exp(0.8 * sick) * np.where(treated, truth, 1.0))).astype(np.int64)
    zeros = np.zeros(N, dtype=np.int64)
    ends = zeros + LAST_DAY
    entries = Entries(np.arange(N), treated, zeros, zeros, zeros, ends, ends, ends, no_switch(N))
    covariates = CovariateMatrix(np.arange(N_COVARIATES), csc_array(traits.astype(float)))
    propensity = Propensity(variance=1.0)
    first = scored(covariates, treated, Variant("v", "new", "old", propensity=propensity))
    found = {}
    for name, adjustment in DESIGNS.items():
        variant = Variant("v", "new", "old", propensity=propensity, adjustment=adjustment)
        all_found = compared(variant, entries, lambda _: Events(np.arange(N), days), lambda _: first, ("harm",), ())
        found[name] = (all_found.outcomes["harm"].effect, all_found.outcomes["harm"].crude_effect)
    return found


def judge(n_populations: int, truth: float) -> None:
    true = math.log(truth)
    log_ratios: dict[str, list[float]] = {name: [] for name in (*DESIGNS, "crude")}
    held = dict.fromkeys(log_ratios, 0)
    for population in range(n_populations):
        by_design = effects(population * 10 + TRUTHS.index(truth), truth)
        crude = next(iter(by_design.values()))[1]
        for name, effect in [*((name, both[0]) for name, both in by_design.items()), ("crude", crude)]:
            log_ratios[name].append(effect.log_ratio - true)
            held[name] += effect.lower <= true <= effect.upper
    least, most = binom.ppf([0.001, 0.999], n_populations, 0.95)
    for name in DESIGNS:
        errors = np.array(log_ratios[name])
        assert abs(errors.mean()) < 3.3 * errors.std(ddof=1) / math.sqrt(n_populations), name
        assert least <= held[name] <= most, (name, held[name])
    assert np.mean(log_ratios["crude"]) > 0.2
    assert held["crude"] < least


@pytest.mark.parametrize("truth", TRUTHS)
def test_twenty_populations(truth: float) -> None:
    judge(20, truth)


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
def test_two_hundred_populations(truth: float) -> None:
    judge(200, truth)
