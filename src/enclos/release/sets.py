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

Bits = npt.NDArray[np.uint64]
"""What a fixed spread gives each person."""
Drawn = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Small = npt.NDArray[np.uint32]
Found = Callable[[int], Places]
"""Of a set, by its number: places of some persons."""

N_CLASSES = 64
N_DRAWN = 16
"""Persons of a set that stand for it: those with the smallest of the 64 bits that a fixed spread gives each person."""
LEAST_DRAWN_FROM = 200
"""Smaller sets have nobody who stands for them: their classes tell them apart."""
NOBODY = np.uint64(2**64 - 1)
_AT_ONCE = 1 << 16
"""Persons whose bits are reckoned together: as many as lie in a processor's cache."""
_FIRST_BITS = 16
"""Bits by which persons are looked for at first."""
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
    among: Callable[[Bits], Found] | None = None
    """Who of some is in each set; None to reckon it from the persons."""

    def who_among(self, bits: Bits) -> Found:
        """Of some persons, by their bits and ascending: the places of those in each set."""
        if self.among is not None:
            return self.among(bits)
        return lambda number: _places_of(bits, bits_of(self.persons(number)))[1]

    def who_stand(self) -> Drawn:
        """Who stands for each set, reckoned from its persons where it is not known."""
        if self.drawn is not None:
            return self.drawn
        rows = [drawn_of(bits_of(self.persons(at))) for at in range(len(self))]
        return np.array(rows, dtype=np.uint64).reshape(len(self), N_DRAWN)

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"Sets({len(self)})"


def bits_of(persons: npt.NDArray[np.int64]) -> Bits:
    """The 64 bits of each person by a fixed spread that never changes, in the order of the persons."""
    bits = persons.astype(np.uint64)
    bits += np.uint64(0x9E3779B97F4A7C15)  # without it, person 0 would weigh nothing
    for start in range(0, len(bits), _AT_ONCE):
        part = bits[start : start + _AT_ONCE]
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            part ^= part >> np.uint64(shift)
            part *= np.uint64(factor)
    return bits


def told_of(bits: Bits) -> tuple[Counts, int]:
    """How many of these fall into each class, and their sum."""
    classes = (bits >> np.uint64(64 - N_CLASSES.bit_length() + 1)).view(np.int64)
    return np.bincount(classes, minlength=N_CLASSES).astype(np.int32), int(bits.sum(dtype=np.uint64))


def drawn_of(bits: Bits) -> Drawn:
    """The persons who stand for these, ascending."""
    found = np.full(N_DRAWN, NOBODY)
    if len(bits) >= LEAST_DRAWN_FROM:
        some = bits[bits < np.uint64(4 * N_DRAWN * (2**64 // len(bits)))]
        some = some if len(some) >= N_DRAWN else bits
        found[:] = np.sort(np.partition(some, N_DRAWN - 1)[:N_DRAWN])
    return found


def told_by(persons: Persons) -> tuple[Counts, int]:
    """How many of a set's persons fall into each class, and their sum."""
    return told_of(bits_of(persons))


def coarse(counts: Counts) -> Counts:
    """The classes of many sets, eight made one."""
    found: Counts = counts.reshape(len(counts), N_CLASSES // 8, -1).sum(axis=2, dtype=np.int32)
    return found


def less(one: np.uint64, other: np.uint64) -> np.uint64:
    """The sum of what one set has beside another that lies within it."""
    return np.uint64((int(one) - int(other)) % 2**64)


def found_among(bits: Bits, own: Bits, members: Callable[[int], BitMap], places: Small | None = None) -> Found:
    """Who of some, by their bits and ascending, is in each of many sets, asked once for all of them.

    In: own — the bits of those of whom the sets are; members — each set; places — what they are called in it, where
        that is not their place in own; ascending
    """
    theirs, at = _places_of(bits, own)
    called = theirs.astype(np.uint32) if places is None else places[theirs]
    standing = BitMap(called)

    def found(number: int) -> Places:
        inside = np.frombuffer((standing & members(number)).to_array(), dtype=np.uint32)
        some: Places = at[np.searchsorted(called, inside)]
        return some

    return found


def _places_of(bits: Bits, own: Bits) -> tuple[Places, Places]:
    """Places in own of those who are among some, and their places there."""
    if not len(bits):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    is_any = np.zeros(1 << _FIRST_BITS, np.bool_)  # most who stand for a set have small numbers: most others are far
    is_any[_first_of(bits)] = True
    near = np.flatnonzero(is_any[_first_of(own)])
    at = np.minimum(np.searchsorted(bits, own[near]), len(bits) - 1)
    is_one = bits[at] == own[near]
    return near[is_one], at[is_one]


def _first_of(bits: Bits) -> Places:
    """The first bits of each person as a number."""
    return (bits >> np.uint64(64 - _FIRST_BITS)).view(np.int64)


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
    members = [BitMap.deserialize(name) for name in names]
    counts, sums = np.zeros((len(names), N_CLASSES), np.int32), np.zeros(len(names), np.uint64)
    drawn = np.zeros((len(names), N_DRAWN), np.uint64)
    for at, each in enumerate(members):
        bits = bits_of(_persons_of(each))
        counts[at], sums[at] = told_of(bits)
        drawn[at] = drawn_of(bits)

    def among(bits: Bits) -> Found:
        everyone = np.frombuffer(BitMap.union(BitMap(), *members).to_array(), dtype=np.uint32)
        return found_among(bits, bits_of(everyone.astype(np.int64)), members.__getitem__, everyone)

    return Sets(counts, sums, lambda number: _persons_of(members[number]), drawn, among)


def _persons_of(members: BitMap) -> Persons:
    return np.frombuffer(members.to_array(), dtype=np.uint32).astype(np.int64)
