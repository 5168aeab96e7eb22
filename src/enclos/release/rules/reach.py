"""How far hidden numbers can move from their true values in all that is known, by linear programmes.

A number is wide when solutions were seen that are as far from each other as it requires, and narrow when bounds say
that there are none. Each solution shows something of all numbers, so many are moved at once. Bounds come from a few
relations around a number, which leave it more room than all would; what neither decides is solved by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import highspy
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from enclos.release.rules.arrays import Floats, Ints
from enclos.release.rules.programme import Programme, implied_bounds, reduced

_EPSILON = 1e-6
_ROUNDING = 1e-7
_TOGETHER = 30
"""Unknowns that are moved together in a large programme: fewer show less, more hinder each other."""
_AROUND = 300
"""Relations that are solved by themselves: enough to say much, and few enough to take no time."""
_LARGE = 1_000
_PERTURBED = (0.0, 1.0)
"""How much the solver moves bounds against going in circles: nothing at first, which takes a third less time."""
_OPTIONS: dict[str, str | int | bool] = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "simplex_strategy": 4,  # primal: what was a solution stays one when another number is looked for
    "presolve": "off",
    "simplex_iteration_limit": 200_000,  # ten times what the largest took that was seen
}


def width_of(up: Floats, down: Floats) -> Floats:
    """The whole numbers between the lowest and the highest value."""
    width: Floats = np.floor(up + _EPSILON) + np.floor(-down + _EPSILON)
    return width


def components(part: csr_matrix) -> Ints:
    """The component of each unknown: two are in one when a chain of relations joins them."""
    joined = abs(part.T) @ abs(part)
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)


class Reach:
    """How far each unknown of a programme was seen to move in some solution, and how far it moves at most.

    In: required — the width that each needs; 0 for none; up, down — what was seen before; large_from — relations that
        are taken apart, since a large programme takes longer than its parts
    """

    def __init__(
        self, programme: Programme, required: Ints, up: Floats, down: Floats, large_from: int = _LARGE
    ) -> None:
        self.up, self.down = up, down
        self._large_from = large_from
        self._required = required
        self._reduced = reduced(programme)
        self._left = self._reduced.programme
        self._least, self._most = implied_bounds(self._left)
        self._solver = _Solver(self._left)

    def narrow(self) -> Ints:
        """Those whose interval is narrower than they require, all being decided."""
        if len(self._open()):
            self._push_some(len(self._most))
            if self._left.relations.shape[0] >= self._large_from:
                self._push_while_many()
                self._bound()
                self._push_while_many()
            self._push_each()
        return np.flatnonzero((self._required > 0) & (width_of(self.up, self.down) < self._required))

    def _open(self) -> Ints:
        """Those that were not seen to be wide, and may be."""
        one, other = self._reduced.of_all(self._least), self._reduced.of_all(self._most)
        widest = width_of(np.maximum(one, other), np.minimum(one, other))
        is_narrow = width_of(self.up, self.down) < self._required
        return np.flatnonzero((self._required > 0) & is_narrow & (widest >= self._required))

    def _places(self, unknown: Ints) -> Ints:
        """The unknowns of the smaller programme that these go with."""
        return np.unique(self._reduced.place[unknown])

    def _movable(self, places: Ints, sign: int) -> Ints:
        return places[self._most[places] > _EPSILON] if sign > 0 else places[self._least[places] < -_EPSILON]

    def _push_while_many(self) -> None:
        n_before, n_open = 0, len(self._open())
        while n_open and (not n_before or n_before - n_open >= _TOGETHER):
            self._push_some(_TOGETHER)
            n_before, n_open = n_open, len(self._open())

    def _push_some(self, most: int) -> None:
        """Move some of what is undecided together, up, then down."""
        for sign in (1, -1):
            unknown = self._open()
            weights = np.zeros(len(self._most))
            by_width = np.abs(self._reduced.times[unknown]) / self._required[unknown]
            np.maximum.at(weights, self._reduced.place[unknown], by_width)
            can = self._movable(self._places(unknown), sign)
            spread = can[:: -(-len(can) // most) or 1]
            pushed = np.zeros(len(weights))
            pushed[spread] = sign * weights[spread]
            self._push(pushed)

    def _push_each(self) -> None:
        """Decide what is undecided one by one: one of each component at once, since components do not touch."""
        component = components(self._left.relations)
        undecided = self._places(self._open())
        while len(undecided):
            _, first = np.unique(component[undecided], return_index=True)
            chosen = undecided[first]
            for sign in (1, -1):
                moved = self._movable(np.intersect1d(chosen, self._places(self._open())), sign)
                weights = np.zeros(len(self._most))
                weights[moved] = sign
                found = self._push(weights)
                if found is not None:
                    self._note_end(moved, found[moved], sign)
            undecided = np.intersect1d(np.setdiff1d(undecided, chosen), self._places(self._open()))

    def _push(self, weights: Floats) -> Floats | None:
        """The solution in which the weighted sum is the largest; where it shows all unknowns is noted.

        Empty: None where nothing is weighted, or where the solver found none: that proves nothing, so nothing counts
        as wide because of it
        """
        found = self._solver.largest(weights) if weights.any() else None
        if found is not None:
            of_all = self._reduced.of_all(found)
            self.up, self.down = np.maximum(self.up, of_all), np.minimum(self.down, of_all)
        return found

    def _bound(self) -> None:
        """Bound what is undecided by the relations around it, then all by all once more."""
        for some, rows in self._neighbourhoods():
            self._bound_by(some, rows)
        self._least, self._most = implied_bounds(self._within(np.arange(self._left.relations.shape[0])))

    def _note_end(self, places: Ints, found: Floats, sign: int) -> None:
        """Note how far some move at most: as far as was found, and never less for what was rounded."""
        if sign > 0:
            self._most[places] = np.clip(found + _ROUNDING, 0.0, self._most[places])
        else:
            self._least[places] = np.clip(found - _ROUNDING, self._least[places], 0.0)

    def _within(self, rows: Ints) -> Programme:
        """Some relations, with what is known of the bounds of each unknown."""
        left = self._left
        return Programme(left.relations[rows], left.is_equation[rows], left.slack[rows], self._least, self._most)

    def _bound_by(self, some: Ints, rows: Ints) -> None:
        part = self._within(rows)
        columns = np.unique(part.relations.indices)
        solver = _Solver(
            Programme(
                part.relations[:, columns], part.is_equation, part.slack, self._least[columns], self._most[columns]
            )
        )
        for sign in (1, -1):
            for place in self._movable(np.intersect1d(some, self._places(self._open())), sign).tolist():
                at = int(np.searchsorted(columns, place))
                weights = np.zeros(len(columns))
                weights[at] = sign
                found = solver.largest(weights)
                if found is not None:
                    self._note_end(np.array([place]), found[[at]], sign)

    def _neighbourhoods(self) -> Iterator[tuple[Ints, Ints]]:
        """The undecided, those of a long relation together, and the relations around them."""
        relations, columns = self._left.relations, csc_matrix(self._left.relations)
        n_terms = np.diff(relations.indptr)
        undecided = self._places(self._open())
        waits = np.zeros(relations.shape[1], dtype=np.bool_)
        waits[undecided] = True
        some: list[Ints] = []
        rows: list[Ints] = []
        n_rows = 0
        for place in undecided.tolist():
            own = columns.indices[columns.indptr[place] : columns.indptr[place + 1]]
            if not waits[place] or not len(own):
                continue
            longest = own[np.argmax(n_terms[own])]
            together = relations.indices[relations.indptr[longest] : relations.indptr[longest + 1]]
            together = together[waits[together]]
            waits[together] = False
            near = np.unique(relations[np.unique(columns[:, together].indices)].indices)
            some.append(together)
            rows.append(np.unique(columns[:, near].indices))
            n_rows += len(rows[-1])
            if n_rows >= _AROUND:
                yield np.concatenate(some), np.unique(np.concatenate(rows))
                some, rows, n_rows = [], [], 0
        if some:
            yield np.concatenate(some), np.unique(np.concatenate(rows))


class _Solver:
    """One solver that goes from objective to objective: each begins at the corner where the last one ended."""

    def __init__(self, programme: Programme) -> None:
        relations = csc_matrix(programme.relations)
        problem = highspy.HighsLp()
        problem.num_row_, problem.num_col_ = relations.shape
        problem.col_cost_ = np.zeros(relations.shape[1])
        problem.col_lower_, problem.col_upper_ = programme.lowest, programme.highest
        problem.row_lower_ = np.where(programme.is_equation, 0.0, -highspy.kHighsInf)
        problem.row_upper_ = programme.slack
        problem.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        problem.a_matrix_.start_ = relations.indptr
        problem.a_matrix_.index_ = relations.indices
        problem.a_matrix_.value_ = relations.data
        self._columns = np.arange(relations.shape[1], dtype=np.int32)
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in _OPTIONS.items():
            self._solver.setOptionValue(name, value)
        self._solver.passModel(problem)

    def largest(self, weights: Floats) -> Floats | None:
        """The solution with the largest weighted sum; None where none was found that is proven to be."""
        self._solver.changeColsCost(len(weights), self._columns, -weights)  # the solver looks for the least
        for perturbed in _PERTURBED:
            self._solver.setOptionValue("primal_simplex_bound_perturbation_multiplier", perturbed)
            self._solver.run()
            if self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                return np.array(self._solver.getSolution().col_value)
            self._solver.clearSolver()  # what rounding led astray begins anew
        return None
