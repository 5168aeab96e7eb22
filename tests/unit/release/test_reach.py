"""How far hidden numbers can move: as one linear programme for each of them and each way says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from enclos.release.rules.arrays import Floats
from enclos.release.rules.programme import Programme, implied_bounds, reduced
from enclos.release.rules.reach import Reach, width_of

DAYS = 365


def strata(seed: int) -> tuple[Programme, npt.NDArray[np.int64]]:
    """Persons of a table with its margins, some of them shown, and the days of each: as numbers of a result are tied.

    Out: the programme, and the persons' values
    """
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(2, 4, size=2))
    inner = random.poisson(random.gamma(0.6, 8, size=shape))
    whole = np.block([[inner, inner.sum(1, keepdims=True)], [inner.sum(0, keepdims=True), inner.sum()]])
    at = np.arange(whole.size).reshape(whole.shape)
    values, n = whole.ravel(), whole.size
    days = np.maximum(values * DAYS - random.integers(0, 40, n), values)
    rows: list[tuple[dict[int, float], bool]] = []
    for line in (*at, *at.T):
        rows.append(({**dict.fromkeys(line[:-1].tolist(), 1.0), int(line[-1]): -1.0}, True))
        rows += [({int(part): 1.0, int(line[-1]): -1.0}, False) for part in line[:-1]]
    for one in range(n):
        rows += [({one: 1.0, n + one: -1.0}, False), ({n + one: 1.0, one: -float(DAYS)}, False)]
    rows += [({int(a): 1.0, int(b): -1.0}, True) for a, b, *_ in at if values[a] == values[b]]
    both = np.concatenate([values, days])
    hidden = np.concatenate([(values > 0) & (values < 11) | (random.random(n) < 0.4), random.random(n) < 0.7])
    matrix = np.array([[row.get(each, 0.0) for each in range(2 * n)] for row, _ in rows])
    is_equation = np.array([equation for _, equation in rows])
    slack = np.where(is_equation, 0.0, -(matrix @ both))
    return (
        Programme(
            csr_matrix(matrix[:, hidden]),
            is_equation,
            slack,
            -np.minimum(both, 44.0 * np.repeat([1, DAYS], n))[hidden],
            (44.0 * np.repeat([1, DAYS], n))[hidden],
        ),
        both[hidden],
    )


def furthest(programme: Programme) -> tuple[Floats, Floats]:
    """How far each unknown moves, up and down, by one programme each."""
    dense, equal = programme.relations.toarray(), programme.is_equation
    ends = []
    for sign in (-1.0, 1.0):
        found = []
        for place in range(dense.shape[1]):
            solved = linprog(
                sign * np.eye(dense.shape[1])[place],
                A_ub=dense[~equal],
                b_ub=programme.slack[~equal],
                A_eq=dense[equal],
                b_eq=np.zeros(equal.sum()),
                bounds=np.column_stack((programme.lowest, programme.highest)),
            )
            assert solved.status == 0
            found.append(solved.x[place])
        ends.append(np.array(found))
    return ends[0], ends[1]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_a_smaller_programme_has_the_same_solutions(seed: int) -> None:
    programme, _ = strata(seed)
    smaller = reduced(programme)
    left = smaller.programme
    assert left.relations.shape[0] < programme.relations.shape[0]
    up, down = furthest(programme)
    its_up, its_down = furthest(left)
    one, other = smaller.of_all(its_up), smaller.of_all(its_down)
    assert np.maximum(one, other) == pytest.approx(up, abs=1e-4)
    assert np.minimum(one, other) == pytest.approx(down, abs=1e-4)
    least, most = implied_bounds(left)
    assert (least <= its_down + 1e-4).all()
    assert (most >= its_up - 1e-4).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_narrow_is_so_by_programmes_of_each_number_whether_taken_apart_or_not(seed: int) -> None:
    programme, values = strata(seed)
    required = np.where((values > 0) & (values < 11), 11, 0)
    expected = np.flatnonzero((required > 0) & (width_of(*furthest(programme)) < required)).tolist()
    nothing = np.zeros(len(values))
    for large_from in (0, 1_000):
        reach = Reach(programme, required, nothing, nothing, large_from)
        assert reach.narrow().tolist() == expected


def test_what_cannot_move_at_all_is_narrow() -> None:
    """Two numbers that are shown by their sums leave no programme to solve."""
    sums = Programme(
        csr_matrix(np.array([[1.0, 0.0], [0.0, 1.0]])),
        np.array([True, True]),
        np.zeros(2),
        np.array([-3.0, -4.0]),
        np.array([44.0, 44.0]),
    )
    assert Reach(sums, np.array([11, 11]), np.zeros(2), np.zeros(2), 0).narrow().tolist() == [0, 1]
