"""The nearest version of a result in which no cell has to be hidden: which bands to merge, and what that costs.

Moves are tried one by one, the one first that rids the result of most small cells for each cell given up; a version
counts only when the checks of disclosure.py hide nothing of it. Then every move that it can do without is taken back.

Units: shares of cells, of estimates, and of the distinct persons behind any cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from enclos.contracts.result import StudyResult
from enclos.release.model import Assessment
from enclos.release.rules.disclosure import assess
from enclos.release.rules.merging import DropStrata, JoinSexes, Lengthen, MergeAges, Move, merged, moves_of
from enclos.release.rules.policy import policy
from enclos.release.rules.reading import read_result

_MOST_MOVES = 12


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
    if found.safe is None and not found.evidence:
        return None
    whole, moves = result, list[Move]()
    while _hides(found):
        reading = read_result(result, policy())
        tried = [(move, merged(reading, result, move)) for move in moves_of(reading, result)]
        if not tried or len(moves) == _MOST_MOVES:
            return None
        before, k = result, found.min_count
        move, result = max(tried, key=lambda each: _worth(each[1], before, k))
        moves.append(move)
        if _n_small(result, k) == 0 or len(tried) == 1:
            found = assess(result, k)
    for move in list(moves):
        fewer = [each for each in moves if each != move]
        version = _applied(whole, fewer)
        judged = assess(version, found.min_count) if version is not None and fewer else None
        if version is not None and judged is not None and not _hides(judged):
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


def _worth(version: StudyResult, before: StudyResult, k: int) -> tuple[float, int]:
    """How many small cells a move does away with for each cell that it gives up; then, how few it gives up."""
    n_lost = len(before.cells) - len(version.cells)
    return (_n_small(before, k) - _n_small(version, k)) / max(n_lost, 1), -n_lost


def _n_small(result: StudyResult, k: int) -> int:
    """Cells that could not be shown whatever else is hidden."""
    return sum(_is_small(cell.n_numerator, cell.n_denominator, k) for cell in result.cells)


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
