"""The attacker: what small systems of equations tell."""

import numpy as np
import pytest

from enclos.release.rules.attack import Relation, exposed, system_of


def narrow(values: list[int], required: list[int], relations: list[Relation], hidden: list[int]) -> list[int]:
    n = len(values)
    system = system_of(values, required, [False] * n, [1] * n, relations)
    return exposed(system, np.isin(np.arange(n), hidden)).tolist()


SUM = Relation(((0, 1), (1, 1), (2, -1)), is_equation=True)


def test_one_hidden_part_is_told_by_its_total() -> None:
    assert narrow([3, 50, 53], [5, 0, 0], [SUM], [0]) == [0]


def test_two_hidden_parts_are_told_only_when_their_total_is_small() -> None:
    assert narrow([3, 50, 53], [5, 0, 0], [SUM], [0, 1]) == []
    assert narrow([3, 1, 4], [5, 0, 0], [SUM], [0, 1]) == [0]


def test_a_hidden_part_and_a_hidden_total_are_free() -> None:
    assert narrow([3, 50, 53], [5, 0, 0], [SUM], [0, 2]) == []


def test_two_sums_tell_what_one_does_not() -> None:
    other = Relation(((1, 1), (3, 1), (4, -1)), is_equation=True)
    assert narrow([3, 50, 53, 7, 57], [5, 0, 0, 0, 0], [SUM, other], [0, 1]) == [0]
    assert narrow([3, 50, 53, 7, 57], [5, 0, 0, 0, 0], [SUM, other], [0, 1, 3]) == []


def test_bounds_narrow_too() -> None:
    at_most = Relation(((0, 1), (1, -1)), is_equation=False, slack=1)
    assert narrow([3, 4], [5, 0], [at_most], [0]) == [0]
    assert narrow([3, 4], [4, 0], [at_most], [0]) == []


def test_what_nothing_is_known_about_is_free_and_what_is_not_hidden_is_not_attacked() -> None:
    assert narrow([3], [5], [], [0]) == []
    assert narrow([3], [5], [], []) == []


def test_large_numbers_lose_no_digit() -> None:
    big = 25_000_000_000
    total = Relation(((0, 1), (1, 1), (2, -1)), is_equation=True)
    assert narrow([3, big, big + 3], [5, 0, 0], [total], [0]) == [0]
    assert narrow([3, big, big + 3], [5, 0, 0], [total], [0, 1]) == []


def test_a_relation_that_does_not_hold_is_a_bug() -> None:
    with pytest.raises(ValueError, match="satisfy"):
        Relation(((0, 1),), is_equation=True, slack=1)


def test_the_solver_says_nothing_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    """Some versions of it greet on standard output, where answers to programs go."""
    relation = Relation(((0, 1), (1, 1)), is_equation=True)
    system = system_of([3, 4], [5, 5], [False, False], [1, 1], [relation])
    assert exposed(system, np.array([True, True])).tolist() == []
    assert capfd.readouterr() == ("", "")
