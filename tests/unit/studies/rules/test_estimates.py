"""Rates, shares and their intervals, against sums that need no library and numbers from R."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.rules.estimates import (
    per_100k_person_years,
    person_years,
    poisson_interval_per_100k,
    printed,
    share,
    wilson_interval,
)


def poisson_at_most(k: int, mean: float) -> float:
    return sum(math.exp(-mean + i * math.log(mean) - math.lgamma(i + 1)) for i in range(k + 1)) if mean else 1.0


@settings(deadline=None)
@given(st.integers(0, 400))
def test_the_exact_interval_leaves_two_and_a_half_percent_on_each_side(n_events: int) -> None:
    bounds = poisson_interval_per_100k(np.array([n_events]), np.array([1.0]))
    lower, upper = (float(bound[0]) / 100_000 for bound in bounds)
    assert poisson_at_most(n_events, upper) == pytest.approx(0.025, abs=1e-6)
    if n_events:
        assert 1 - poisson_at_most(n_events - 1, lower) == pytest.approx(0.025, abs=1e-6)
    else:
        assert lower == 0


@pytest.mark.parametrize(
    ("n_events", "person_days", "expected"),
    [
        (2, 347255, ("950.732", "210.364", "25.476", "759.908")),
        (33, 195016, ("533.925", "6180.643", "4254.47", "8679.921")),
        (0, 4322, ("11.833", "0", "0", "31174.507")),
    ],
)
def test_rates_as_the_r_package_prints_them(n_events: int, person_days: int, expected: tuple[str, ...]) -> None:
    """IncidencePrevalence 1.2.1 on GiBleed."""
    events = np.array([n_events])
    years = person_years(np.array([person_days]))
    found = (years, per_100k_person_years(events, years), *poisson_interval_per_100k(events, years))
    assert tuple(printed(float(each[0])) for each in found) == expected


@settings(deadline=None)
@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_bounds_are_where_the_score_test_is_at_its_limit(numbers: tuple[int, int]) -> None:
    n_cases, n_persons = numbers
    (lower,), (upper,) = wilson_interval(np.array([n_cases]), np.array([n_persons]))
    p, z = n_cases / n_persons, 1.959963984540054
    assert lower - 1e-5 <= p <= upper + 1e-5
    for bound in (float(lower), float(upper)):
        distance = (p - bound) ** 2 - z * z * bound * (1 - bound) / n_persons
        assert abs(distance) <= 4e-5


def test_a_share_of_nobody_is_no_number() -> None:
    none, some = np.array([0, 1]), np.array([0, 3])
    assert [printed(value) for value in share(none, some).tolist()] == [None, "0.33333"]
    lower, upper = wilson_interval(none, some)
    assert [printed(lower[0]), printed(upper[0])] == [None, None]
    assert (printed(lower[1]), printed(upper[1])) == ("0.06149", "0.79234")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (0.1, "0.1"),
        (0.00007, "7e-05"),
        (0.0009, "9e-04"),
        (0.00012, "0.00012"),
        (123456.789, "123456.789"),
        (20000.0, "20000"),
        (100000.0, "1e+05"),
        (1200000.0, "1200000"),
        (-1.5, "-1.5"),
    ],
)
def test_numbers_are_printed_as_r_prints_them(value: float, text: str) -> None:
    assert printed(value) == text
    assert float(text) == value
