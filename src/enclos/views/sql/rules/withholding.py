"""Which counts of a permit for aggregates are shown: none on few persons, none that few persons tell from others.

A count is known by the set of its persons. What was shown before, to anybody under the permit, counts. Two sets, a
set and the sets that fill it, and what is left of an earlier set are compared; combinations beyond these are not
(the release desk compares exactly before anything leaves).
"""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap64


def shown_sets(sets: Sequence[BitMap64], shown_before: Sequence[BitMap64], min_count: int) -> list[bool]:
    """For each set whether its count may be shown; the largest are decided first, so that totals stay.

    Units: min_count in distinct persons.
    """
    known: list[BitMap64] = []
    keys: set[bytes] = set()
    for before in shown_before:
        _add(before, known, keys)
    shown = [False] * len(sets)
    for at in sorted(range(len(sets)), key=lambda index: (-len(sets[index]), index)):
        if sets[at].serialize() in keys:
            shown[at] = True
        elif is_safe(sets[at], known, min_count):
            shown[at] = True
            _add(sets[at], known, keys)
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
    return not any(new.issubset(whole) and len(_left(whole, known, new)) in small for whole in known)


def _left(whole: BitMap64, known: Sequence[BitMap64], taken: BitMap64) -> BitMap64:
    """The persons of a set that no smaller set inside it holds."""
    left = whole - taken
    for other in known:
        if len(other) < len(whole) and other.issubset(whole):
            left -= other
    return left


def _add(found: BitMap64, known: list[BitMap64], keys: set[bytes]) -> None:
    key = found.serialize()
    if key not in keys:
        keys.add(key)
        known.append(found)
