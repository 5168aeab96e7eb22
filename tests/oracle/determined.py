"""Is a group of a few persons determined by the numbers that are known? Plain Python over small towns.

Known are the numbers of persons of some sets. A group is determined when its number follows from them: when the group,
written as a vector of ones and zeros over the persons, is a sum of multiples of the sets. Persons who are in the same
sets cannot be told apart and are one block. The blocks are brought into steps (Gauss, in fractions), the largest
first; a vector of the row space is given by its pivots, so that groups of fewer than k persons are few enough to try.

Two attackers are meant. One knows which combinations of properties exist in the town: what is given are its persons.
The other knows what the words mean, and no more: what is given are all kinds of persons that the words allow, with
how many there are of each; kinds in a set that is shown to be empty are known to be empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

Row = list[Fraction]


def determined(sets: Iterable[frozenset[int]], k: int, sizes: Mapping[int, int] | None = None) -> frozenset[int] | None:
    """The first group of 1 to k - 1 persons whose number follows from those of the sets; None where none does.

    In: sizes — how many persons there are of each kind, where the sets are of kinds
    """

    def size(group: Iterable[int]) -> int:
        return sum(1 if sizes is None else sizes.get(each, 0) for each in group)

    given = list(dict.fromkeys(sets))
    empty = frozenset().union(*(each for each in given if not size(each)))
    known = [each - empty for each in given if each - empty]
    blocks = sorted(_blocks(known), key=lambda block: (-size(block), min(block)))
    rows = _steps([[Fraction(block <= each) for block in blocks] for each in known])
    pivots = [next(at for at, value in enumerate(row) if value) for row in rows]
    for chosen in _small(pivots, [size(block) for block in blocks], k):
        group = [sum((rows[number][at] for number in chosen), Fraction(0)) for at in range(len(blocks))]
        if all(value in {0, 1} for value in group):
            few = frozenset().union(*(block for block, value in zip(blocks, group, strict=True) if value))
            if 0 < size(few) < k:
                return few
    return None


def _blocks(known: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Persons, or kinds of them, that are in the same sets."""
    by_place: dict[tuple[bool, ...], set[int]] = defaultdict(set)
    for person in frozenset().union(*known):
        by_place[tuple(person in each for each in known)].add(person)
    return [frozenset(each) for each in by_place.values()]


def _steps(rows: list[Row]) -> list[Row]:
    """The reduced row echelon form, without rows of nothing."""
    rows, done = [list(row) for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        found = next((number for number in range(done, len(rows)) if rows[number][column]), None)
        if found is None:
            continue
        rows[done], rows[found] = rows[found], rows[done]
        pivot = rows[done][column]
        rows[done] = [value / pivot for value in rows[done]]
        for number, row in enumerate(rows):
            if number != done and row[column]:
                factor = row[column]
                rows[number] = [value - factor * one for value, one in zip(row, rows[done], strict=True)]
        done += 1
    return rows[:done]


def _small(pivots: Sequence[int], sizes: Sequence[int], k: int) -> Iterator[tuple[int, ...]]:
    """Rows whose pivots together are fewer than k persons."""
    allowed = [number for number, pivot in enumerate(pivots) if sizes[pivot] < k]

    def extend(chosen: tuple[int, ...], start: int, left: int) -> Iterator[tuple[int, ...]]:
        if chosen:
            yield chosen
        for place in range(start, len(allowed)):
            size = sizes[pivots[allowed[place]]]
            if size <= left:
                yield from extend((*chosen, allowed[place]), place + 1, left - size)

    yield from extend((), 0, k - 1)
