"""Tables counted from rows of persons (contracts/tables): keys from lists, numbers that fit their persons.

What holds of descriptions (groups) holds here. Beside it: a group that everybody of its margin is in tells what they
have (class disclosure); a number that two persons make up is hidden, whether a sum, a mean or a count of records; a
quantile has the minimum of persons on either side; and of a whole nothing but its persons is told unless all of its
parts are told too, since their difference would be a number of few that nobody looked at; for the same reason sums over
conditions that share persons do not stand beside each other.

Units: distinct persons; k is the permit's minimum count.
Source: threats C6 51, 52, 60, 61, 66, 69, 72.
Check: tests/generative/test_release_tables.py attacks what is shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from pyroaring import BitMap

from enclos.contracts.result import OVERALL, SEPARATOR, Cell, ResultSettings, StudyResult
from enclos.contracts.tables import ABSENT, COUNTS, KEY_FORMS, MEASURE, QUANTILES, SUMS, TABLES, KeyKind
from enclos.lexicon.labels import is_plain
from enclos.release.rules.policy import Policy

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OF = re.compile(r"[a-z][a-z0-9_ ]{0,99}")
_FITS = re.compile(r"|condition [1-9][0-9]?")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,14}")
_MOST = 1e15


class Counted(Protocol):
    """What is asked of a group here."""

    @property
    def cell(self) -> Cell:
        """Its persons."""

    @property
    def result_type(self) -> str:
        """The type of its table."""

    @property
    def rows(self) -> Sequence[tuple[int, str]]:
        """Its lines, with the estimate of each."""

    @property
    def is_hidden(self) -> bool:
        """Whether it is hidden whole."""


def kinds_of(settings: ResultSettings) -> Mapping[str, KeyKind] | None:
    """The kind of each key of a table; None where its settings do not say them."""
    names, kinds = (settings.values.get(each, "").split(SEPARATOR) for each in ("keys", "kinds"))
    if names == kinds == [OVERALL]:
        return {}
    known = {each.value for each in KeyKind}
    if len(names) != len(kinds) or len(set(names)) != len(names) or not {*kinds} <= known:
        return None
    return {name: KeyKind(kind) for name, kind in zip(names, kinds, strict=True) if _NAME.fullmatch(name)}


def fits(line: Mapping[str, str], settings: ResultSettings) -> bool:
    """Whether a line is of the table: its keys are the table's, its levels of their form, its number of its kind."""
    kinds = kinds_of(settings)
    if kinds is None or (line["group_name"], line["group_level"]) != (OVERALL, OVERALL):
        return False
    names, levels = line["strata_name"].split(SEPARATOR), line["strata_level"].split(SEPARATOR)
    if names == levels == [OVERALL]:
        names, levels = [], []
    if len(names) != len(levels):
        return False
    return (
        all(each in kinds and _is_level(kinds[each], its) for each, its in zip(names, levels, strict=True))
        and bool(_OF.fullmatch(line["variable_name"] or ""))
        and bool(_FITS.fullmatch(line["variable_level"] or ""))
        and (line["additional_name"], line["additional_level"]) == (MEASURE, line["estimate_name"])
        and is_plain(line["cdm_name"] or "")
    )


def _is_level(kind: KeyKind, level: str) -> bool:
    return level == ABSENT or (bool(KEY_FORMS[kind].fullmatch(level)) and is_plain(level))


def agrees(name: str, value: str | None, cell: Cell) -> bool:
    """Whether a number can be that of the persons behind it: as many persons, as many records or stays, or more."""
    if value is None:
        return True
    if name not in COUNTS:
        return abs(float(value)) < _MOST
    n = len(cell.dense_numerator)
    return bool(_WHOLE.fullmatch(value)) and (int(value) == n if name == "person_count" else int(value) >= n > 0)


def lines_of_tables(result: StudyResult, lines: Collection[int]) -> set[int]:
    """Those of some lines that are of counted tables."""
    ids = {each.result_id for each in result.settings if each.result_type in TABLES}
    numbers = result.table["result_id"].to_pylist() if ids else []
    return {row for row in lines if ids and numbers[row] in ids}


def may(name: str, cell: Cell, k: int, rules: Policy) -> bool:
    """Whether a number of enough persons may be told: it owes not too much to few, and says not that all fit."""
    is_full = cell.variable_level and cell.dense_numerator == cell.dense_denominator
    if k <= 1 or (is_full and rules.hides_full_counts):
        return k <= 1
    if name == "person_count":
        return True
    values = cell.values
    if values is None or rules.dominance.dominates(values.largest, values.total):
        return False
    alike = name not in COUNTS and values.n_unlike < (k if values.n_unlike or rules.hides_full_counts else 0)
    beside = name not in QUANTILES or (values.n_beside or 0) >= max(k, rules.demands.quantile_persons)
    return not alike and beside and (name != "sd" or not rules.dominance.dominates(values.furthest, values.square))


def of_few_records(groups: Iterable[Counted], said: Sequence[str | None], least: int) -> set[int]:
    """Lines that count fewer records or stays than a source or a permit demands."""
    counts = {row for group in groups for row, name in group.rows if name in COUNTS - {"person_count"}}
    return {row for row in counts if 0 < int(said[row] or 0) < least}


