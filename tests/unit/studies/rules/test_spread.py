"""Quantiles of tallies are those of the values; sums are exact."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclos.contracts.result import EstimateType
from enclos.studies.rules.spread import Spread, count_and_share, standardised_difference


@given(st.lists(st.lists(st.integers(-40_000, 40_000), max_size=9), min_size=1, max_size=4))
def test_in_any_portions_the_estimates_are_those_of_all_values(portions: list[list[int]]) -> None:
    spread, values = Spread(), sorted(value for portion in portions for value in portion)
    for portion in portions:
        spread.add(np.array(portion, dtype=np.int64))
    assert spread.n == len(values)
    if values:
        for quarters in range(5):
            expected = np.quantile(values, quarters / 4)
            found = spread.quantile(quarters)
            assert found is not None
            assert math.isclose(float(found), float(expected), rel_tol=1e-12, abs_tol=1e-9)
        assert spread.mean == statistics.fmean(values)
    if len(values) > 1:
        assert spread.sd is not None
        assert math.isclose(spread.sd, statistics.stdev(values), rel_tol=1e-12)


def test_quantiles_of_whole_numbers_are_whole_and_halves_go_to_the_even_one() -> None:
    spread = Spread()
    spread.add(np.array([1, 2, 4, 5]))
    assert {each.name: each.value for each in spread.estimates(("median", "q25"))} == {"median": "3", "q25": "2"}
    spread.add(np.array([6, 6]))
    assert [each.value for each in spread.estimates(("median",))] == ["4"]
    assert [each.value for each in spread.estimates(("median",), EstimateType.NUMERIC)] == ["4.5"]
    assert [each.value for each in spread.estimates(("min",), EstimateType.DATE)] == ["1970-01-02"]


def test_of_no_value_there_is_no_estimate() -> None:
    assert {each.value for each in Spread().estimates()} == {None}


def test_a_share_of_nobody_is_no_percent() -> None:
    assert [each.value for each in count_and_share(0, 0)] == ["0", "0"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((2.0, 1.0), (1.0, 1.0), 1.0),
        ((0.5, 0.25), (0.5, 0.25), 0.0),
        ((1.0, 0.0), (1.0, 0.0), 0.0),
        ((1.0, 0.0), (0.0, 0.0), None),
        ((None, None), (1.0, 1.0), None),
        ((1.0, None), (1.0, 1.0), None),
    ],
)
def test_a_difference_is_in_units_of_the_pooled_deviation(
    first: tuple[float | None, float | None], second: tuple[float | None, float | None], expected: float | None
) -> None:
    assert standardised_difference(first, second) == expected
