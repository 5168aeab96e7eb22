"""The nearest version of a result in which no cell has to be hidden: which bands to merge, and what that costs.

Moves are tried one by one, the one first that rids the result of most small cells for each cell given up; a version
counts only when the checks of disclosure.py hide nothing of it. Then every move that it can do without is taken back.

Units: shares of cells, of estimates, and of the distinct persons behind any cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pyroaring import BitMap

from enclos.contracts.result import StudyResult
from enclos.contracts.tables import TABLES
from enclos.release.model import Assessment
from enclos.release.rules.cells import STAYS
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
    whole, moves, n_checks, k = result, list[Move](), 0, found.min_count
    demands = found.demands
    while _hides(found):
        reading = read_result(result, policy())
        before = _sizes(result)
        tried = [(move, sizes_after(reading, result, move)) for move in moves_of(reading, result)]
        if not tried or len(moves) == _MOST_MOVES or n_checks == _MOST_CHECKS:
            return None
        move, after = max(tried, key=lambda each: _worth(each[1], before, k))
        result = merged(reading, result, move)
        moves.append(move)
        if _n_small(after, k) == 0 or len(tried) == 1:
            found, n_checks = assess(result, k, demands=demands), n_checks + 1
    for move in list(moves):
        fewer = [each for each in moves if each != move]
        version = _applied(whole, fewer)
        if n_checks == _MOST_CHECKS or version is None or not fewer or _n_small(_sizes(version), k):
            continue
        judged, n_checks = assess(version, k, demands=demands), n_checks + 1
        if not _hides(judged):
            moves, result, found = fewer, version, judged
    return Nearest(tuple(moves), found, kept_of(found, result, whole)) if moves else None


def _hides(found: Assessment) -> bool:
    return found.safe is None or any(cell.hidden for cell in found.evidence)


def _applied(result: StudyResult, moves: Sequence[Move]) -> StudyResult | None:
    """The result after these moves; None when one of them needs another that is not there."""
    for move in moves:
        reading = read_result(result, policy())
        if move not in moves_of(reading, result):
            return None
        result = merged(reading, result, move)
    return result


def _worth(after: Sequence[Size], before: Sequence[Size], k: int) -> tuple[float, int]:
    """How many small cells a move does away with for each cell that it gives up; then, how few it gives up."""
    n_lost = len(before) - len(after)
    return (_n_small(before, k) - _n_small(after, k)) / max(n_lost, 1), -n_lost


def _sizes(result: StudyResult) -> list[Size]:
    return [(cell.n_numerator, cell.n_denominator) for cell in result.cells]


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
