"""Calibration and pooling against brute force and published numbers."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import numpy as np
import pytest

from enclos.studies.calibration.model import (
    PROFILE_POINTS,
    Z_95,
    Control,
    Effect,
    ErrorModel,
    Estimate,
    Heterogeneity,
    Null,
    Profile,
    Side,
)
from enclos.studies.calibration.rules.error_model import calibrated_interval, fit_error_model, left_out_coverage
from enclos.studies.calibration.rules.null import calibrated_p, ease, fit_null, left_out_p, null_posterior
from enclos.studies.calibration.rules.pooling import pooled
from enclos.studies.calibration.rules.positive_controls import Exposure, positive_control
from enclos.studies.calibration.rules.profiles import normal_profile, pooled_posterior, pooled_profile
from enclos.studies.calibration.rules.strength import Ratio, e_value, minimum_detectable
from oracle.calibration import highest, likeliest_null, mean_absolute, reml_tau2, stratified_poisson

# Thirteen trials of the BCG vaccine: tuberculosis and no tuberculosis, vaccinated and not.
# Source: Colditz et al., JAMA 271 (1994) 698; as in R metafor, dat.bcg.
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip


def bcg() -> list[Estimate]:
    found = []
    for a, b, c, d in BCG:
        log = math.log(a / (a + b) / (c / (c + d)))
        found.append(Estimate(log, math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))))
    return found


def drawn(seed: int, n: int, mean: float, sd: float) -> list[Estimate]:
    chance = random.Random(seed)  # noqa: S311 - a simulation
    errors = [chance.uniform(0.05, 0.4) for _ in range(n)]
    return [Estimate(chance.gauss(mean, math.hypot(sd, error)), error) for error in errors]


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.1), (0.4, 0.3), (-0.6, 0.8)])
def test_the_null_is_as_near_the_likeliest_as_the_peers_search_comes(mean: float, sd: float) -> None:
    estimates = drawn(3, 60, mean, sd)
    null = fit_null(estimates)
    assert null is not None
    expected = likeliest_null([(each.log, each.standard_error) for each in estimates])
    assert (null.mean, null.sd) == pytest.approx(expected, abs=2e-3)


def test_controls_without_an_estimate_do_not_count() -> None:
    estimates = drawn(5, 20, 0.2, 0.2)
    broken = [Estimate(math.inf, 1), Estimate(0.1, math.nan), Estimate(6, 0.1), Estimate(0, 0)]
    assert fit_null([*broken, *estimates]) == fit_null(estimates)
    assert fit_null(broken) is None and null_posterior(broken) is None
    assert calibrated_p(Null(0, 1), broken[0]) is None


def test_without_systematic_error_p_values_are_the_usual_ones() -> None:
    for z, p in ((0.0, 1.0), (1.959963984540054, 0.05), (-2.5758293035489004, 0.01)):
        assert calibrated_p(Null(0.0, 0.0), Estimate(z * 0.3, 0.3)) == pytest.approx(p)
    harm, benefit = (calibrated_p(Null(0, 0), Estimate(0.5, 0.2), side) for side in (Side.UPPER, Side.LOWER))
    assert harm is not None and benefit is not None
    assert harm + benefit == pytest.approx(1) and harm < 0.01


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.2), (0.5, 0.3), (-1.0, 0.05)])
def test_expected_absolute_systematic_error(mean: float, sd: float) -> None:
    assert ease(Null(mean, sd)) == pytest.approx(mean_absolute(mean, sd), abs=1e-6)
    assert ease(Null(mean, 0.0)) == abs(mean)


def test_an_interval_is_of_the_effects_that_are_not_rejected() -> None:
    model = ErrorModel(0.2, 0.9, 0.1, 0.05)
    interval = calibrated_interval(model, Estimate(0.8, 0.15))
    for end in (interval.lower, interval.upper):
        assert end is not None
        spread = math.hypot(0.1 + 0.05 * abs(end), 0.15)
        assert abs(0.2 + 0.9 * end - 0.8) / spread == pytest.approx(1.959963984540054, abs=1e-3)
    assert calibrated_interval(ErrorModel(0, 0, 1, 0), Estimate(0.5, 0.1)).lower is None
    assert calibrated_interval(model, Estimate(math.nan, 0.1)).log is None


def test_a_model_needs_two_true_effects() -> None:
    assert fit_error_model([Control(each) for each in drawn(1, 10, 0, 0.1)]) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_model_of_controls_that_spread_widely_is_not_lost(seed: int) -> None:
    """R's search ends at spreads of hundreds for some of these."""
    trues = (0.0, math.log(1.5), math.log(2), math.log(4))
    controls = [Control(Estimate(e.log + t, e.standard_error), t) for t in trues for e in drawn(seed, 12, 0.2, 1.0)]
    model = fit_error_model(controls)
    assert model is not None
    assert 0.4 < model.sd_intercept + model.sd_slope * math.log(2) < 1.6 and abs(model.mean_intercept) < 1


