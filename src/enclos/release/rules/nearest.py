"""The nearest version of a result in which no cell has to be hidden: which bands to merge, and what that costs.

Moves are tried one by one, the one first that rids the result of most small cells for each cell given up; a version
counts only when the checks of disclosure.py hide nothing of it. Then every move that it can do without is taken back.

Units: shares of cells, of estimates, and of the distinct persons behind any cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from pyroaring import BitMap

from enclos.contracts.result import StudyResult
from enclos.contracts.tables import TABLES
from enclos.release.model import Assessment
from enclos.release.rules.cells import STAYS, Reading
from enclos.release.rules.disclosure import assess
from enclos.release.rules.merging import (
    DropStrata,
    JoinSexes,
    Lengthen,
    MergeAges,
    Move,
    merged,
    moves_of,
    sizes_after,
)
from enclos.release.rules.policy import policy
from enclos.release.rules.reading import read_result

_MOST_MOVES = 12
_MOST_CELLS = 2000
_MOST_CHECKS = 6
"""How large a result is merged, and how often a version is checked whole: who asks waits for it."""

Size: TypeAlias = tuple[int, int]
"""How many persons a cell counts, among how many."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of a result a version of it still tells: shares of its cells, estimates and persons."""

    cells: float
    estimates: float
    persons: float

    def as_json(self) -> dict[str, float]:
        """As scripts read it."""
        return {"cells": self.cells, "estimates": self.estimates, "persons": self.persons}


@dataclass(frozen=True, slots=True, repr=False)
class Nearest:
    """A version of a result that hides no cell, and the moves that lead to it."""

    moves: tuple[Move, ...]
    found: Assessment
    kept: Kept

    @property
    def sentences(self) -> list[str]:
        """The moves in words."""
        return [_in_words(move) for move in self.moves]

    def __repr__(self) -> str:
        return f"Nearest({len(self.moves)} moves)"


def kept_of(found: Assessment, version: StudyResult, whole: StudyResult) -> Kept:
    """How much of a whole result the safe part of a version of it tells."""
    everybody = BitMap.union(BitMap(), *(cell.dense_denominator for cell in whole.cells))
    told = BitMap.union(BitMap(), *(each.persons for each in found.told))
    n_estimates = version.n_rows - int(found.summary.get("n_hidden", version.n_rows))
    return Kept(
        _share(sum(not cell.hidden for cell in found.evidence), len(whole.cells)),
        _share(n_estimates, whole.n_rows),
        _share(len(told & everybody), len(everybody)),
    )


def nearest_version(result: StudyResult, found: Assessment) -> Nearest | None:
    """The version with the fewest merges in which no cell is hidden; None where none is needed or none is found.

    In: found — what was found about the result as it is; one that is not typed and backed has no nearest version
    """
    if (found.safe is None and not found.evidence) or len(result.cells) > _MOST_CELLS:
        return None
    if any(each.result_type in {STAYS, *TABLES} for each in result.settings):
        return None  # what merged bands share of stays, their persons do not tell; a table was asked in other words
    way = _Way(result, found)
    while _hides(way.found):
        if not way.go_on():
            return None
    for move in dict.fromkeys(way.moves):
        way.take_back(move)
    if not way.moves:
        return None
    return Nearest(tuple(way.moves), way.found, kept_of(way.found, way.versions[-1].result, result))


class _Version:
    """A result after some moves; it is read once, and not before it is needed."""

    def __init__(self, result: StudyResult) -> None:
        self.result = result

    @cached_property
    def reading(self) -> Reading:
        """What it is read as."""
        return read_result(self.result, policy())

    @cached_property
    def moves(self) -> list[Move]:
        """What could be merged in it."""
        return moves_of(self.reading, self.result)

    @cached_property
    def sizes(self) -> list[Size]:
        """How many persons its cells count."""
        return [(cell.n_numerator, cell.n_denominator) for cell in self.result.cells]

    def after(self, move: Move) -> _Version:
        """The version after one more move."""
        return _Version(merged(self.reading, self.result, move))


class _Way:
    """Moves one after the other, with the version after each of them and what was found about the last."""

    def __init__(self, result: StudyResult, found: Assessment) -> None:
        self.found, self.moves, self.versions = found, list[Move](), [_Version(result)]
        self._k, self._demands = found.min_count, found.demands
        self._n_checks = 0
        self._checked = dict[tuple[Move, ...], Assessment]()

    def go_on(self) -> bool:
        """Add the move that is worth most, and check where nothing small is left; False where none may be added."""
        version = self.versions[-1]
        tried = [(move, sizes_after(version.reading, version.result, move)) for move in version.moves]
        if not tried or len(self.moves) == _MOST_MOVES or self._n_checks == _MOST_CHECKS:
            return False
        move, after = max(tried, key=lambda each: _worth(each[1], version.sizes, self._k))
        self.versions.append(version.after(move))
        self.moves.append(move)
        if _n_small(after, self._k) == 0 or len(tried) == 1:
            self.found = self._check(self.versions[-1], self.moves)
        return True

    def take_back(self, move: Move) -> None:
        """Do without a move, where nothing is hidden without it either."""
        moves = [each for each in self.moves if each != move]
        if not moves or self._n_checks == _MOST_CHECKS:
            return
        versions = self._without(move)
        if versions is None or _n_small(versions[-1].sizes, self._k):
            return
        found = self._check(versions[-1], moves)
        if not _hides(found):
            self.found, self.moves, self.versions = found, moves, versions

    def _check(self, version: _Version, moves: Sequence[Move]) -> Assessment:
        """What is found about a version, no further than to the first cell that is hidden."""
        self._n_checks += 1  # also of one that was checked on the way: what is proposed is the same as if it were not
        if tuple(moves) not in self._checked:
            found = assess(version.result, self._k, demands=self._demands, only_whole=True)
            self._checked[tuple(moves)] = found
        return self._checked[tuple(moves)]

    def _without(self, left_out: Move) -> list[_Version] | None:
        """The versions without one move, as they were up to it; None when a later one needs it."""
        place = self.moves.index(left_out)
        found = self.versions[: place + 1]
        for move in self.moves[place + 1 :]:
            if move == left_out:
                continue
            if move not in found[-1].moves:
                return None
            found.append(found[-1].after(move))
        return found


def _hides(found: Assessment) -> bool:
    return found.safe is None or any(cell.hidden for cell in found.evidence)


def _worth(after: Sequence[Size], before: Sequence[Size], k: int) -> tuple[float, int]:
    """How many small cells a move does away with for each cell that it gives up; then, how few it gives up."""
    n_lost = len(before) - len(after)
    return (_n_small(before, k) - _n_small(after, k)) / max(n_lost, 1), -n_lost


def _n_small(sizes: Sequence[Size], k: int) -> int:
    """Cells that could not be shown whatever else is hidden."""
    return sum(_is_small(n, among, k) for n, among in sizes)


def _is_small(n: int, among: int, k: int) -> bool:
    is_full = policy().hides_full_counts and n == among > 0
    return 0 < n < k or 0 < among - n < k or 0 < among < k or is_full


def _in_words(move: Move) -> str:
    match move:
        case MergeAges(low, high):
            return f"merge ages {low[0]} to {low[1]} and {high[0]} to {high[1]} into {low[0]} to {high[1]}"
        case JoinSexes():
            return "take both sexes together"
        case Lengthen(interval):
            return f"give up estimates by {interval}"
        case DropStrata(name):
            return f"give up strata by {name}"


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
