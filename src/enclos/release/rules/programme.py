"""The relations of hidden numbers, made smaller without losing or gaining a solution.

A relation of one number is a bound; numbers that are a multiple of each other are one; a relation that bounds, or an
equation with bounds, imply says nothing. What is left has the very same solutions and is solved in a fraction of the
time. All is written in differences from the true values, so that 0 is always a solution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from enclos.release.rules.arrays import Bools, Floats, Ints

_ROUNDING = 1e-9
_MOST_ROUNDS = 50
_PAIR = 2


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Relations between unknowns: equal to 0, or at most ``slack``; and the bounds of each unknown, 0 among them."""

    relations: csr_matrix
    is_equation: Bools
    slack: Floats
    lowest: Floats
    highest: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """A smaller programme: each unknown of the first is ``times`` the one at ``place`` in it; 0 where it is pinned."""

    programme: Programme
    place: Ints
    times: Floats

    def of_all(self, solution: Floats) -> Floats:
        """The solution of the first programme."""
        if not len(solution):
            return np.zeros(len(self.place))
        found: Floats = solution[self.place] * self.times
        return found


def reduced(programme: Programme) -> Reduced:
    """The programme in as few unknowns and relations as can be told at a glance."""
    n = len(programme.lowest)
    place, times = np.arange(n), np.ones(n)
    while True:
        programme = _without_single(programme)
        pinned = (programme.lowest >= 0) & (programme.highest <= 0) & (np.bincount(place, times != 0, n) > 0)
        times[pinned[place]] = 0.0
        lowest, highest = programme.lowest.copy(), programme.highest.copy()
        if not _join(programme, pinned, place, times, lowest, highest) and not pinned.any():
            break
        own = csr_matrix((times, (np.arange(n), place)), shape=(n, n))
        programme = Programme(
            csr_matrix(programme.relations @ own), programme.is_equation, programme.slack, lowest, highest
        )
    programme = _without_implied(_without_same(programme))
    kept = np.unique(place[times != 0])
    at = np.zeros(n, dtype=np.int64)
    at[kept] = np.arange(len(kept))
    left = Programme(
        csr_matrix(programme.relations[:, kept]),
        programme.is_equation,
        programme.slack,
        programme.lowest[kept],
        programme.highest[kept],
    )
    return Reduced(left, np.where(times != 0, at[place], 0), times)


def implied_bounds(programme: Programme) -> tuple[Floats, Floats]:
    """The lowest and the highest that each unknown can be by one relation after the other: the truth lies within."""
    relations, (n_rows, n) = programme.relations, programme.relations.shape
    row, column, weight = _entries(relations), relations.indices, relations.data
    at_least = np.where(programme.is_equation, 0.0, -np.inf)
    lowest, highest = programme.lowest, programme.highest
    for _ in range(_MOST_ROUNDS if n else 0):
        one, other = weight * lowest[column], weight * highest[column]
        least, most = np.minimum(one, other), np.maximum(one, other)
        above = (at_least[row] - (np.bincount(row, most, n_rows)[row] - most)) / weight
        below = (programme.slack[row] - (np.bincount(row, least, n_rows)[row] - least)) / weight
        low, high = lowest.copy(), highest.copy()
        np.maximum.at(low, column, np.where(weight > 0, above, below))
        np.minimum.at(high, column, np.where(weight > 0, below, above))
        low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)  # 0 is a solution, whatever is lost by rounding
        is_done = (low <= lowest + _ROUNDING).all() and (high >= highest - _ROUNDING).all()
        lowest, highest = low, high
        if is_done:
            break
    return lowest, highest


def _entries(relations: csr_matrix) -> Ints:
    """The row of each entry."""
    return np.repeat(np.arange(relations.shape[0]), np.diff(relations.indptr))


def _rows(programme: Programme, kept: Ints) -> Programme:
    return Programme(
        csr_matrix(programme.relations[kept]),
        programme.is_equation[kept],
        programme.slack[kept],
        programme.lowest,
        programme.highest,
    )


def _without_single(programme: Programme) -> Programme:
    """Relations of one unknown are bounds of it."""
    relations = programme.relations
    relations.eliminate_zeros()
    relations.sort_indices()
    n_terms = np.diff(relations.indptr)
    single = np.flatnonzero(n_terms == 1)
    column, weight = relations.indices[relations.indptr[single]], relations.data[relations.indptr[single]]
    bound, equal = programme.slack[single] / weight, programme.is_equation[single]
    lowest, highest = programme.lowest.copy(), programme.highest.copy()
    np.maximum.at(lowest, column, np.where(equal, 0.0, np.where(weight < 0, bound, -np.inf)))
    np.minimum.at(highest, column, np.where(equal, 0.0, np.where(weight > 0, bound, np.inf)))
    left = _rows(programme, np.flatnonzero(n_terms > 1))
    return Programme(left.relations, left.is_equation, left.slack, lowest, highest)


