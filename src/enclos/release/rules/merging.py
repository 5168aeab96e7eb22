"""A result as it would be with wider bands: cells of neighbouring ages, of both sexes or of longer stretches made one.

Persons of two cells are united, events and days at risk are added, rates and intervals are computed anew, so that the
merged result can be checked as any other. What cannot be known without the data is left out: the attrition of merged
bands, and standardised rates that rest on them.

Check: tests/unit/release/test_merging.py runs the study with the wider bands and compares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import (
    OVERALL,
    RESULT_COLUMNS,
    RESULT_SCHEMA,
    SEPARATOR,
    Cell,
    PersonNumbers,
    ResultSettings,
    StudyResult,
)
from enclos.release.model import Role
from enclos.release.rules.cells import Family, ReadCell, Reading, Stratum, Window
from enclos.release.rules.numbers import BOTH_SEXES, SEXES
from enclos.release.rules.rates import incidence_values, prevalence_values

Age: TypeAlias = tuple[int, int]
LONGER = {"months": "quarters", "quarters": "years", "years": OVERALL}
"""The next longer stretch, which whole stretches make up."""
_MONTHS_OF_A_QUARTER = 3


@dataclass(frozen=True, slots=True, order=True)
class MergeAges:
    """Two neighbouring age groups become one, wherever an analysis has both."""

    low: Age
    high: Age

    @property
    def merged(self) -> Age:
        """The wider group."""
        return self.low[0], self.high[1]


@dataclass(frozen=True, slots=True, order=True)
class JoinSexes:
    """Both sexes together, wherever an analysis tells them apart."""


@dataclass(frozen=True, slots=True, order=True)
class Lengthen:
    """Estimates of one kind of interval are given up for the next longer one."""

    interval: str


@dataclass(frozen=True, slots=True, order=True)
class DropStrata:
    """A stratification is given up; its estimates for all remain."""

    strata_name: str


_Place: TypeAlias = tuple[Stratum, str, tuple[int, ...]]
"""A stratum, a kind of interval, and which of them."""
Move: TypeAlias = MergeAges | JoinSexes | Lengthen | DropStrata


def moves_of(reading: Reading, result: StudyResult) -> list[Move]:
    """What could be merged in a result, in a fixed order."""
    found: set[Move] = set()
    by_family = _families(reading.cells)
    for cells in by_family.values():
        ages = sorted({cell.stratum.age for cell in cells})
        found |= {MergeAges(low, high) for low in ages for high in ages if low[1] + 1 == high[0]}
        if {cell.stratum.sex for cell in cells} & {*SEXES}:
            found.add(JoinSexes())
        found |= {Lengthen(interval) for interval in {cell.window.interval for cell in cells} if _next(interval, cells)}
    names = {name for name in result.table["strata_name"].unique().to_pylist() if name not in {OVERALL, "reason"}}
    found |= {DropStrata(name) for name in names}
    return sorted(found, key=lambda move: (type(move).__name__, repr(move)))


def merged(reading: Reading, result: StudyResult, move: Move) -> StudyResult:
    """The result after one move."""
    if isinstance(move, DropStrata):
        return _without_strata(result, move.strata_name)
    return _Rewriting(reading, result, _plan(reading, move)).result()


def sizes_after(reading: Reading, result: StudyResult, move: Move) -> list[tuple[int, int]]:
    """How many persons each cell of the merged result would count, among how many; nothing is written for it."""
    if isinstance(move, DropStrata):
        return [_size(cell) for cell in result.cells if cell.strata_name != move.strata_name]
    read = {cell.cell.key for cell in reading.cells}
    found = [_size(cell) for cell in result.cells if cell.key not in read]
    for parts in _plan(reading, move).values():
        cells = [part.cell for part in parts]
        if len(cells) == 1:
            found.append(_size(cells[0]))
        else:
            having = BitMap.union(*(cell.dense_numerator for cell in cells))
            found.append((len(having), len(BitMap.union(*(cell.dense_denominator for cell in cells)))))
    return found


def _size(cell: Cell) -> tuple[int, int]:
    return cell.n_numerator, cell.n_denominator


def _plan(reading: Reading, move: Move) -> Mapping[_Place, list[ReadCell]]:
    """Which cells come together where."""
    plan: dict[_Place, list[ReadCell]] = defaultdict(list)
    for cells in _families(reading.cells).values():
        present = _Present(
            frozenset(cell.stratum.age for cell in cells),
            frozenset(cell.stratum.sex for cell in cells),
            frozenset(cell.window.interval for cell in cells),
        )
        for cell in cells:
            for target in _targets(cell, present, move):
                plan[target].append(cell)
    return plan


@dataclass(frozen=True, slots=True)
class _Present:
    """The ages, sexes and kinds of interval that an analysis has."""

    ages: frozenset[Age]
    sexes: frozenset[str]
    intervals: frozenset[str]


def _families(cells: Iterable[ReadCell]) -> Mapping[Family, list[ReadCell]]:
    by_family: dict[Family, list[ReadCell]] = defaultdict(list)
    for cell in cells:
        by_family[cell.stratum.family].append(cell)
    return by_family


def _is_incidence(family: Family) -> bool:
    return ("type", "incidence") in family


def longer_than(interval: str, present: Collection[str], *, can_be_made: bool) -> str | None:
    """The kind of interval that one gives way to: the next longer that is there, or else the next that can be made."""
    longer = LONGER.get(interval)
    while longer is not None and longer not in present:
        longer = LONGER.get(longer)
    return longer or (LONGER.get(interval) if can_be_made else None)


def _next(interval: str, cells: Sequence[ReadCell]) -> str | None:
    present = {cell.window.interval for cell in cells}
    return longer_than(interval, present, can_be_made=_is_incidence(cells[0].stratum.family))


def _targets(cell: ReadCell, present: _Present, move: Move) -> Iterator[_Place]:
    """Where a cell goes; nowhere when what it would be part of stands in the result already."""
    stratum, to = cell.stratum, cell.window.interval
    match move:
        case MergeAges(low, high) if stratum.age in (low, high) and {low, high} <= present.ages:
            if move.merged in present.ages:
                return
            stratum = replace(stratum, age=move.merged)
        case JoinSexes() if stratum.sex in SEXES:
            if BOTH_SEXES in present.sexes:
                return
            if {*SEXES} <= present.sexes:
                stratum = replace(stratum, sex=BOTH_SEXES)
        case Lengthen(interval) if to == interval:
            longer = longer_than(interval, present.intervals, can_be_made=_is_incidence(stratum.family))
            if longer is not None and longer in present.intervals:
                return
            to = longer or to
        case _:
            pass
    yield stratum, to, _stretch(cell.window.first_on, to)


def _stretch(day: date, interval: str) -> tuple[int, ...]:
    """What tells the stretch of a kind that a day lies in; strata may begin and end it on days of their own."""
    match interval:
        case "overall":
            return ()
        case "years":
            return (day.year,)
        case "quarters":
            return day.year, (day.month - 1) // _MONTHS_OF_A_QUARTER
        case "months":
            return day.year, day.month
        case _:
            return day.isocalendar()[:2]


def _without_strata(result: StudyResult, name: str) -> StudyResult:
    kept = np.array([each != name for each in result.table["strata_name"].to_pylist()], dtype=np.bool_)
    cells = tuple(cell for cell in result.cells if cell.strata_name != name)
    return StudyResult(result.table.filter(pa.array(kept)), result.settings, cells)


@dataclass(slots=True)
class _Rewriting:
    """The lines, settings and cells of a result after its cells went where a plan says."""

    reading: Reading
    source: StudyResult
    plan: Mapping[_Place, list[ReadCell]]

    def result(self) -> StudyResult:
        """The merged result: untouched lines as they were, then those of merged cells."""
        touched = {id(cell) for cell in self.reading.cells} - {
            id(parts[0]) for place, parts in self.plan.items() if _is_same(place, parts)
        }
        own = {row for cell in self.reading.cells for rows in cell.rows.values() for row in rows}
        staying = {self._who(stratum) for stratum, *_ in self.plan}
        gone = own | {count.row for count in self.reading.counts if self._who(count.stratum) not in staying}
        weighed = [rate for rate in self.reading.standardised if any(id(part) in touched for part in rate.parts)]
        gone |= {row for rate in weighed for row in rate.rows}
        table = self.source.table.to_pylist()
        lines = [line for row, line in enumerate(table) if row not in gone]
        cells, settings = self._other_cells(gone, table), {each.result_id: each for each in self.source.settings}
        ids = self._result_ids()
        for place, parts in sorted(self.plan.items(), key=lambda each: each[1][0].cell.key):
            template = [table[row] for rows in parts[0].rows.values() for row in rows]
            if _is_same(place, parts):
                lines += template
                cells.append(parts[0].cell)
                continue
            result_id = ids[self._who(place[0])]
            settings[result_id] = _renamed(settings[result_id], place[0])
            windows = [part.window for part in parts]
            window = Window(min(each.first_on for each in windows), max(each.last_on for each in windows), place[1])
            cell = _united(parts, result_id, _level(window), parts[0].cell.person_numbers)
            lines += _rewritten(template, parts, cell, window)
            cells.append(cell)
        kept = {line["result_id"] for line in lines}
        return StudyResult(
            pa.Table.from_pylist(lines, schema=RESULT_SCHEMA),
            tuple(each for result_id, each in sorted(settings.items()) if result_id in kept),
            tuple(cells),
        )

    @staticmethod
    def _who(stratum: Stratum) -> tuple[object, ...]:
        return stratum.family, stratum.age, stratum.sex, stratum.prior_days, stratum.at_risk

    def _result_ids(self) -> Mapping[tuple[object, ...], int]:
        """Under which result id each stratum stands: the first of those that it is made of."""
        found: dict[tuple[object, ...], int] = {}
        for (stratum, *_), parts in self.plan.items():
            first = min(part.cell.result_id for part in parts)
            found[self._who(stratum)] = min(first, found.get(self._who(stratum), first))
        return found

    def _other_cells(self, gone: set[int], table: Sequence[Mapping[str, Any]]) -> list[Cell]:
        """Cells of results that no merge speaks of, where their lines stay."""
        read = {cell.cell.key for cell in self.reading.cells}
        kept = {line["result_id"] for row, line in enumerate(table) if row not in gone}
        return [cell for cell in self.source.cells if cell.key not in read and cell.result_id in kept]


def _is_same(place: _Place, parts: Sequence[ReadCell]) -> bool:
    """Whether a cell stays what it is."""
    return len(parts) == 1 and (parts[0].stratum, parts[0].window.interval) == place[:2]


def _renamed(settings: ResultSettings, stratum: Stratum) -> ResultSettings:
    youngest, oldest = stratum.age
    named = {"denominator_age_group": f"{youngest} to {oldest}", "denominator_sex": stratum.sex}
    return ResultSettings(settings.result_id, {**settings.values, **named})


def _level(window: Window) -> str:
    days = [window.first_on.isoformat(), window.last_on.isoformat()]
    return SEPARATOR.join(days if window.interval == OVERALL else [*days, window.interval])


def _united(parts: Sequence[ReadCell], result_id: int, level: str, numbers: PersonNumbers) -> Cell:
    first = parts[0].cell
    return Cell(
        result_id,
        first.group_level,
        first.strata_name,
        first.strata_level,
        level,
        BitMap.union(BitMap(), *(part.cell.dense_numerator for part in parts)),
        BitMap.union(BitMap(), *(part.cell.dense_denominator for part in parts)),
        numbers,
    )


def _rewritten(
    template: Sequence[Mapping[str, Any]], parts: Sequence[ReadCell], cell: Cell, window: Window
) -> list[dict[str, Any]]:
    """The lines of a merged cell, in the order of its first part's."""
    names = template[0]["additional_name"].split(SEPARATOR)[:2]
    if window.interval != OVERALL:
        names.append("analysis_interval")
    place = {
        "result_id": cell.result_id,
        "additional_name": SEPARATOR.join(names),
        "additional_level": cell.additional_level,
    }
    if parts[0].time is None:
        values = prevalence_values(cell.n_numerator, cell.n_denominator)
    else:
        n_days = sum(part.time or 0 for part in parts)
        values = incidence_values(sum(part.numerator for part in parts), n_days, cell.n_denominator)
    by_role = dict(_roles_by_row(parts[0]))
    lines = []
    for role, line in zip(by_role, template, strict=True):
        lines.append({**{name: line[name] for name in RESULT_COLUMNS}, **place, "estimate_value": values[role]})
    return lines


def _roles_by_row(cell: ReadCell) -> Iterator[tuple[Role, int]]:
    for role, rows in cell.rows.items():
        for row in rows:
            yield role, row
