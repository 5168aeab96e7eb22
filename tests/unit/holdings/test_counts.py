"""What of a count is told to everybody."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclos.holdings.rules.counts import told, typical_ages, typical_years, unit_of


@pytest.mark.parametrize(("floor", "unit"), [(1, 10), (10, 10), (11, 100), (100, 100), (101, 1000)])
def test_the_unit_is_a_power_of_ten_that_is_not_below_the_floor(floor: int, unit: int) -> None:
    assert unit_of(floor) == unit


@pytest.mark.parametrize(
    ("n", "said"), [(0, None), (99, None), (100, 100), (199, 100), (1_999, 1_900), (68_373_433, 68_000_000)]
)
def test_a_number_is_rounded_down_to_two_digits_and_to_nothing_below_the_unit(n: int, said: int | None) -> None:
    assert told(n, 100) == said


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 500))
def test_no_number_and_no_difference_of_two_is_smaller_than_the_unit(n: int, other: int, floor: int) -> None:
    unit = unit_of(floor)
    said, beside = told(n, unit) or 0, told(other, unit) or 0
    assert said <= n and (said == 0 or said >= unit >= floor)
    assert abs(said - beside) == 0 or abs(said - beside) >= unit


def test_ages_are_those_that_a_unit_of_persons_reaches_from_either_end() -> None:
    bands = {-5: 1000, 0: 60, 5: 50, 40: 500, 85: 99, 90: 1}
    assert typical_ages(bands, 100) == (5, 89)
    assert typical_ages({**bands, 0: 100, 90: 100}, 100) == (0, 90)
    assert typical_ages({20: 99}, 100) is None


def test_years_are_told_when_enough_persons_were_observed_and_until_the_last_delivery() -> None:
    years = {2017: 3, 2018: 100, 2019: 500, 2020: 400, 2021: 99}
    assert typical_years(years, None, 100) == (date(2018, 1, 1), date(2020, 12, 31))
    assert typical_years(years, date(2020, 6, 30), 100) == (date(2018, 1, 1), date(2020, 6, 30))
    assert typical_years({2018: 99}, None, 100) is None