def _join(programme: Programme, pinned: Bools, place: Ints, times: Floats, lowest: Floats, highest: Floats) -> bool:
    """Of two unknowns in an equation of their own the smaller goes with the larger; whether any does.

    In: pinned — are left alone; the rest is changed in place
    """
    relations = programme.relations
    touched = pinned.copy()
    found = False
    for row in np.flatnonzero(programme.is_equation & (np.diff(relations.indptr) == _PAIR)).tolist():
        begin = relations.indptr[row]
        (one, other), (weight, its) = (
            each[begin : begin + _PAIR].tolist() for each in (relations.indices, relations.data)
        )
        if touched[one] or touched[other]:
            continue
        if abs(weight) > abs(its):
            one, other, weight, its = other, one, its, weight
        part = -weight / its  # the other is at most as large as the one, so that no error grows
        ends = (lowest[other] / part, highest[other] / part)
        lowest[one], highest[one] = max(lowest[one], min(ends)), min(highest[one], max(ends))
        its_own = place == other
        times[its_own] *= part
        place[its_own] = one
        touched[one] = touched[other] = found = True
    return found


def _without_same(programme: Programme) -> Programme:
    """Of relations with the same terms only the one with the least slack."""
    relations = programme.relations
    kept: dict[tuple[bool, bytes, bytes], tuple[float, int]] = {}
    for row, (begin, end) in enumerate(zip(relations.indptr[:-1], relations.indptr[1:], strict=True)):
        weights, is_equation = relations.data[begin:end], bool(programme.is_equation[row])
        unit = weights[0] if is_equation else abs(weights[0])
        name = (is_equation, relations.indices[begin:end].tobytes(), (weights / unit).tobytes())
        found = (float(programme.slack[row] / abs(unit)), row)
        kept[name] = min(kept.get(name, found), found)
    return _rows(programme, np.array(sorted(row for _, row in kept.values()), dtype=np.int64))


def _without_implied(programme: Programme) -> Programme:
    """Without inequalities that bounds imply, and those of two unknowns that an equation with both and bounds imply."""
    most = _most(programme.relations, programme)
    kept = programme.is_equation | (most > programme.slack + _ROUNDING)
    programme = _rows(programme, np.flatnonzero(kept))
    relations = programme.relations
    pairs = np.flatnonzero(~programme.is_equation & (np.diff(relations.indptr) == _PAIR))
    equations = np.flatnonzero(programme.is_equation)
    if not len(pairs) or not len(equations):
        return programme
    by = csr_matrix(relations[equations])
    shown, has = csr_matrix(relations[pairs]), by.copy()
    shown.data, has.data = np.ones(shown.nnz), np.ones(has.nnz)
    both = (shown @ has.T).tocoo()
    holds = both.data == _PAIR
    pair, equation = both.row[holds], both.col[holds]
    begin = relations.indptr[pairs[pair]]
    ends = [(relations.indices[begin + which], relations.data[begin + which]) for which in (0, 1)]
    highest_sum, lowest_sum = _most(by, programme), _most(-by, programme)
    is_implied = np.zeros(relations.shape[0], dtype=np.bool_)
    for (gone, of_gone), (left, of_left) in (ends, ends[::-1]):
        in_gone = np.asarray(by[equation, gone]).ravel()
        in_left = np.asarray(by[equation, left]).ravel()
        share = -of_gone / in_gone  # so many times the equation takes the one unknown out
        rest = np.where(share > 0, highest_sum[equation], lowest_sum[equation]) * abs(share)
        for column, weight in ((gone, share * in_gone), (left, share * in_left)):
            rest -= _furthest(programme, column, weight)
        rest += _furthest(programme, left, of_left + share * in_left)
        is_implied[pairs[pair[rest <= programme.slack[pairs[pair]] + _ROUNDING]]] = True
    return _rows(programme, np.flatnonzero(~is_implied))


def _most(relations: csr_matrix, programme: Programme) -> Floats:
    """What the weighted sums are at most by the bounds alone."""
    ends = _furthest(programme, relations.indices, relations.data)
    return np.asarray(np.bincount(_entries(relations), ends, relations.shape[0]), dtype=np.float64)


def _furthest(programme: Programme, column: Ints, weight: Floats) -> Floats:
    """What an unknown so many times is at most."""
    most: Floats = np.maximum(weight * programme.lowest[column], weight * programme.highest[column])
    return most