def test_left_out_controls_are_covered_once_calibrated() -> None:
    controls = []
    for true in (0.0, math.log(2)):
        for number, each in enumerate(drawn(11, 30, 0.3, 0.15)):
            controls.append(Control(Estimate(each.log + true, each.standard_error), true, f"{number}"))
    for found in left_out_coverage(controls):
        assert found.n_controls == 30 and found.below + found.within + found.above == pytest.approx(1)
        assert found.within > 0.85 > found.uncalibrated
    p = left_out_p([each.estimate for each in controls[:30]])
    assert sum(each < 0.05 for each in p if each is not None) <= 4


def test_bcg_as_metafor_pools_it() -> None:
    """R metafor 4.8, rma(ai, bi, ci, di, data = dat.bcg, measure = "RR"), as in its manual."""
    reml = pooled(bcg())
    assert reml is not None
    assert (reml.log, reml.standard_error) == pytest.approx((-0.7145, 0.1798), abs=5e-5)
    assert (reml.lower, reml.upper) == pytest.approx((-1.0669, -0.3622), abs=5e-5)
    assert (reml.tau2, reml.i2, reml.q) == pytest.approx((0.3132, 0.9222, 152.2330), abs=5e-5)
    other = pooled(bcg(), Heterogeneity.DERSIMONIAN_LAIRD)
    assert other is not None
    assert (other.log, other.standard_error, other.tau2) == pytest.approx((-0.7141, 0.1787, 0.3088), abs=5e-5)
    assert other.i2 == pytest.approx((152.2330 - 12) / 152.2330, abs=1e-6)
    fixed = pooled(bcg(), Heterogeneity.NONE)
    assert fixed is not None
    assert (fixed.log, fixed.standard_error, fixed.tau2) == pytest.approx((-0.4303, 0.0405, 0), abs=5e-5)


@pytest.mark.parametrize("seed", range(6))
def test_reml_is_the_top_of_the_restricted_likelihood(seed: int) -> None:
    estimates = drawn(seed, 4 + seed, 0.1, 0.1 * seed)
    found = pooled(estimates)
    assert found is not None
    expected = reml_tau2([(each.log, each.standard_error) for each in estimates])
    assert found.tau2 == pytest.approx(expected, abs=1e-6)


def test_hartung_and_knapp_take_the_error_from_the_distances() -> None:
    estimates = bcg()
    found = pooled(estimates, hartung_knapp=True)
    assert found is not None
    weights = [1 / (each.standard_error**2 + found.tau2) for each in estimates]
    apart = sum(w * (each.log - found.log) ** 2 for w, each in zip(weights, estimates, strict=True)) / 12
    assert found.standard_error == pytest.approx(math.sqrt(apart / sum(weights)))
    assert (found.upper - found.log) / found.standard_error == pytest.approx(2.178812829667229)  # t, 12 degrees


def test_few_sites() -> None:
    assert pooled([]) is None and pooled([Estimate(math.nan, 1)]) is None
    one = pooled([Estimate(0.3, 0.1)], hartung_knapp=True)
    assert one is not None
    assert (one.log, one.standard_error, one.tau2, one.i2, one.q_p_value, one.predicted_lower) == pytest.approx(
        (0.3, 0.1, 0.0, 0.0, None, None)
    )


