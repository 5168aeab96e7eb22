"""Levels of a variable by strata of a group: one table with margins, attacked as a system of equations.

Levels that exclude each other and strata that do are parts of their wholes; what they leave is a number too. A hidden
count of a few, and a few who are left out of a count, must stay as wide as the minimum for who solves all of it.
What is said of the cheapest number to hide holds as for incidence (disclosure.py).

Units: distinct persons; k is the permit's minimum count.
Source: Fischetti and Salazar-González 2001.
Check: tests/generative/test_release_attackers.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, SEPARATOR
from enclos.release.rules.attack import Relation, exposed, system_of

Place = tuple[str, str, str]
"""Name of the stratum, its level, and the level of the variable."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Those who have a level, among those of the stratum; ``is_kept`` where it may never be told."""

    persons: BitMap
    among: BitMap
    is_kept: bool


@dataclass(slots=True)
class _Table:
    """Numbers by position, and how they belong together."""

    values: list[int] = field(default_factory=list)
    required: list[int] = field(default_factory=list)
    hidden: list[bool] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    _places: dict[bytes, int] = field(default_factory=dict)

    def of(self, persons: BitMap, known: Container[bytes], k: int) -> int:
        """The number of a set of persons, the same wherever they stand."""
        name = persons.serialize()
        if name not in self._places:
            n = len(persons)
            self._places[name] = self.add(n, k if 0 < n < k else 0, is_hidden=bool(n) and name not in known)
        return self._places[name]

    def add(self, value: int, required: int, *, is_hidden: bool = True) -> int:
        """One more number."""
        self.values.append(value)
        self.required.append(required)
        self.hidden.append(is_hidden)
        return len(self.values) - 1

    def whole(self, whole: int, parts: Sequence[int], k: int) -> None:
        """A whole is its parts and what they leave."""
        rest = self.values[whole] - sum(self.values[part] for part in parts)
        terms = [(part, 1) for part in dict.fromkeys(parts)]
        if rest:
            terms.append((self.add(rest, k if 0 < rest < k else 0), 1))
        if whole not in parts:
            self.relations.append(Relation((*terms, (whole, -1)), is_equation=True))


def telling(entries: Mapping[Place, Entry], known: Container[bytes], free: Collection[bytes], k: int) -> set[bytes]:
    """Sets of persons of which one must be hidden for each number that could be worked out; empty when none could.

    In:  known — the sets that are shown anywhere; free — those that only this table shows, and that it can hide
    Out: as BitMap serialises them
    """
    table = _Table()
    for entry in entries.values():
        having, among = (table.of(each, known, k) for each in (entry.persons, entry.among))
        n_others = len(entry.among) - len(entry.persons)
        if entry.is_kept and (n_others == 0 or n_others < k):
            others = table.add(n_others, k)
            table.relations.append(Relation(((having, 1), (others, 1), (among, -1)), is_equation=True))
    if not any(required and hidden for required, hidden in zip(table.required, table.hidden, strict=True)):
        return set()
    for whole, parts in _families(entries):
        if len(BitMap.union(BitMap(), *parts)) == sum(len(part) for part in parts):
            table.whole(table.of(whole, known, k), [table.of(part, known, k) for part in parts if part], k)
    n = len(table.values)
    system = system_of(table.values, table.required, [False] * n, [1] * n, table.relations)
    narrow = exposed(system, np.array(table.hidden, dtype=np.bool_)).tolist()
    name_of = {table.of(each, known, k): each.serialize() for entry in entries.values() for each in (entry.persons,)}
    chosen = {_nearest(table, position, {p for p, name in name_of.items() if name in free}) for position in narrow}
    return {name_of[position] for position in chosen if position is not None}


def _families(entries: Mapping[Place, Entry]) -> Iterator[tuple[BitMap, list[BitMap]]]:
    """Wholes with their parts: a stratum's levels, a level's strata, those that lie within another, and all strata."""
    levels: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    strata: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    sizes: dict[str, dict[str, BitMap]] = defaultdict(dict)
    for (name, stratum, level), entry in entries.items():
        levels[name, stratum].append(entry)
        strata[name, level].append(entry)
        sizes[name][stratum] = entry.among
    for own in levels.values():
        yield own[0].among, [entry.persons for entry in own]
    for (name, level), own in strata.items():
        whole = entries.get((OVERALL, OVERALL, level))
        if name != OVERALL and whole is not None:
            yield whole.persons, [entry.persons for entry in own]
    yield from _within(entries, strata.keys(), sizes)
    for name, by_stratum in sizes.items():
        everybody = sizes.get(OVERALL, {}).get(OVERALL)
        if name != OVERALL and everybody is not None:
            yield everybody, list(by_stratum.values())


def _within(
    entries: Mapping[Place, Entry], parted: Iterable[tuple[str, str]], sizes: Mapping[str, Mapping[str, BitMap]]
) -> Iterator[tuple[BitMap, list[BitMap]]]:
    """Strata with those that lie within them: of the same keys and more."""
    for name, level in parted:
        for coarser in (each for each in sizes if is_coarser(each, name)):
            parts: dict[str, list[BitMap]] = defaultdict(list)
            for stratum in sizes[name]:
                part = entries.get((name, stratum, level))
                if part is not None:
                    parts[within_level(name, stratum, coarser)].append(part.persons)
            for stratum, own in parts.items():
                whole = entries.get((coarser, stratum, level))
                if whole is not None:
                    yield whole.persons, own


def is_coarser(name: str, finer: str) -> bool:
    """Whether strata of one name hold strata of another, which has the same keys and more."""
    return name != OVERALL and {*name.split(SEPARATOR)} < {*finer.split(SEPARATOR)}


def within_level(finer: str, level: str, coarser: str) -> str:
    """The stratum of coarser keys that one of finer keys lies in."""
    levels = dict(zip(finer.split(SEPARATOR), level.split(SEPARATOR), strict=True))
    return SEPARATOR.join(levels[key] for key in coarser.split(SEPARATOR))


def _nearest(table: _Table, position: int, free: Collection[int]) -> int | None:
    """The smallest shown number that can be hidden among those tied to a hidden one, the nearest first."""
    reached, front = {position}, {position}
    while front:
        near = {p for relation in table.relations for p, _ in relation.terms if front & {t for t, _ in relation.terms}}
        shown = [p for p in near if p in free and not table.hidden[p]]
        if shown:
            return min(shown, key=lambda p: (table.values[p], p))
        front = near - reached
        reached |= near
    return None
