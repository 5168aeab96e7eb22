"""Controls of a case series: what is added is found again, and hidden error is calibrated away."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.calibration.rules.controlled import Controlled, FoundControl
from enclos.studies.calibration.rules.strength import minimum_detectable_in_series
from enclos.studies.sccs.controls import controlled, injected
from enclos.studies.sccs.diagnostics import rare_outcome
from enclos.studies.sccs.findings import Found
from enclos.studies.sccs.fitting import fit_rows
from enclos.studies.sccs.model import Sccs
from enclos.studies.sccs.steps import analyse
from factories.case_series import simulated

ADJUSTED = Sccs(("drug", "other"), ("bleed",))
UNADJUSTED = Sccs(("drug",), ("bleed",))
EFFECTS = PositiveControls((1.5, 2.0, 4.0), seed=5)


def found_in(seed: int, truth: float, asked: Sccs) -> Found:
    series = simulated(seed, truth)
    eras = series.eras.only(series.eras.kind < len(asked.exposures))
    return analyse(asked, series.people, eras, series.persons, rare_outcome(1, 100, 0.1, first_only=False))


def held_and_errors(n_populations: int) -> tuple[int, dict[float, list[float]]]:
    """How many intervals of positive controls hold the effect put in, and the errors by effect."""
    held, errors = 0, {each: [] for each in EFFECTS.effects}
    for seed in range(n_populations):
        null = found_in(seed, 1.0, ADJUSTED)
        _, *made = controlled({"null": (null.rows, null.values, null.model)}, [0], EFFECTS)[0].controls
        for wanted, control in zip(EFFECTS.effects, made, strict=True):
            effect, true_log = control.effect, control.true_log
            assert math.exp(true_log) == pytest.approx(wanted, rel=0.02)
            errors[wanted].append(effect.log_ratio - true_log)
            held += effect.lower <= true_log <= effect.upper
    return held, errors


def judge(n_populations: int) -> None:
    held, errors = held_and_errors(n_populations)
    for found in errors.values():
        assert abs(np.mean(found)) < 3 * np.std(found, ddof=1) / math.sqrt(n_populations)
    n = 3 * n_populations
    # Controls made of one series share its chance: as if there were a third as many.
    assert abs(held / n - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / n_populations)


def test_positive_controls_have_the_effect_put_into_them() -> None:
    judge(20)


@pytest.mark.slow
def test_positive_controls_have_the_effect_in_two_hundred_populations() -> None:
    judge(200)


def without_the_other(n_controls: int) -> Controlled:
    """Controls where the other drug, which doubles every outcome and comes with the first, is not in the model."""
    nulls = {f"control_{seed}": found_in(1000 + seed, 1.0, UNADJUSTED) for seed in range(n_controls)}
    series = {name: (each.rows, each.values, each.model) for name, each in nulls.items()}
    (found,) = controlled(series, [0], PositiveControls((2.0,), 1)).values()
    return found


def shares_held(controls: Controlled, truth: float, n_populations: int) -> tuple[float, float]:
    """How often intervals hold the truth, as they are and calibrated."""
    held = [0, 0]
    for seed in range(n_populations):
        effect = found_in(seed, truth, UNADJUSTED).model.effects[0]
        interval = controls.calibration.interval(effect.estimate)
        assert interval.lower is not None and interval.upper is not None
        held[0] += effect.lower <= math.log(truth) <= effect.upper
        held[1] += interval.lower <= math.log(truth) <= interval.upper
    return held[0] / n_populations, held[1] / n_populations


def test_negative_controls_free_an_estimate_of_a_drug_that_nobody_recorded() -> None:
    controls = without_the_other(12)
    assert len(controls.controls) == 24
    assert controls.calibration.ease > 0.15
    plain, freed = shares_held(controls, 2.0, 20)
    assert plain <= 0.6
    assert freed >= 0.8
    by_truth = controls.calibration.coverage
    assert by_truth[0].n_controls == 12
    assert all(each.within > 0.7 > each.uncalibrated for each in by_truth)


@pytest.mark.slow
@pytest.mark.parametrize("truth", [1.0, 2.0, 0.5], ids=["null", "harmful", "protective"])
def test_negative_controls_restore_coverage_in_two_hundred_populations(truth: float) -> None:
    plain, freed = shares_held(without_the_other(40), truth, 200)
    assert plain < 0.75
    assert freed > 0.88


def test_few_outcomes_make_no_positive_control() -> None:
    null = found_in(1, 1.0, ADJUSTED)
    most = int(null.rows.n_outcomes[null.rows.within[:, 0]].sum())
    few, enough = (replace(EFFECTS, min_outcomes=most + more) for more in (1, 0))
    assert not injected(null.rows, null.values, null.model, 0, few)
    assert len(injected(null.rows, null.values, null.model, 0, enough)) == 3
    assert not injected(null.rows, null.values, null.model, 0, None)


def test_a_control_without_an_estimate_counts_for_nothing() -> None:
    nothing = fit_rows(found_in(1, 1.0, ADJUSTED).rows, np.zeros((1, 0)), 0)
    found = controlled({}, [0], None)
    assert found == {}
    assert FoundControl("a", 0.0, nothing.effects[1]).effect.known is False


@pytest.mark.parametrize(("n_events", "share"), [(50, 0.1), (500, 0.02), (200, 0.5)])
def test_the_detectable_ratio_is_found_eight_times_in_ten(n_events: int, share: float) -> None:
    """Drawn as binomial: the likelihood ratio exceeds its 5 % bound in about 80 % of series with that ratio."""
    ratio = minimum_detectable_in_series(n_events, share)
    assert ratio is not None
    within = ratio * share / (ratio * share + 1 - share)
    n = np.random.default_rng(1).binomial(n_events, within, 4000)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [
            np.nan_to_num(a * np.log(a / b)) for a, b in ((n, n_events * share), (n_events - n, n_events * (1 - share)))
        ]
    assert float((2 * (parts[0] + parts[1]) > 3.841459).mean()) == pytest.approx(0.8, abs=0.05)


def test_without_events_or_time_nothing_is_detectable() -> None:
    assert minimum_detectable_in_series(0, 0.1) is None
    assert minimum_detectable_in_series(10, 0.0) is None
    assert minimum_detectable_in_series(1, 0.5) == math.inf
