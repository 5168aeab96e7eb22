"""How far a design errs where there is nothing to find, and what several enclosures say together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from enclos.studies.calibration.model import PROFILE_POINTS, ErrorModel, Estimate, Heterogeneity, Null, Profile
from enclos.studies.calibration.rules.error_model import calibrated_interval
from enclos.studies.calibration.rules.null import calibrated_p, ease, fit_null, traditional_p
from enclos.studies.calibration.rules.pooling import pooled
from enclos.studies.calibration.rules.positive_controls import Exposure, positive_control
from enclos.studies.calibration.rules.profiles import normal_profile, pooled_profile
from enclos.studies.calibration.rules.strength import e_value

BIASED = Null(mean=math.log(1.5), sd=0.2)
"""Where there is no effect, this design finds 1.5 on average."""


def ratio(value: float | None) -> float:
    assert value is not None
    return round(math.exp(value), 2)


def test_an_estimate_that_a_biased_design_finds_anyway_is_no_finding() -> None:
    """A ratio of 1.5 is significant by itself, and what this design finds where there is nothing."""
    found = Estimate(math.log(1.5), 0.1)
    plain, calibrated = traditional_p(found), calibrated_p(BIASED, found)
    assert plain is not None and plain < 0.001
    assert calibrated == pytest.approx(1.0)


def test_a_calibrated_interval_is_moved_by_the_bias_and_widened_by_its_spread() -> None:
    interval = calibrated_interval(ErrorModel.from_null(BIASED), Estimate(math.log(3), 0.1))
    assert (ratio(interval.log), ratio(interval.lower), ratio(interval.upper)) == (2.0, 1.29, 3.1)


def test_a_design_is_summed_up_by_the_error_to_expect() -> None:
    """Whichever way it goes: a design without bias but with spread errs too."""
    assert ease(Null(0.0, 0.0)) == 0
    assert ease(Null(0.0, 0.5)) == pytest.approx(0.5 * math.sqrt(2 / math.pi))
    assert ease(Null(-0.4, 0.0)) == 0.4


def test_a_control_without_a_finite_estimate_tells_nothing() -> None:
    assert fit_null([Estimate(math.inf, 1.0), Estimate(0.3, math.nan)]) is None


def test_a_positive_control_adds_as_many_outcomes_as_its_effect_needs() -> None:
    """Two outcomes among exposures; three times as many are wanted, so four are added, none to one that had it."""
    exposures = [Exposure(key, 30, int(key <= 2), 0.1) for key in range(1, 11)]
    made = positive_control(exposures, 3.0, seed=1)
    assert made is not None
    assert len(made.added) == 4 and not {each.key for each in made.added} & {1, 2}
    assert ratio(made.true_log) == 3.0


def test_an_interval_that_holds_no_effect_needs_no_confounder() -> None:
    assert e_value(1.4, 0.9, 2.2).of_limit == 1
    assert e_value(2.0, 1.5, 2.7).of_estimate == pytest.approx(2 + math.sqrt(2))


def test_two_sites_that_agree_are_surer_than_one() -> None:
    one = pooled([Estimate(math.log(2), 0.2)])
    two = pooled([Estimate(math.log(2), 0.2)] * 2)
    assert one is not None and two is not None
    assert ratio(two.log) == 2.0 and two.standard_error == pytest.approx(one.standard_error / math.sqrt(2))
    assert two.tau2 == 0


def test_sites_that_do_not_agree_are_less_sure_than_one_effect_for_all_says() -> None:
    apart = [Estimate(math.log(each), 0.1) for each in (1.0, 2.0, 4.0)]
    same, differing = pooled(apart, Heterogeneity.NONE), pooled(apart)
    assert same is not None and differing is not None
    assert ratio(differing.log) == 2.0 and differing.standard_error > 4 * same.standard_error
    assert differing.i2 > 0.9


def test_a_site_without_an_exposed_case_counts_by_its_likelihood() -> None:
    """It has no estimate, yet says that large effects are unlikely."""
    at = np.array(PROFILE_POINTS)
    nobody = Profile(at, 5 * np.log(900 / (900 + 100 * np.exp(at))))
    other = normal_profile(Estimate(math.log(2), 0.4), PROFILE_POINTS)
    alone, together = pooled_profile([other]), pooled_profile([other, nobody])
    assert ratio(alone.log) == 2.0 and 1 < ratio(together.log) < 2
    assert pooled_profile([nobody]).log is None
