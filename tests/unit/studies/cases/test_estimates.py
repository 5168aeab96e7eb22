"""Ratios of rates and odds against sums of chances and the plain likelihood; who is drawn as a control."""

from __future__ import annotations

import math

import numpy as np
import pytest

from enclos.studies.cases.estimates import odds_ratios, rate_ratio
from enclos.studies.cases.matching import Stays, draw
from enclos.studies.cases.model import Matching
from oracle.cases import conditional_log_likelihood, exact_interval


@pytest.mark.parametrize(("n_risk", "n_control"), [(0, 5), (1, 1), (3, 0), (7, 2), (40, 55)])
@pytest.mark.parametrize(("risk_days", "control_days"), [(100, 100), (1000, 250)])
def test_rate_ratios_have_exact_intervals(n_risk: int, n_control: int, risk_days: int, control_days: int) -> None:
    ratio, lower, upper = rate_ratio(n_risk, n_control, risk_days, control_days)
    assert (lower, upper) == pytest.approx(exact_interval(n_risk, n_control, risk_days / (risk_days + control_days)))
    expected = math.inf if n_control == 0 else (n_risk / risk_days) / (n_control / control_days)
    assert ratio == pytest.approx(expected)


def test_no_outcome_has_no_ratio() -> None:
    assert all(map(math.isnan, rate_ratio(0, 0, 10, 10)))
    assert all(map(math.isnan, rate_ratio(1, 1, 0, 10)))


def test_odds_ratios_are_the_most_likely_ones() -> None:
    random = np.random.default_rng(5)
    number = np.repeat(np.arange(60), 4)
    is_case = np.arange(240) % 4 == 0
    exposed = random.random((240, 2)) < np.where(is_case, 0.5, 0.3)[:, None]
    effects = odds_ratios(number, is_case, exposed)
    sets = exposed.reshape(60, 4, 2).astype(float).tolist()
    best = [each.log_ratio for each in effects]
    top = conditional_log_likelihood(sets, best)
    for place in (0, 1):
        for step in (-1e-3, 1e-3):
            beta = [value + step * (at == place) for at, value in enumerate(best)]
            assert conditional_log_likelihood(sets, beta) < top
    assert all(each.lower < each.log_ratio < each.upper for each in effects)


def test_an_interval_is_where_the_likelihood_has_fallen_by_half_of_the_quantile() -> None:
    number = np.repeat(np.arange(30), 2)
    is_case = np.arange(60) % 2 == 0
    # Of thirty pairs, twelve with only the case exposed and five with only the control: 12/5.
    exposed = np.zeros(60, dtype=np.bool_)
    exposed[0:24:2] = exposed[25:35:2] = True
    (effect,) = odds_ratios(number, is_case, exposed.reshape(-1, 1))
    assert math.exp(effect.log_ratio) == pytest.approx(12 / 5)
    sets = exposed.reshape(30, 2, 1).astype(float).tolist()
    top = conditional_log_likelihood(sets, [effect.log_ratio])
    for end in (effect.lower, effect.upper):
        assert top - conditional_log_likelihood(sets, [end]) == pytest.approx(3.841458820694124 / 2, abs=1e-6)


def test_an_exposure_that_tells_nothing_has_no_odds_ratio() -> None:
    number, is_case = np.array([0, 0, 1, 1]), np.array([True, False, True, False])
    only_cases = np.array([[True], [False], [True], [False]])
    assert not odds_ratios(number, is_case, only_cases)[0].known
    assert not odds_ratios(number, is_case, ~np.zeros((4, 1), dtype=np.bool_))[0].known
    assert not odds_ratios(number[:0], is_case[:0], only_cases[:0])[0].known


def stays(n: int) -> Stays:
    """Alike persons, observed from day 0 to 1000; the first has the outcome on day 500."""
    outcome = np.full(n, 10_000_000)
    outcome[0] = 500
    alike = [np.full(n, value) for value in (1, -9000, 0, 1000)]
    return Stays(np.arange(n), np.arange(n) * 977 + 3, *alike, outcome)


def controls(seed: int, day: int = 500, n: int = 400) -> set[int]:
    drawn = draw(np.array([0]), np.array([day]), np.array([0]), stays(n), 180, Matching(5, seed))
    assert drawn.is_case.tolist() == [True] + [False] * 5
    return set(drawn.person[1:].tolist())


def test_a_seed_draws_the_same_controls_and_another_draws_others() -> None:
    assert controls(1) == controls(1)
    assert controls(1) != controls(2)
    assert controls(1) != controls(1, day=400), "another day is another lot"


def test_everybody_is_drawn_equally_often() -> None:
    n_times = np.zeros(101)
    for seed in range(800):
        n_times[list(controls(seed, n=101))] += 1
    assert n_times[0] == 0
    # 800 x 5 draws of 100 persons: chi-squared with 99 degrees of freedom, whose 99.9 % quantile is 149.
    assert ((n_times[1:] - 40) ** 2 / (40 * 0.95)).sum() < 149
