"""The optimiser hides the least that keeps every small number wide: as trying every set does."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.release.rules.arrays import Bools
from enclos.release.rules.attack import Relation, System, exposed, system_of
from enclos.release.rules.optimum import cheapest


def table(inner: list[list[int]], k: int) -> System:
    """A table of two ways with its margins and its total."""
    n_rows, n_columns = len(inner), len(inner[0])
    whole = np.zeros((n_rows + 1, n_columns + 1), dtype=int)
    whole[:-1, :-1] = inner
    whole[:-1, -1], whole[-1, :-1], whole[-1, -1] = (np.sum(inner, axis=1), np.sum(inner, axis=0), np.sum(inner))
    at = np.arange(whole.size).reshape(whole.shape)
    lines = [*at, *at.T]
    relations = [
        Relation((*((int(each), 1) for each in line[:-1]), (int(line[-1]), -1)), is_equation=True) for line in lines
    ]
    values = whole.ravel().tolist()
    required = [k if 0 < n < k else 0 for n in values]
    return system_of(values, required, [False] * len(values), [1] * len(values), relations)


def small(system: System) -> Bools:
    return system.required > 0


def least(system: System, always: Bools, costs: list[float]) -> float:
    """The cost of the cheapest set that exposes nothing, every set being tried in the order of its size."""
    others = np.flatnonzero(~always).tolist()
    best = float("inf")
    for n in range(len(others) + 1):
        for more in combinations(others, n):
            cost = sum(costs[each] for each in more)
            hidden = always.copy()
            hidden[list(more)] = True
            if cost < best and not len(exposed(system, hidden)):
                best = cost
    return best


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 30), min_size=2, max_size=2), min_size=2, max_size=2),
    st.lists(st.integers(1, 5), min_size=9, max_size=9),
)
def test_nothing_cheaper_exposes_nothing(inner: list[list[int]], prices: list[int]) -> None:
    system = table(inner, 6)
    always = small(system)
    if not always.any() or not (everything := ~always).any():
        return
    costs = [float(price) for price in prices]
    if len(exposed(system, always | everything)):
        return
    found = cheapest(system, always, np.ones(9, dtype=bool), np.array(costs), {})
    assert not len(exposed(system, found))
    assert always[~found].sum() == 0
    assert float(np.array(costs)[found & ~always].sum()) == pytest.approx(least(system, always, costs))


def test_what_is_hidden_with_a_number_is_paid_for() -> None:
    """A rate beside each count: the corner whose rates are cheap is taken, and its rates with it."""
    system = table([[3, 40, 50], [60, 70, 80], [90, 99, 99]], 11)
    always = small(system)
    costs = np.ones(16)
    free = cheapest(system, always, np.ones(16, dtype=bool), costs, {})
    assert int(free.sum()) == 4
    tied = {number: {number + 1} for number in np.flatnonzero(free & ~always).tolist() if number + 1 < 16}
    bound = cheapest(system, always, np.ones(16, dtype=bool), costs, tied)
    assert not len(exposed(system, bound))
    assert all(bound[other] for one, others in tied.items() if bound[one] for other in others)


def test_the_margins_of_two_tables_of_one_request_are_one_problem() -> None:
    """The total of two tables is one number: hidden in one for its sake, it is hidden in the other."""
    first, second = [3, 40, 43], [5, 38, 43]
    values = [*first[:2], *second[:2], 43]
    relations = [
        Relation(((0, 1), (1, 1), (4, -1)), is_equation=True),
        Relation(((2, 1), (3, 1), (4, -1)), is_equation=True),
    ]
    system = system_of(values, [11 if n < 11 else 0 for n in values], [False] * 5, [1] * 5, relations)
    found = cheapest(system, small(system), np.ones(5, dtype=bool), np.array([1.0, 3.0, 1.0, 3.0, 4.0]), {})
    assert found.tolist() == [True, False, True, False, True]
    apart = cheapest(system, small(system), np.ones(5, dtype=bool), np.array([1.0, 3.0, 1.0, 3.0, 7.0]), {})
    assert apart.tolist() == [True, True, True, True, False]
