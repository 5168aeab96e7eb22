"""Sites that fit a Cox model of their own and send its profile, against one model of all rows stratified by site."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from enclos.studies.calibration.model import PROFILE_POINTS, Profile
from enclos.studies.calibration.rules.profiles import pooled_profile
from enclos.studies.regression.model import Fit, Likelihood
from enclos.studies.regression.steps import fit, log_likelihood_profile, profile_interval

Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def site(seed: int, n: int, log_ratio: float) -> Rows:
    """Exposure, event, days with ties, and a stratum within the site."""
    chance = np.random.default_rng(seed)
    exposed = (chance.random(n) < 0.4).astype(np.float64)
    stratum = chance.integers(0, 3, n)
    hazard = 0.002 * (1 + stratum) * np.exp(log_ratio * exposed)
    days = np.ceil(chance.exponential(1 / hazard))
    return exposed, (days <= 90).astype(np.float64), np.minimum(days, 90), stratum


def fitted(rows: Rows) -> Fit:
    exposed, event, days, stratum = rows
    design = csc_array(exposed.reshape(-1, 1))
    return fit(design, event, likelihood=Likelihood.COX, time=days, strata=stratum)


@pytest.mark.parametrize("log_ratio", [0.0, 0.7, -0.7])
def test_profiles_of_sites_are_as_good_as_their_rows(log_ratio: float) -> None:
    """Stated tolerance: 0.0005 on the log scale."""
    sites = [site(seed, n, log_ratio) for seed, n in enumerate((60, 150, 400, 900))]
    grid = np.array(PROFILE_POINTS)
    profiles = [Profile(grid, log_likelihood_profile(fitted(rows), 0, grid)) for rows in sites]
    together = pooled_profile(profiles)
    strata = np.concatenate([rows[3] + 10 * number for number, rows in enumerate(sites)])
    central = fitted((*(np.concatenate([rows[at] for rows in sites]) for at in range(3)), strata))  # type: ignore[arg-type]
    interval = profile_interval(central, 0, 0.95)
    expected = (float(central.coefficients[0]), interval.lower, interval.upper)
    assert (together.log, together.lower, together.upper) == pytest.approx(expected, abs=5e-4)