SITES = (
    ((3, 120.0, True), (10, 900.0, False)),
    ((0, 40.0, True), (6, 500.0, False)),
    ((2, 80.0, True), (0, 310.0, False)),
    ((25, 700.0, True), (61, 4000.0, False)),
)


def own_profile(rows: tuple[tuple[int, float, bool], ...]) -> Profile:
    at = stratified_poisson([rows])
    return Profile(np.array(PROFILE_POINTS), np.array([at(point) for point in PROFILE_POINTS]))


def test_profiles_of_sites_give_what_all_rows_together_give() -> None:
    """Stated tolerance: 0.0005 on the log scale, sites without an event in one arm included."""
    central = stratified_poisson(SITES)
    best = highest(central, -3, 3)
    drop = central(best) - 1.9207294103470494
    lower = highest(lambda x: -abs(central(x) - drop), best - 3, best)
    upper = highest(lambda x: -abs(central(x) - drop), best, best + 3)
    found = pooled_profile([own_profile(rows) for rows in SITES])
    assert (found.log, found.lower, found.upper) == pytest.approx((best, lower, upper), abs=5e-4)
    # The sites that have no finite estimate of their own are what a meta-analysis of estimates loses.
    alone = pooled_profile([own_profile(SITES[1])])
    assert alone.log is None and alone.lower is None and alone.upper is not None


def test_normal_profiles_pool_as_their_estimates_do() -> None:
    estimates = drawn(2, 5, 0.2, 0.0)
    fixed = pooled(estimates, Heterogeneity.NONE)
    found = pooled_profile([normal_profile(each, PROFILE_POINTS) for each in estimates])
    assert fixed is not None
    assert (found.log, found.lower, found.upper) == pytest.approx((fixed.log, fixed.lower, fixed.upper), abs=1e-6)
    assert pooled_profile([]).log is None


@pytest.mark.parametrize(
    "estimates",
    [bcg()[:6], [Estimate(0.10, 0.006), Estimate(0.13, 0.004)], [Estimate(0.3, 0.01), Estimate(-0.2, 0.5)]],
    ids=["six trials", "two very sure sites", "one sure, one not"],
)
def test_the_posterior_of_sites_is_what_summing_over_their_effects_gives(estimates: list[Estimate]) -> None:
    found = pooled_posterior([normal_profile(each, PROFILE_POINTS) for each in estimates])
    assert found is not None
    means, taus = np.linspace(-3, 3, 3001), np.linspace(0, 2.0, 801)
    likelihood = np.zeros((801, 3001))
    for each in estimates:
        variances = (each.standard_error**2 + taus**2)[:, None]
        likelihood -= 0.5 * (np.log(variances) + (each.log - means) ** 2 / variances)
    weights = np.exp(likelihood - likelihood.max() - means**2 / 8 - taus[:, None] ** 2 / 0.5)
    weights /= weights.sum()
    mean = float((weights.sum(axis=0) * means).sum())
    deviation = math.sqrt(float((weights.sum(axis=0) * (means - mean) ** 2).sum()))
    assert (found.log, found.standard_error) == pytest.approx((mean, deviation), abs=0.03 * deviation)
    middle = float(np.interp(0.5, np.cumsum(weights.sum(axis=1)), taus))
    assert found.tau == pytest.approx(middle, rel=0.05)
    assert found.lower < found.log < found.upper and 0 <= found.tau_lower < found.tau < found.tau_upper
    assert pooled_posterior([]) is None


def test_minimum_detectable_rate_ratio() -> None:
    found = minimum_detectable(800, 0.4)
    assert found is not None
    assert found.rate_ratio == pytest.approx(
        math.exp((NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)) / math.sqrt(192))
    )
    assert found.standard_error == pytest.approx(1 / math.sqrt(192))
    assert minimum_detectable(0, 0.4) is None and minimum_detectable(10, 1.0) is None
    one = minimum_detectable(800, 0.4, side=Side.UPPER)
    assert one is not None and one.rate_ratio < found.rate_ratio


