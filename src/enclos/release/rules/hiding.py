"""Which numbers of rates are hidden: small ones, then whatever would give them away, as little as can be.

While a hidden number is exposed to the attacker (attack.py), the cheapest shown number that is tied to it is hidden
too; then an optimiser (optimum.py) looks for the least that has to be; then sets of persons are compared.

Source: Fischetti and Salazar-González 2001 for the attacker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice

import numpy as np

from enclos.release.allowance import MOST_SETS, Sought
from enclos.release.history import collisions
from enclos.release.model import Role
from enclos.release.rules.arrays import Bools, Ints
from enclos.release.rules.attack import Seen, System, exposed
from enclos.release.rules.cells import Reading
from enclos.release.rules.numbers import Numbers
from enclos.release.rules.optimum import cheapest, without_needless
from enclos.release.rules.reach import components
from enclos.release.sets import sets_of

_OF_ALL = (Role.RATIO, Role.LOWER, Role.UPPER)
_MIN_COUNT = "min_cell_count"
_PER_MISSING = 5.0
"""What hiding a number costs more for each person that it is short of the width: it would free too little."""


def decided(reading: Reading, numbers: Numbers, sought: Sought, *, only_whole: bool = False) -> tuple[Bools, Ints]:
    """Which numbers are hidden, and which can still be narrowed.

    In: only_whole — stop as soon as a cell has to be hidden
    """
    system = numbers.system()
    hidden = _primary(numbers)
    narrow = np.zeros(0, dtype=np.int64)
    if only_whole and hides_a_cell(numbers, hidden):
        return hidden, narrow
    always, seen = hidden.copy(), Seen(len(system.values))
    narrow = _secondary(numbers, system, hidden, seen)
    if not len(narrow):
        hidden, seen = _least(numbers, system, always, hidden, seen)
    suspects: set[bytes] | None = None  # all sets at first; hiding some makes no other collide
    while suspects is None or suspects:
        if only_whole and hides_a_cell(numbers, hidden):
            break
        suspects = _hide_colliding(reading, numbers, hidden, suspects, sought, only_whole=only_whole)
        if suspects and not only_whole:
            narrow = _secondary(numbers, system, hidden, seen)
    return hidden, narrow


def hides_a_cell(numbers: Numbers, hidden: Bools) -> bool:
    """Whether anything of a cell is hidden; counts of attrition are none."""
    positions = {*numbers.numerator_of, *numbers.denominator_of, *numbers.time_of}
    return any(hidden[position] for position in positions if position is not None)


def n_primary(numbers: Numbers) -> int:
    """How many numbers are hidden for their own sake, or with one that is."""
    return int(np.count_nonzero(_primary(numbers) & np.array(numbers.shown, dtype=np.bool_)))


def _primary(numbers: Numbers) -> Bools:
    """Hide what may not be shown whatever else is; numbers that are never shown are hidden anyway."""
    hidden = ~np.array(numbers.shown, dtype=np.bool_)
    for position in numbers.primary | numbers.placed:
        _hide(numbers, hidden, position)
    return hidden


def _hide(numbers: Numbers, hidden: Bools, position: int) -> None:
    hidden[position] = True
    for other in numbers.hides_with.get(position, ()):
        hidden[other] = True


def _secondary(numbers: Numbers, system: System, hidden: Bools, seen: Seen) -> Ints:
    """Hide more until nothing is exposed; gives what still is when nothing is left to hide.

    In: seen — of what is hidden, or of less
    """
    relations_of: dict[int, list[int]] = defaultdict(list)
    for number, relation in enumerate(numbers.relations):
        for position, _ in relation.terms:
            relations_of[position].append(number)
    while True:
        narrow = exposed(system, hidden, seen)
        chosen: set[int] = set()
        for position in narrow.tolist():
            found = _cheapest(numbers, relations_of, hidden, position, chosen)
            if found is not None:
                chosen.add(found)
        if not chosen:
            return narrow
        for position in chosen:
            _hide(numbers, hidden, position)


def _least(numbers: Numbers, system: System, always: Bools, chosen: Bools, seen: Seen) -> tuple[Bools, Seen]:
    """The cheapest that exposes nothing, or what was chosen where that costs no more.

    In: seen — of what was chosen
    Out: what is hidden, and what was seen of that
    """
    costs, component = np.array(numbers.costs), components(system.matrix)
    found = cheapest(system, always, chosen, costs, numbers.hides_with)
    of_found = seen.but_for(np.isin(component, component[found != chosen]))
    narrow = _secondary(numbers, system, found, of_found)
    found = without_needless(system, always, found, costs, numbers.hides_with)
    if len(narrow) or costs[found].sum() >= costs[chosen].sum():
        return chosen, seen
    return found, seen.but_for(np.isin(component, component[found != chosen]))


def _hide_colliding(
    reading: Reading,
    numbers: Numbers,
    hidden: Bools,
    suspects: set[bytes] | None,
    sought: Sought,
    *,
    only_whole: bool,
) -> set[bytes]:
    """Hide the cheapest of shown sets of persons that together tell a few, whatever their labels; gives those sets.

    Labels tie parts to their whole; bands that overlap, and strata that cross, tell by what they share.
    In: suspects — the sets to look at; None for all; only_whole — the first that is found is enough
    """
    telling: dict[bytes, set[int]] = defaultdict(set)
    for at, cell in enumerate(reading.cells):
        places = ((numbers.denominator_of[at], cell.cell.dense_denominator),)
        for position, persons in (*places, (numbers.numerator_of[at], cell.cell.dense_numerator)):
            if persons and not hidden[position]:
                telling[persons.serialize()].add(position)
        without = cell.cell.dense_denominator - cell.cell.dense_numerator
        if without and not hidden[places[0][0]] and not hidden[numbers.numerator_of[at]]:
            telling[without.serialize()].add(numbers.numerator_of[at])  # who has no event is told by both
    names = list(telling)
    asked = names if suspects is None or len(names) <= MOST_SETS else [name for name in names if name in suspects]
    colliding, chosen = set[bytes](), set[int]()
    everything = sets_of(names)
    together = collisions(everything if asked is names else sets_of(asked), everything, numbers.min_count, sought)
    for found in islice(together, 1 if only_whole else None):
        colliding.add(asked[found.new])
        others = [names[place] if place < len(names) else asked[place - len(names)] for place in found.others]
        part = [telling[name] for name in (asked[found.new], *others)]
        if not any(positions & chosen for positions in part):
            chosen |= min(part, key=lambda positions: (sum(numbers.costs[each] for each in positions), min(positions)))
    for position in chosen:
        _hide(numbers, hidden, position)
    return colliding


def _cheapest(
    numbers: Numbers,
    relations_of: Mapping[int, list[int]],
    hidden: Bools,
    position: int,
    chosen: set[int],
) -> int | None:
    """The cheapest shown number among those tied to a hidden one; numbers tied through hidden ones come after.

    Empty: None when nothing tied to it is shown, or when one of the nearest was chosen already in this round.
    """
    reached, front = {position}, [position]
    while front:
        near = {
            other for each in front for number in relations_of[each] for other, _ in numbers.relations[number].terms
        }
        shown = [other for other in near if not hidden[other]]
        if chosen.intersection(shown):
            return None
        if shown:
            short_of = {other: max(0, numbers.required[position] - abs(numbers.values[other])) for other in shown}
            return min(shown, key=lambda other: (numbers.costs[other] + _PER_MISSING * short_of[other], other))
        front = sorted(near - reached)
        reached |= near
    return None


def hidden_roles(numbers: Numbers, hidden: Bools, at: int) -> set[Role]:
    """What of a cell is hidden."""
    time = numbers.time_of[at]
    roles: set[Role] = set()
    if hidden[numbers.numerator_of[at]]:
        roles |= {Role.NUMERATOR, *_OF_ALL}
    if time is not None and hidden[time]:
        roles |= {Role.TIME, Role.OF_TIME, *_OF_ALL}
    if hidden[numbers.denominator_of[at]]:
        roles |= {Role.DENOMINATOR, *_OF_ALL}
    return roles


def hidden_lines(reading: Reading, numbers: Numbers, hidden: Bools) -> set[int]:
    """The lines of the table whose number is not shown."""
    lines = {count.row for count, position in zip(reading.counts, numbers.count_of, strict=True) if hidden[position]}
    for at, cell in enumerate(reading.cells):
        for role in hidden_roles(numbers, hidden, at):
            lines.update(cell.rows.get(role, ()))
    touched = {id(cell) for at, cell in enumerate(reading.cells) if hidden_roles(numbers, hidden, at)}
    for rate in reading.standardised:
        if touched.intersection(map(id, rate.parts)):
            lines.update(rate.rows)
    return lines
