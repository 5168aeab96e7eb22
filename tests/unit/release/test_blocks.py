"""Of few sets every group of a few persons that their numbers tell is found, by whatever sums."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.release.allowance import Sought
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