def full(groups: Iterable[Counted], settings: Mapping[int, ResultSettings]) -> set[int]:
    """Places of groups that everybody of a margin is in, where its axis has other levels too.

    Keys of one axis say the same in other words: a code and its name are one.
    """
    found: set[int] = set()
    by_table: dict[tuple[object, ...], list[tuple[int, Counted]]] = defaultdict(list)
    for at, group in enumerate(groups):
        if group.result_type in TABLES and group.cell.strata_name != OVERALL:
            by_table[_measure(group)].append((at, group))
    for own in by_table.values():
        cell = own[0][1].cell
        axes = _axes(settings[cell.result_id])
        names = cell.strata_name.split(SEPARATOR)
        for axis in {axes.get(name, "") for name in names}:
            margins: dict[tuple[str, ...], list[tuple[int, BitMap]]] = defaultdict(list)
            levels: set[tuple[str, ...]] = set()
            for at, group in own:
                level = group.cell.strata_level.split(SEPARATOR)
                pairs = list(zip(names, level, strict=True))
                margins[tuple(its for name, its in pairs if axes.get(name, "") != axis)].append(
                    (at, group.cell.dense_numerator)
                )
                levels.add(tuple(its for name, its in pairs if axes.get(name, "") == axis))
            if len(levels) < 2 or len({axes.get(name, "") for name in names}) < 2:
                continue
            for parts in margins.values():
                everybody = BitMap.union(BitMap(), *(persons for _, persons in parts))
                found.update(at for at, persons in parts if persons == everybody)
    return found


def _axes(settings: ResultSettings) -> Mapping[str, str]:
    names, axes = (settings.values.get(each, "").split(SEPARATOR) for each in ("keys", "axes"))
    return dict(zip(names, axes, strict=False))


def _measure(group: Counted) -> tuple[object, ...]:
    """What is told of all groups of one part of a table."""
    cell = group.cell
    return (cell.result_id, cell.variable_name, cell.variable_level, cell.additional_level, cell.strata_name)


def of_wholes(groups: Sequence[Counted], lines: Collection[int]) -> set[int]:
    """Lines of wholes whose parts are not all told: their difference would be a number of those that are not."""
    told: dict[tuple[object, ...], list[Counted]] = defaultdict(list)
    for group in groups:
        if group.result_type in TABLES and group.cell.additional_level != "person_count":
            told[_measure(group)[:-1]].append(group)
    hidden: set[int] = set()
    for own in told.values():
        if len({each.cell.strata_name for each in own}) < 2:
            continue
        for whole in sorted(own, key=lambda each: -len(_levels(each))):  # parts before their wholes
            for parts in _parts(whole, own):
                shown = [
                    each.cell.dense_numerator
                    for each in parts
                    if not each.is_hidden and not any(row in lines or row in hidden for row, _ in each.rows)
                ]
                if BitMap.union(BitMap(), *shown) != whole.cell.dense_numerator:
                    hidden.update(row for row, _ in whole.rows)
    return hidden


def of_overlaps(groups: Sequence[Counted], lines: Collection[int]) -> set[int]:
    """Lines of sums over rows that fit a condition, beside those of others that they share persons with.

    Their difference would be a sum over persons whom nobody looked at. The first condition stays, and none does where
    the sum of all is told. A sum and a mean give each other: where one is hidden, both are.
    """
    told: dict[tuple[object, ...], list[Counted]] = defaultdict(list)
    for group in groups:
        cell = group.cell
        if group.result_type in TABLES and cell.additional_level in SUMS | COUNTS - {"person_count"}:
            of = (cell.result_id, cell.variable_name, cell.strata_name, cell.strata_level)
            told[of].append(group)
    hidden: set[int] = set()
    for own in told.values():
        kept: list[Counted] = []
        for group in sorted(own, key=lambda each: (len(each.cell.variable_level), each.cell.variable_level)):
            cell = group.cell
            if any(
                each.cell.variable_level != cell.variable_level
                and each.cell.dense_numerator.intersect(cell.dense_numerator)
                for each in kept
            ):
                hidden.update(row for row, _ in group.rows)
            else:
                kept.append(group)
        for group in own:
            twins = [each for each in own if _are_twins(each.cell, group.cell)]
            if any(each.is_hidden or row in lines or row in hidden for each in twins for row, _ in each.rows):
                hidden.update(row for row, _ in group.rows)
    return hidden


def _are_twins(one: Cell, other: Cell) -> bool:
    """Whether two numbers follow from each other, the count of rows given."""
    levels = {one.additional_level, other.additional_level}
    return one.variable_level == other.variable_level and levels <= {"sum", "mean"}


def _levels(group: Counted) -> dict[str, str]:
    name, level = group.cell.strata_name, group.cell.strata_level
    return {} if name == OVERALL else dict(zip(name.split(SEPARATOR), level.split(SEPARATOR), strict=True))


def _parts(whole: Counted, own: Sequence[Counted]) -> Iterator[list[Counted]]:
    """The groups that lie within a whole, by the keys that they have more than it."""
    levels = _levels(whole)
    finer: dict[str, list[Counted]] = defaultdict(list)
    for each in own:
        theirs = _levels(each)
        if len(theirs) > len(levels) and levels.items() <= theirs.items():
            finer[each.cell.strata_name].append(each)
    yield from finer.values()
