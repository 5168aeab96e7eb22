"""Which counts of a permit for aggregates are shown: none on few persons, none that few persons tell from others.

A count is known by the set of its persons. What was shown before, to anybody under the permit, counts. Two sets, a
set and the sets that fill it, what is left of an earlier set, a set and two that add up to it but for a few (one of
them may have persons that it has not, as after an objection), and as many as fill it so, are compared; combinations
beyond these are not (the release desk compares exactly before anything leaves).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from pyroaring import BitMap64


def shown_sets(sets: Sequence[BitMap64], shown_before: Sequence[BitMap64], min_count: int) -> list[bool]:
    """For each set whether its count may be shown; the largest are decided first, so that totals stay.

    Units: min_count in distinct persons.
    """
    if not sets:
        return []
    known = _Known()
    for before in shown_before:
        known.add(before)
    shown = [False] * len(sets)
    for at in sorted(range(len(sets)), key=lambda index: (-len(sets[index]), index)):
        if known.has(sets[at]):
            shown[at] = True
        elif is_safe(sets[at], known.sets, min_count):
            shown[at] = True
            known.add(sets[at])
    return shown


def is_safe(new: BitMap64, known: Sequence[BitMap64], min_count: int) -> bool:
    """Whether the count of the new set rests on enough persons and tells nothing of fewer beside what is known."""
    if len(new) < min_count:
        return False
    small = range(1, min_count)
    if any(len(new ^ other) in small for other in known):
        return False
    if len(_left(new, known, BitMap64())) in small and any(other.issubset(new) for other in known):
        return False
    if any(new.issubset(whole) and len(_left(whole, known, new)) in small for whole in known):
        return False
    return not any(0 < missed < min_count for missed in _missed_by_sums(new, known, min_count))


def _missed_by_sums(new: BitMap64, known: Sequence[BitMap64], min_count: int) -> Iterator[int]:
    """By how many persons sums of known sets miss the new one, or sums of it and others a known one: where by few.

    A person who is counted twice is missed once. Of many that fill a set the largest that fit are added.
    """
    yield from _missed(new, [], known, min_count)
    around = [whole for whole in known if len(whole) >= len(new) and _n_beside(new, whole) < min_count]
    beside = [other for other in known if other.intersection_cardinality(new) < min_count] if around else []
    for whole in around:
        yield from _missed(whole, [new], beside, min_count)


def _missed(target: BitMap64, first: Sequence[BitMap64], known: Sequence[BitMap64], min_count: int) -> Iterator[int]:
    """The same of one set; the first are always added."""
    near = [each for each in known if len(each) < len(target) + min_count and _n_beside(each, target) < min_count]
    near.sort(key=len)
    sizes = list(map(len, near))
    for at, one in enumerate(first or near):
        left, start = len(target) - len(one), 0 if first else at + 1
        low = bisect_left(sizes, left - min_count + 1, start)
        yield from (
            _n_apart(target, one, near[other]) for other in range(low, bisect_left(sizes, left + min_count, low))
        )
    left_over, n_over, n_parts = BitMap64(target), 0, 0
    for part in [*first, *reversed(near)]:
        n_more = _n_beside(part, left_over)
        if n_over + n_more < min_count:
            left_over, n_over, n_parts = left_over - part, n_over + n_more, n_parts + 1
    if n_parts > 1:
        yield len(left_over) + n_over


def _n_beside(one: BitMap64, other: BitMap64) -> int:
    """How many persons of one set are not in the other."""
    n: int = len(one) - one.intersection_cardinality(other)
    return n


def _n_apart(target: BitMap64, one: BitMap64, other: BitMap64) -> int:
    """By how many persons two sets that are added miss another."""
    return len(target ^ (one | other)) + len(one & other)


def _left(whole: BitMap64, known: Sequence[BitMap64], taken: BitMap64) -> BitMap64:
    """The persons of a set that no smaller set inside it holds."""
    left = whole - taken
    for other in known:
        if len(other) < len(whole) and other.issubset(whole):
            left -= other
    return left


class _Known:
    """Different sets, in the order in which they came."""

    def __init__(self) -> None:
        self.sets: list[BitMap64] = []
        self._alike: dict[tuple[int, int, int], list[BitMap64]] = {}
        """Those of the same size and bounds, since only these are compared."""

    def has(self, found: BitMap64) -> bool:
        """Whether the set is among them."""
        return any(other is found or other == found for other in self._alike.get(_outline(found), ()))

    def add(self, found: BitMap64) -> None:
        """Take a set up, once."""
        alike = self._alike.setdefault(_outline(found), [])
        if not any(other is found or other == found for other in alike):
            alike.append(found)
            self.sets.append(found)


def _outline(found: BitMap64) -> tuple[int, int, int]:
    return (len(found), found.min(), found.max()) if found else (0, 0, 0)
