"""Splines are those of the recursion that defines them, with their knots where the data are."""

from __future__ import annotations

import numpy as np
import pytest

from enclos.studies.sccs import splines
from oracle.sccs import basis


@pytest.mark.parametrize("knots", [[3.0, 10.0, 30.0], [0.25, 4.5, 7.0, 19.0, 33.75], [0.0, 1.0, 2.0, 3.0, 4.0, 40.0]])
def test_a_curve_is_the_quadratic_b_splines_without_the_first(knots: list[float]) -> None:
    whole = [knots[0]] * 2 + knots + [knots[-1]] * 2
    found = splines.curve(np.array(knots))
    days = [knots[0] + step for step in range(int(knots[-1] - knots[0]) + 1)]
    assert found.shape == (len(days), len(knots))
    assert found == pytest.approx(np.array([basis(whole, day, 2)[1:] for day in days]), abs=1e-12)
    assert not found[0].any()


def test_two_knots_bend_no_curve() -> None:
    assert splines.curve(np.array([1.0, 9.0])).shape == (1, 0)
    assert splines.curve(np.zeros(0)).shape == (1, 0)


@pytest.mark.parametrize("n_knots", [3, 5, 8])
def test_a_season_ends_where_it_began(n_knots: int) -> None:
    step = 12 / (n_knots - 1)
    knots = [0.5 + step * at for at in range(-2, n_knots + 2)]
    inner = n_knots - 1
    rows = []
    for month in range(1, 13):
        # Laid out over more than a year, each spline and the one a year later are one.
        flat = basis(knots, month, 2)
        rows.append([flat[at] + (flat[at + inner] if at + inner < len(flat) else 0.0) for at in range(inner)])
    assert splines.season(n_knots) == pytest.approx(np.array(rows)[:, :-1], abs=1e-12)
    assert np.array(rows).sum(axis=1) == pytest.approx(np.ones(12))


def test_age_knots_are_percentiles_of_the_ages_at_the_outcomes() -> None:
    ages = np.arange(0, 10_001, 100)
    assert splines.age_knots(ages, 5) == pytest.approx([100.0, 2550.0, 5000.0, 7450.0, 9900.0])
    assert splines.age_knots(np.array([40, 40, 40]), 5).tolist() == [40.0]
    assert not len(splines.age_knots(np.zeros(0, dtype=np.int64), 5))


def test_month_knots_share_out_the_months_in_which_cases_are_observed() -> None:
    # Ten months with one case, then ten with three: 40 months of cases; half of them lie before the fourth of these.
    first, last = np.array([100, 110, 110]), np.array([119, 119, 119])
    assert splines.month_knots(first, last, 3).tolist() == [100.0, 113.0, 119.0]
