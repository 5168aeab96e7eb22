"""Weights of age groups follow from the bands of a standard, or do not exist."""

import pytest

from enclos.studies.standard.model import MAX_GROUPS, Standard
from enclos.studies.standard.rules import default_groups, esp2013

OWN = Standard("own", (((20, 39), 2), ((40, 49), 1), ((60, 150), 1)))


@pytest.mark.parametrize(
    ("ages", "weight"),
    [((20, 39), 2), ((20, 49), 3), ((40, 150), None), ((20, 30), None), ((0, 39), None), ((50, 59), None)],
)
def test_a_group_is_made_of_whole_bands_that_follow_each_other(ages: tuple[int, int], weight: int | None) -> None:
    assert OWN.weight_of(ages) == weight


def test_only_the_finest_groups_are_weighted_in_order_of_age() -> None:
    assert OWN.weights_of([(60, 150), (20, 49), (20, 39), (40, 49)]) == {(20, 39): 2, (40, 49): 1, (60, 150): 1}


@pytest.mark.parametrize("groups", [[(0, 4), (3, 9)], [(0, 4), (5, 8)]])
def test_groups_that_overlap_or_cut_a_band_have_no_weights(groups: list[tuple[int, int]]) -> None:
    assert esp2013().weights_of(groups) is None


def test_more_groups_than_a_result_carries_have_no_weights() -> None:
    many = Standard("own", tuple(((age, age), 1) for age in range(MAX_GROUPS + 1)))
    assert many.weights_of([ages for ages, _ in many.bands]) is None


def test_groups_by_default_hold_all_of_the_standard() -> None:
    weights = esp2013().weights_of(default_groups(esp2013()))
    assert weights is not None
    assert (len(weights), sum(weights.values())) == (18, 100_000)
    assert default_groups(OWN) == [(20, 39), (40, 49), (60, 150)]


@pytest.mark.parametrize("bands", [(), (((9, 5), 1),), (((0, 9), 1), ((9, 20), 1)), (((0, 9), 0),)])
def test_a_standard_is_in_order_with_positive_weights(bands: tuple[tuple[tuple[int, int], int], ...]) -> None:
    with pytest.raises(ValueError, match="standard"):
        Standard("own", bands)
