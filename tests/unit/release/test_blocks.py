"""Of few sets every group of a few persons that their numbers tell is found, by whatever sums."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.release import blocks
from enclos.release.allowance import Sought, Untried
from enclos.release.blocks import told_groups
from oracle.determined import determined


def arrays(sets: list[frozenset[int]]) -> list[np.ndarray]:
    return [np.array(sorted(each), dtype=np.int64) for each in sets]


def test_five_sets_that_cross_tell_who_is_left() -> None:
    """Each person of a ring is in two of five sets of two: half of their sum less two of them is one person."""
    ring = [frozenset({at, (at + 1) % 5}) for at in range(5)]
    groups = list(told_groups(arrays(ring), 4, 2, Sought()))
    assert len(groups) == 5
    assert all(n == 1 for n, _, _ in groups)
    assert {len((*plus, *minus)) for _, plus, minus in groups} == {5}
    assert not list(told_groups(arrays(ring[:4]), 3, 2, Sought()))


def test_what_was_known_before_is_not_told_again() -> None:
    parts = [frozenset(range(30)), frozenset(range(27)), frozenset(range(100, 140))]
    assert [n for n, _, _ in told_groups(arrays(parts), 0, 11, Sought())] == [3]
    assert not list(told_groups(arrays(parts), 2, 11, Sought()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.frozensets(st.integers(0, 13), min_size=1, max_size=14), min_size=2, max_size=9), st.integers(2, 5))
def test_what_an_independent_judge_finds_is_found(sets: list[frozenset[int]], k: int) -> None:
    distinct = list(dict.fromkeys(sets))
    found = list(told_groups(arrays(distinct), 0, k, Sought()))
    assert bool(found) is (determined(distinct, k) is not None)
    for n, plus, minus in found:
        assert 0 < n < k
        assert {*plus, *minus} <= set(range(len(distinct)))


def test_many_alike_blocks_are_looked_at_in_time() -> None:
    people = list(range(60))
    sets = [frozenset(people[at : at + 3]) for at in range(0, 60, 3)]
    sets += [frozenset((*one, *other)) for one, other in combinations(sets[:6], 2)]
    groups = list(told_groups(arrays(sets), 0, 4, Sought()))
    assert {n for n, _, _ in groups} == {3}


@pytest.mark.parametrize("n", [2, 6, 7, 10])
def test_a_group_of_however_many_blocks_is_found(n: int) -> None:
    """Each of a few is in one set of her own with others, and all of them in one with many: what it leaves is they."""
    many = frozenset(range(1000, 1040))
    few = range(n)
    sets = [many, *(frozenset({at, *range(100 * at + 2000, 100 * at + 2020)}) for at in few)]
    sought = Sought()
    assert [size for size, _, _ in told_groups(arrays([*sets, many | set(few)]), len(sets), 11, sought)] == [n]
    assert not list(told_groups(arrays(sets), 0, 11, sought))
    assert not sought.untried


@pytest.mark.parametrize(
    ("n_sets", "n_persons", "k", "is_said"),
    [(12, 120, 11, False), (30, 36, 11, True), (30, 36, 5, False), (30, 120, 11, True)],
)
def test_what_crosses_in_more_groups_of_a_few_than_can_be_added_is_said_to(
    n_sets: int, n_persons: int, k: int, is_said: bool
) -> None:
    """Of thirty sets all choices are too many: groups are of six blocks, which are all groups below five persons."""
    random = np.random.default_rng(1)
    sets = [frozenset(random.choice(n_persons, n_persons // 2, replace=False).tolist()) for _ in range(n_sets)]
    sought = Sought()
    assert not list(told_groups(arrays(sets), 0, k, sought))
    assert set(sought.untried) == ({Untried.BLOCKS} if is_said else set())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.frozensets(st.integers(0, 13), min_size=1, max_size=14), min_size=2, max_size=9), st.integers(2, 5))
def test_both_ways_of_seeking_groups_find_the_same(sets: list[frozenset[int]], k: int) -> None:
    """Groups below five persons have no more than six blocks, so that both ways are exact."""
    distinct = arrays(list(dict.fromkeys(sets)))
    found = list(told_groups(distinct, 0, k, Sought()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_MOST_TRIED", 0)
        assert sorted(n for n, _, _ in told_groups(distinct, 0, k, Sought())) == sorted(n for n, _, _ in found)
