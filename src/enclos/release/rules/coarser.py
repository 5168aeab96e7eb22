"""The nearest version of a counted table in which no group has to be hidden: which keys to widen or to give up.

A run keeps the persons of every group, so that groups are united without the data. What is proposed counts persons only
and went through the checks of disclosure.py; other measures are counted when the coarser question is asked.

Units: distinct persons; k is the permit's minimum count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeAlias

import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, RESULT_SCHEMA, SEPARATOR, Cell, StudyResult
from enclos.contracts.tables import ABSENT, TABLES, KeyKind
from enclos.release.model import Assessment
from enclos.release.rules.counted import kinds_of
from enclos.release.rules.disclosure import assess

_MOST_CELLS, _MOST_CHECKS, _MOST_MOVES = 2000, 6, 2
_BAND = re.compile(r"(-?[0-9]+) to (-?[0-9]+)")

Relabel: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Widen:
    """One key made coarser, in words; None gives it up."""

    key: str
    sentence: str
    relabel: Relabel | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Coarser:
    """A version that hides nothing, and what leads to it."""

    moves: tuple[Widen, ...]
    version: StudyResult
    found: Assessment

    def __repr__(self) -> str:
        return f"Coarser({len(self.moves)} moves)"


def coarser_version(result: StudyResult, found: Assessment) -> Coarser | None:
    """The version with the fewest keys widened or given up, and of these the one with most groups.

    Empty: None where nothing is hidden, where persons are not counted, or where nothing helps
    """
    k = found.min_count
    counts = [cell for cell in result.cells if cell.additional_level == "person_count" and not cell.variable_level]
    settings = result.settings[0] if len(result.settings) == 1 else None
    if settings is None or settings.result_type not in TABLES or not 0 < len(counts) <= _MOST_CELLS:
        return None
    kinds = kinds_of(settings)
    names = settings.values.get("keys", "")
    finest = [cell for cell in counts if cell.strata_name == names]
    if not kinds or not finest or not any(each.hidden for each in found.evidence):
        return None
    moves = [move for name, kind in kinds.items() for move in _moves(name, kind)]
    n_checks = 0
    for size in range(1, _MOST_MOVES + 1):
        tried = [
            _united(finest, some) for some in combinations(moves, size) if len({each.key for each in some}) == size
        ]
        fitting = [each for each in tried if all(len(cell.dense_numerator) >= k for cell in each[1])]
        for some, cells in sorted(fitting, key=_loses):
            if n_checks == _MOST_CHECKS:
                return None
            version, n_checks = _version(result, cells), n_checks + 1
            judged = assess(version, k, demands=found.demands, only_whole=True)
            if judged.safe is not None and not any(each.hidden for each in judged.evidence):
                return Coarser(some, version, judged)
    return None


def _loses(version: tuple[tuple[Widen, ...], list[Cell]]) -> tuple[int, int]:
    moves, cells = version
    return -len(cells), sum(move.relabel is None for move in moves)


def _moves(name: str, kind: KeyKind) -> Iterator[Widen]:
    if kind is KeyKind.BAND:
        for times in (2, 5):
            yield Widen(name, f"make the bands of {name} {times} times as wide", _wider(times))
    if kind is KeyKind.YEAR:
        yield Widen(name, f"take {name} by ten years", lambda level: level if level == ABSENT else f"{level[:3]}0")
    yield Widen(name, f"give up {name}")


def _wider(times: int) -> Relabel:
    def relabel(level: str) -> str:
        matched = _BAND.fullmatch(level)
        if matched is None:
            return level
        low, high = (int(each) for each in matched.groups())
        width = (high - low + 1) * times
        return f"{low // width * width} to {low // width * width + width - 1}"

    return relabel


def _united(cells: Sequence[Cell], moves: tuple[Widen, ...]) -> tuple[tuple[Widen, ...], list[Cell]]:
    """The groups of a table after some moves, persons united."""
    by_key = {move.key: move for move in moves}
    parts: dict[tuple[tuple[str, str], ...], list[BitMap]] = defaultdict(list)
    for cell in cells:
        pairs = zip(cell.strata_name.split(SEPARATOR), cell.strata_level.split(SEPARATOR), strict=True)
        parts[tuple(_relabelled(pairs, by_key))].append(cell.dense_numerator)
    united = []
    for places, persons in sorted(parts.items()):
        everybody = BitMap.union(BitMap(), *persons)
        name, level = (SEPARATOR.join(each) or OVERALL for each in (zip(*places, strict=True) if places else ((), ())))
        united.append(
            replace(
                cells[0], strata_name=name, strata_level=level, dense_numerator=everybody, dense_denominator=everybody
            )
        )
    return moves, united


def _relabelled(pairs: Iterator[tuple[str, str]], by_key: dict[str, Widen]) -> Iterator[tuple[str, str]]:
    for name, level in pairs:
        move = by_key.get(name)
        if move is None:
            yield name, level
        elif move.relabel is not None:
            yield name, move.relabel(level)


def _version(result: StudyResult, cells: Sequence[Cell]) -> StudyResult:
    first = next(
        row for row in result.table.to_pylist() if row["estimate_name"] == "person_count" and not row["variable_level"]
    )
    rows = [
        {
            **first,
            "strata_name": cell.strata_name,
            "strata_level": cell.strata_level,
            "estimate_value": str(len(cell.dense_numerator)),
        }
        for cell in cells
    ]
    return StudyResult(pa.Table.from_pylist(rows, RESULT_SCHEMA), result.settings, tuple(cells))
