"""Sets of persons as they are compared: by how many of their persons fall into each class, and by a sum over them.

For any sum of sets these counts differ by at most as many as the persons do, whatever they are; what is equal to the
person has the same sum of 64 bits. Both are drawn from a fixed spread of the numbers that persons have.

Units: distinct persons, under numbers of the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

Persons = npt.NDArray[np.int64]
"""Numbers of persons, ascending and distinct."""
Counts = npt.NDArray[np.int32]
Sums = npt.NDArray[np.uint64]

Drawn = npt.NDArray[np.uint64]

N_CLASSES = 64
N_DRAWN = 16
"""Persons of a set that stand for it: those with the smallest of the 64 bits that a fixed spread gives each person."""
LEAST_DRAWN_FROM = 200
"""Smaller sets have nobody who stands for them: their classes tell them apart."""
NOBODY = np.uint64(2**64 - 1)
_N_RANGES = 16
"""Parts of the numbers of persons that two combinations are compared in, until they differ by enough."""


@dataclass(frozen=True, slots=True)
class Collision:
    """A new set that a combination of others misses by a few persons: ``plus`` less ``minus``."""

    new: int
    plus: tuple[int, ...]
    minus: tuple[int, ...]
    n_persons: int

    @property
    def others(self) -> tuple[int, ...]:
        """All that take part beside the new set."""
        return (*self.plus, *self.minus)


@dataclass(frozen=True, slots=True, repr=False)
class Sets:
    """Sets of persons by the counts of their classes; ``persons`` gives one of them in full.

    Shapes: counts (n sets, N_CLASSES), sums (n sets).
    """

    counts: Counts
    sums: Sums
    persons: Callable[[int], Persons]
    drawn: Drawn | None = None
    """Who stands for each set (n sets, N_DRAWN); None where that is not known."""
    below: Callable[[int, np.uint64], Drawn] | None = None
    """The 64 bits of a set's persons where they are fewer than a number; None to reckon them from the persons."""

    def bits_below(self, number: int, limit: np.uint64) -> Drawn:
        """Of which persons of a set, who stand for other sets, may be."""
        if self.below is not None:
            return self.below(number, limit)
        mixed = spread_of(self.persons(number)).mixed
        return mixed[mixed < limit]

    def who_stand(self) -> Drawn:
        """Who stands for each set, reckoned from its persons where it is not known."""
        if self.drawn is not None:
            return self.drawn
        rows = [spread_of(self.persons(at)).drawn(slice(None)) for at in range(len(self))]
        return np.array(rows, dtype=np.uint64).reshape(len(self), N_DRAWN)

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"Sets({len(self)})"


@dataclass(frozen=True, slots=True, repr=False)
class Spread:
    """Some persons by the class and by the 64 bits of each, so that many sets of them are told quickly."""

    classes: npt.NDArray[np.uint8]
    mixed: Sums

    def told(self, places: npt.NDArray[np.integer] | slice) -> tuple[Counts, int]:
        """How many of those at these places fall into each class, and their sum."""
        counts = np.bincount(self.classes[places], minlength=N_CLASSES).astype(np.int32)
        return counts, int(self.mixed[places].sum(dtype=np.uint64))

    def drawn(self, places: npt.NDArray[np.integer] | slice) -> Drawn:
        """The persons who stand for those at these places, ascending."""
        mixed = self.mixed[places]
        found = np.full(N_DRAWN, NOBODY)
        if len(mixed) >= LEAST_DRAWN_FROM:
            some = mixed[mixed < np.uint64(4 * N_DRAWN * (2**64 // len(mixed)))]
            some = some if len(some) >= N_DRAWN else mixed
            found[:] = np.sort(np.partition(some, N_DRAWN - 1)[:N_DRAWN])
        return found

    def __repr__(self) -> str:
        return "Spread()"


def spread_of(persons: npt.NDArray[np.int64]) -> Spread:
    """Persons by their numbers, in any order: a spread that never changes."""
    mixed = persons.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)  # without it, person 0 would weigh nothing
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return Spread((mixed >> np.uint64(58)).astype(np.uint8), mixed)


def told_by(persons: Persons) -> tuple[Counts, int]:
    """How many of a set's persons fall into each class, and their sum."""
    return spread_of(persons).told(slice(None))


def n_different(persons: Persons, plus: Sequence[Persons], minus: Sequence[Persons], k: int) -> int:
    """How many persons a combination counts otherwise than a set does; one counted twice too often is two.

    Persons are counted in ranges of their numbers, and no further than to k.
    """
    parts = [persons, *plus, *minus]
    signs = [1, *(-1 for _ in plus), *(1 for _ in minus)]
    longest = max(parts, key=len)
    edges = longest[:: max(1, len(longest) // _N_RANGES)] if len(longest) else longest
    cuts = [np.concatenate([[0], np.searchsorted(part, edges), [len(part)]]) for part in parts]
    n = 0
    for at in range(len(edges) + 1):
        some = [part[cut[at] : cut[at + 1]] for part, cut in zip(parts, cuts, strict=True)]
        everyone = np.concatenate(some)
        order = np.argsort(everyone, kind="stable")  # runs in order are merged, not sorted
        everyone = everyone[order]
        weights = np.repeat(signs, [len(each) for each in some])[order]
        if len(everyone):
            starts = np.flatnonzero(np.concatenate([[True], everyone[1:] != everyone[:-1]]))
            n += int(np.abs(np.add.reduceat(weights, starts)).sum())
        if n >= k:
            break
    return n


def name_of(counts: Counts, total: int) -> bytes:
    """What tells a set among all, under the numbers that its persons have."""
    return counts.astype("<i4").tobytes() + total.to_bytes(8, "big")


def sets_of(names: Sequence[bytes]) -> Sets:
    """Sets of persons, serialised, as they are compared with others."""
    members = [np.frombuffer(BitMap.deserialize(name).to_array(), dtype=np.uint32).astype(np.int64) for name in names]
    spreads = [spread_of(each) for each in members]
    told = [each.told(slice(None)) for each in spreads]
    counts = np.array([counts for counts, _ in told], dtype=np.int32).reshape(len(told), N_CLASSES)
    drawn = np.array([each.drawn(slice(None)) for each in spreads], dtype=np.uint64).reshape(len(told), N_DRAWN)
    sums = np.array([total for _, total in told], dtype=np.uint64)
    return Sets(counts, sums, lambda number: members[number], drawn)
