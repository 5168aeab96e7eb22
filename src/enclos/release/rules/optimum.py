"""The least that has to be hidden: which numbers together keep every hidden one wide enough, at the lowest cost.

A number is hidden or not; how far an attacker can push a hidden one is a linear programme, and its dual says which
others would have to be hidden for more room. So each attack that finds a number too narrow becomes a condition on what
is hidden, and an integer programme looks for the cheapest set that meets all of them, until no attack succeeds.

What takes more than the limits below is left where it got to: the answer never depends on how fast a machine is.
Source: Fischetti and Salazar-González 2001, Management Science 47:1008 (the complete cell suppression problem, by
        Benders' cuts); lifted coefficients and cover conditions as there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from enclos.release.rules.arrays import Bools, Floats, Ints
from enclos.release.rules.attack import System, exposed

MOST_NUMBERS = 250
"""Numbers of one problem; larger ones keep the choice that was made without an optimiser."""
_MOST_ROUNDS = 10
_MOST_NODES = 20
_EPSILON = 1e-6
_HALF = 0.5


def cheapest(system: System, always: Bools, chosen: Bools, costs: Floats, hides_with: Mapping[int, set[int]]) -> Bools:
    """What to hide so that nothing is exposed, at the lowest cost; or nearly so, where that was not reached.

    In:  always — hidden whatever else is; chosen — a set that exposes nothing, ``always`` among it;
         hides_with — what is hidden with a number
    Out: parts that could be solved expose nothing; others have to be looked at again
    """
    found = chosen.copy()
    _, component = connected_components(abs(system.matrix.T) @ abs(system.matrix), directed=False)
    component = _joined(component, hides_with)
    for each in np.unique(component[chosen & ~always]).tolist():
        places = np.flatnonzero(component == each)
        if len(places) <= MOST_NUMBERS:
            at = {place: own for own, place in enumerate(places.tolist())}
            ties = [(at[one], at[other]) for one in places.tolist() for other in hides_with.get(one, ())]
            found[places] = _solve(_part(system, places), always[places], costs[places], ties)
    return found


def without_needless(
    system: System, always: Bools, hidden: Bools, costs: Floats, hides_with: Mapping[int, set[int]]
) -> Bools:
    """The same set without numbers, dearest first, that can be shown again with nothing exposed."""
    found = hidden.copy()
    _, component = connected_components(abs(system.matrix.T) @ abs(system.matrix), directed=False)
    because: dict[int, set[int]] = {}
    for one, others in hides_with.items():
        for other in others:
            because.setdefault(other, set()).add(one)
    for each in np.unique(component[hidden & ~always]).tolist():
        places = np.flatnonzero(component == each)
        if len(places) > MOST_NUMBERS:
            continue
        part = _part(system, places)
        free = places[(hidden & ~always)[places]]
        for place in free[np.lexsort((free, -costs[free]))].tolist():
            if any(found[one] for one in because.get(place, ())):
                continue
            found[place] = False
            found[place] = bool(len(exposed(part, found[places])))
    return found


def _joined(component: Ints, hides_with: Mapping[int, set[int]]) -> Ints:
    """Components with those together that are hidden together."""
    for one, others in hides_with.items():
        for other in others:
            component = np.where(component == component[other], component[one], component)
    return component


def _part(system: System, places: Ints) -> System:
    matrix = system.matrix[:, places]
    used = np.flatnonzero(np.diff(matrix.indptr))
    return System(
        system.values[places],
        system.required[places],
        system.signed[places],
        system.reach[places],
        matrix[used],
        system.is_equation[used],
        system.slack[used],
    )


def _solve(system: System, always: Bools, costs: Floats, ties: Sequence[tuple[int, int]]) -> Bools:
    """The cheapest set of one problem, or the last that was looked at."""
    n = len(costs)
    rows, least = _known_conditions(system, always, ties)
    hidden = always.copy()
    for round_ in range(_MOST_ROUNDS):
        if rows:
            solved = milp(
                costs + _EPSILON,
                integrality=np.ones(n),
                bounds=Bounds(always.astype(float), np.ones(n)),
                constraints=LinearConstraint(csr_matrix(np.array(rows)), np.array(least), np.inf),
                options={"node_limit": _MOST_NODES, "mip_rel_gap": 0.0},
            )
            if solved.x is None:
                return hidden
            hidden = solved.x > _HALF
        narrow = exposed(system, hidden) if round_ < _MOST_ROUNDS - 1 else np.zeros(0, dtype=np.int64)
        if not len(narrow):
            return hidden
        for number in narrow.tolist():
            row, bound = _condition(system, hidden, always, number)
            rows.append(row)
            least.append(bound)
    return hidden


def _known_conditions(
    system: System, always: Bools, ties: Sequence[tuple[int, int]]
) -> tuple[list[Floats], list[float]]:
    """What holds before any attack: ties; and no number is hidden alone in an equation, which would tell it."""
    n = len(always)
    rows: list[Floats] = []
    for one, other in ties:
        row = np.zeros(n)
        row[other], row[one] = 1.0, -1.0
        rows.append(row)
    least = [0.0] * len(rows)
    bound_by_ties = {other for _, other in ties}
    for equation in np.flatnonzero(system.is_equation).tolist():
        part = system.matrix.indices[system.matrix.indptr[equation] : system.matrix.indptr[equation + 1]]
        for number in part.tolist():
            if (always[number] and system.required[number]) or not (always[number] or number in bound_by_ties):
                row = np.zeros(n)
                row[part] = 1.0
                row[number] = 0.0 if always[number] else -1.0
                rows.append(row)
                least.append(float(always[number]))
    return rows, least


def _condition(system: System, hidden: Bools, always: Bools, number: int) -> tuple[Floats, float]:
    """What any set has to meet for a number to be wide enough, and this one does not: weights and the least sum."""
    weights, constant = np.zeros(len(hidden)), 0.0
    for sign in (1.0, -1.0):
        part, rest = _furthest(system, hidden, number, sign)
        weights, constant = weights + part, constant + rest
    bound = float(system.required[number]) - constant - weights[always].sum()
    weights = np.where(always, 0.0, np.minimum(weights, max(bound, 0.0)))
    if bound <= _EPSILON or weights[hidden].sum() >= bound - _EPSILON:
        # Halves that add up, or rounding: nothing follows but that one more has to be hidden.
        return (~hidden).astype(float), 1.0
    weights[weights < _EPSILON] = 0.0
    return weights / bound, 1.0


def _furthest(system: System, hidden: Bools, number: int, sign: float) -> tuple[Floats, float]:
    """How far a number goes at most, one way, for any set: so much for each that is hidden, and a constant."""
    goal = np.zeros(len(hidden))
    goal[number] = sign
    lowest = np.where(system.signed, -system.reach, -np.minimum(system.values, system.reach))
    equal, below = system.matrix[system.is_equation], system.matrix[~system.is_equation]
    slack = system.slack[~system.is_equation]
    solved = linprog(
        -goal,
        A_ub=below if below.shape[0] else None,
        b_ub=slack if below.shape[0] else None,
        A_eq=equal if equal.shape[0] else None,
        b_eq=np.zeros(equal.shape[0]) if equal.shape[0] else None,
        bounds=np.column_stack((np.where(hidden, lowest, 0.0), np.where(hidden, system.reach, 0.0))),
        method="highs",
    )
    if solved.status != 0:
        return np.full(len(hidden), np.inf), 0.0
    left, constant = goal, 0.0
    if equal.shape[0]:
        left = left + equal.T @ solved.eqlin.marginals
    if below.shape[0]:
        prices = np.maximum(-solved.ineqlin.marginals, 0.0)
        left, constant = left - below.T @ prices, float(prices @ slack)
    return np.maximum(left, 0.0) * system.reach + np.maximum(-left, 0.0) * -lowest, constant