def test_e_values_of_vanderweele_and_ding() -> None:
    """Their examples: 3.9 (1.8 to 8.7) has 7.26 and 3.0; 0.80 (0.71 to 0.91) has 1.81 and 1.43."""
    first, second = e_value(3.9, 1.8, 8.7), e_value(0.80, 0.71, 0.91)
    assert (first.of_estimate, first.of_limit) == pytest.approx((7.26, 3.0), abs=0.005)
    assert (second.of_estimate, second.of_limit) == pytest.approx((1.81, 1.43), abs=0.005)
    assert e_value(1.3, 0.9, 1.8).of_limit == 1
    common = e_value(0.56, 0.46, 0.69, Ratio.HAZARD)
    assert common.of_estimate < e_value(0.56, 0.46, 0.69).of_estimate
    assert e_value(4, 2, 8, Ratio.ODDS).of_estimate == pytest.approx(e_value(2, 1.5, 3).of_estimate)
    with pytest.raises(ValueError, match="in its interval"):
        e_value(1.2, 1.3, 1.4)


def exposures(seed: int, n: int) -> list[Exposure]:
    chance = random.Random(seed)  # noqa: S311 - a simulation
    found = []
    for key in range(1, n + 1):
        risk, days = chance.choice((0.01, 0.05)), chance.randint(10, 300)
        found.append(Exposure(key, days, int(chance.random() < risk * days / 100), risk * days / 100))
    return found


@pytest.mark.parametrize("effect", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("first_only", [True, False])
def test_positive_controls_have_the_effect_they_are_made_for(effect: float, first_only: bool) -> None:
    before = exposures(8, 2000)
    n_observed = sum(each.n_observed for each in before)
    made = positive_control(before, effect, 7, first_only=first_only)
    assert made is not None
    assert len(made.added) == round((effect - 1) * n_observed)
    assert made.true_log == pytest.approx(math.log(effect), abs=1 / n_observed)
    days = {each.key: each.n_days for each in before}
    assert all(0 <= each.day < days[each.key] for each in made.added)
    if first_only:
        had = {each.key for each in before if each.n_observed}
        assert len({each.key for each in made.added}) == len(made.added) and not had & {e.key for e in made.added}
    assert made == positive_control(list(reversed(before)), effect, 7, first_only=first_only)
    assert made != positive_control(before, effect, 8, first_only=first_only)


def test_positive_controls_keep_measured_confounding() -> None:
    before = exposures(9, 6000)
    made = positive_control(before, 3.0, 1, first_only=False)
    assert made is not None
    expected = {each.key: each.n_expected for each in before}
    risky = {key for key, n in expected.items() if n > 0.03}
    share = sum(each.key in risky for each in made.added) / len(made.added)
    assert share == pytest.approx(sum(expected[key] for key in risky) / sum(expected.values()), abs=0.02)


def test_a_positive_control_varies_as_the_outcomes_it_is_made_of() -> None:
    """Four outcomes for each that chance gave: their log varies as if there were a quarter as many."""
    counts = np.random.default_rng(11).poisson(100, 4000)
    made = [positive_control([Exposure(1, 10, int(n), 1.0)], 4.0, 1, first_only=False) for n in counts[:200]]
    found = Effect(0.0, -Z_95 / 20, Z_95 / 20)  # of 400 outcomes
    widths = [found.widened(each.variance).standard_error for each in made if each is not None]
    assert np.mean(widths) == pytest.approx(np.std(np.log(4 * counts)), rel=0.05)
    assert found.standard_error == pytest.approx(0.05)


def test_positive_controls_that_cannot_be_made() -> None:
    assert positive_control([Exposure(1, 10, 0, 0.1)], 2.0, 1) is None
    assert positive_control([Exposure(1, 10, 3, 0.1), Exposure(2, 10, 0, 0.1)], 4.0, 1) is None
    with pytest.raises(ValueError, match="above 1"):
        positive_control([Exposure(1, 10, 1, 0.1)], 1.0, 1)
