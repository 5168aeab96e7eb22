"""An information that is known from nearby saves work, and ends where a fresh one does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from enclos.studies.regression.model import Likelihood, Prior
from enclos.studies.regression.steps import fit
from enclos.studies.regression.steps.intervals import _Profile
from enclos.studies.regression.steps.newton import climb
from enclos.studies.regression.steps.problem import Problem


def series() -> tuple[csc_array, np.ndarray, np.ndarray]:
    """Strata of twenty rows with one event each, two windows and six columns that are never zero."""
    random = np.random.default_rng(2)
    values = np.column_stack((random.random((6000, 2)) < 0.1, random.random((6000, 6))))
    event = np.zeros(6000)
    event[np.arange(300) * 20 + random.integers(0, 20, 300)] = 1
    return csc_array(values), event, np.repeat(np.arange(300), 20)


@pytest.mark.parametrize("away", [0.05, 0.5, 2.0])
def test_a_search_ends_where_one_without_it_does(away: float) -> None:
    design, event, strata = series()
    found = fit(design, event, likelihood=Likelihood.CONDITIONAL_POISSON, strata=strata, prior=Prior.none())
    profile = _Profile(found, 0)
    assert profile.known is None, "small problems do without"
    known = profile._known()
    assert known is not None and isinstance(found.problem, Problem)
    fixed = found.problem.fixing(0, float(found.coefficients[0]) + away)
    plain, helped = (
        climb(fixed, profile.first, profile.usable, tolerance=1e-9, max_iterations=50, known=each)
        for each in (None, known)
    )
    assert helped.status is plain.status
    assert helped.local.value == pytest.approx(plain.local.value, abs=1e-8)
    np.testing.assert_allclose(helped.coefficients, plain.coefficients, atol=1e-4)
