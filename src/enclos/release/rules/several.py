"""Estimates that rest on several counts at once: controls, covariates' balance, coefficients of a score.

Beside the line of such an estimate stand its parts: cells whose variable is the line's with a number behind it, each
with the persons of one count. No count is told, but an effect with its standard error tells what it rests on closely
enough, and two means with a standardised difference tell it exactly. So every part is treated as a shown set: it is the
minimum of persons, and leaves none or the minimum of those who could, and no sum or rest of shown sets misses it by a
few. What has no parts, such as the mean of a covariate that is no yes or no, stays inside.

A score is told where its persons are the minimum more than what was estimated of them: a model of as many coefficients
as persons says of each what they have, whatever stands behind one coefficient.

A mean and a standard deviation over all controls, which calibrated estimates give away, are two equations: one control
is never hidden alone. What more controls say together is shown where all of them are.

Units: distinct persons; k is the permit's minimum count.
Check: tests/unit/release/test_several.py.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from pyroaring import BitMap

from enclos.contracts.result import RESULT_COLUMNS, SEPARATOR, Cell, StudyResult
from enclos.lexicon.labels import is_label, is_setting
from enclos.release.allowance import MOST_SETS, Sought
from enclos.release.history import collisions
from enclos.release.model import CellEvidence, Told
from enclos.release.rules.policy import Policy
from enclos.release.sets import sets_of

_CONTROLS, _OWN, _ALL, _WORD, _ANY = "_controls", "own", "all", "word", "*"
_LABELS = tuple(name for name in RESULT_COLUMNS if name not in {"result_id", "estimate_value"})
_FOUND = "covariate_id"
"""Stands beside lines whose label was found in the data: hidden, they are left out."""
_COEFFICIENT = "coefficient"
_COVARIATE = re.compile(r"[1-9][0-9]{0,12}")
"""The number of a covariate: a concept's, then three digits of its analysis."""
_FIRST = ("primary", "Adjusted")
_LAST = "compare_balance"
"""Hidden first where two tell a few together: it is context."""


@cache
def _supports() -> Mapping[tuple[str, str], str]:
    text = resources.files("enclos.release").joinpath("several.csv").read_text(encoding="utf-8")
    return {(row["result_type"], row["estimate_name"]): row["support"] for row in csv.DictReader(text.splitlines())}


SEVERAL = frozenset(kind for kind, _ in _supports())
"""Result types that hold estimates of several counts, in some of which no line counts persons."""


def rests_on_several(result_type: str, estimate: str) -> bool:
    """Whether a line is judged here."""
    return bool({(result_type, estimate), (result_type, _ANY)} & _supports().keys())


def is_part(cell: Cell) -> bool:
    """Whether a cell is one of several that an estimate rests on."""
    return SEPARATOR in cell.variable_name


@dataclass(slots=True, eq=False)
class _Unit:
    """The parts of one estimate, or of one control with all that is made of it."""

    column: Hashable
    """What the controls of one ratio have in common."""
    result_type: str
    rank: tuple[bool, bool, bool]
    parts: list[Cell] = field(default_factory=list)
    is_hidden: bool = False

    @property
    def sets(self) -> list[BitMap]:
        return [part.dense_numerator for part in self.parts if part.dense_numerator]

    @property
    def cost(self) -> tuple[object, ...]:
        return (*self.rank, sum(map(len, self.sets)), min(part.key for part in self.parts))

    def tells_few(self, k: int, *, full: bool) -> bool:
        """Whether a part is a few, leaves a few, or is nobody or everybody where that would be told."""
        for part in self.parts:
            n, n_rest = part.n_numerator, part.n_denominator - part.n_numerator
            is_few = 0 < n < k or 0 < n_rest < k
            is_missing = n == 0 and self.result_type != _LAST
            if is_few or is_missing or (full and n_rest == 0):
                return True
        return False


@dataclass(frozen=True, slots=True)
class JudgedSeveral:
    """Estimates of which some are hidden; lines that are, and of these those that are left out."""

    units: tuple[_Unit, ...]
    lines: frozenset[int]
    left_out: frozenset[int]
    n_untyped: int
    ratios: frozenset[int]
    """Of the shown lines, those that a model gives: balance gives counts back."""

    @property
    def told(self) -> tuple[Told, ...]:
        """The persons that are told."""
        shown = (part for unit in self.units if not unit.is_hidden for part in unit.parts)
        return tuple(Told(part.dense_numerator, part.person_numbers) for part in shown)

    @property
    def evidence(self) -> tuple[CellEvidence, ...]:
        """What is hidden, and how many the smallest part of each counts."""
        return tuple(_evidence(unit) for unit in self.units)

    @property
    def n_hidden(self) -> int:
        """Controls, covariates and coefficients that are hidden."""
        return sum(unit.is_hidden for unit in self.units)


def hidden_by_any_of(every: Sequence[JudgedSeveral]) -> JudgedSeveral:
    """What is left where each of several rule sets hides what it has to."""
    units = tuple(
        replace(unit, is_hidden=any(each.is_hidden for each in (unit, *others)))
        for unit, *others in zip(*(each.units for each in every), strict=True)
    )
    rows = zip(*((each.lines, each.left_out) for each in every), strict=True)
    lines, left_out = (frozenset().union(*sets) for sets in rows)
    return JudgedSeveral(units, lines, left_out, every[0].n_untyped, every[0].ratios - lines)


def judge_several(
    result: StudyResult, told: Sequence[Told], min_count: int, rules: Policy, sought: Sought
) -> JudgedSeveral:
    """What of such estimates may be shown beside what is told already."""
    types = {each.result_id: each.result_type for each in result.settings if each.result_type in SEVERAL}
    firsts = {each.result_id for each in result.settings if each.values.get("comparison", _FIRST[0]) == _FIRST[0]}
    units: dict[Hashable, _Unit] = {}
    for cell in result.cells:
        if cell.result_id in types and is_part(cell):
            kind = types[cell.result_id]
            key, column = _keys(kind, (*cell.key[:4], cell.variable_name.rpartition(SEPARATOR)[0], *cell.key[5:]))
            rank = (kind != _LAST, cell.result_id in firsts, cell.strata_level == _FIRST[1])
            units.setdefault(key, _Unit(column, kind, rank)).parts.append(cell)
    if min_count > 1:
        _hide_saturated(list(units.values()), result, max(min_count, rules.demands.residual_degrees))
        _hide(list(units.values()), [each.persons for each in told], min_count, sought, full=rules.hides_full_counts)
    whole = {unit.column for unit in units.values()} - {unit.column for unit in units.values() if unit.is_hidden}
    lines, left_out, n_untyped = set(), set(), _n_untyped_settings(result)
    seen: set[Hashable] = set()
    ratios: set[int] = set()
    for row, line in _lines(result, types):
        kind, value = types[int(line["result_id"])], line["estimate_value"]
        support = _supports().get((kind, line["estimate_name"]), _supports().get((kind, _ANY), ""))
        place = _place(line)
        key, column = _keys(kind, place)
        unit = units.get(key)
        is_value = value is None or rules.values.fullmatch(value)
        is_found = line["additional_name"] == _FOUND
        is_plain = all(_is_label(name, line) for name in _LABELS)
        if is_found and not is_plain:  # a covariate's name; it is one of many
            unit = None
        elif not (is_value and is_plain) or (place, line["estimate_name"]) in seen:
            n_untyped += 1
        seen.add((place, line["estimate_name"]))
        is_shown = support == _WORD or (support == _ALL and column in whole)
        if is_shown or (support == _OWN and unit is not None and not unit.is_hidden):
            ratios.update({row} if kind != _LAST else ())
            continue
        lines.add(row)
        if is_found:
            left_out.add(row)
    return JudgedSeveral(
        tuple(units.values()),
        frozenset(lines),
        frozenset(left_out) if min_count > 1 else frozenset(),
        n_untyped,
        frozenset(ratios),
    )


def _is_label(column: str, line: Mapping[str, str]) -> bool:
    text = line[column] or ""
    if column == "additional_level" and line["additional_name"] == _FOUND:
        return bool(_COVARIATE.fullmatch(text))
    return is_label(text)


def _n_untyped_settings(result: StudyResult) -> int:
    own = (each for each in result.settings if each.result_type in SEVERAL)
    return sum(not is_setting(value) for each in own for value in each.values.values())


def _place(line: Mapping[str, str]) -> tuple[int, str, str, str, str, str, str]:
    head = (int(line["result_id"]), line["group_level"], line["strata_name"], line["strata_level"])
    return (*head, line["variable_name"], line["variable_level"] or "", line["additional_level"])


def _keys(kind: str, place: tuple[int, str, str, str, str, str, str]) -> tuple[Hashable, Hashable]:
    """What names the unit of a place, and the column of units that it is one of."""
    result_id, group, _, _, variable, level, _ = place
    if not kind.endswith(_CONTROLS):
        return place, place
    column = (result_id,) if kind.startswith("compare") else (result_id, variable, level)
    return (*column, group), column


def _hide_saturated(units: Sequence[_Unit], result: StudyResult, k: int) -> None:
    """Hide all of a model that has fewer than k persons more than coefficients, its intercept among them.

    Source: residual degrees of freedom, as ACRO asks ten of; coefficients that are not nothing are those of a
            model that shrinks them (Zou, Hastie and Tibshirani 2007).
    """
    names = (result.table["result_id"].to_pylist(), result.table["estimate_name"].to_pylist())
    estimated = Counter(result_id for result_id, name in zip(*names, strict=True) if name == _COEFFICIENT)
    persons: dict[int, BitMap] = defaultdict(BitMap)
    for part in (part for unit in units for part in unit.parts):
        persons[part.result_id] |= part.dense_denominator
    for unit in units:
        own = unit.parts[0].result_id
        unit.is_hidden |= estimated[own] > 0 and len(persons[own]) - estimated[own] - 1 < k


def _hide(units: Sequence[_Unit], told: Sequence[BitMap], k: int, sought: Sought, *, full: bool) -> None:
    """Hide units until nothing tells of a few persons, and no control is hidden alone."""
    for unit in units:
        unit.is_hidden |= unit.tells_few(k, full=full)
    fixed = list(dict.fromkeys(persons.serialize() for persons in told if persons))
    suspects: set[bytes] | None = None  # all at first; hiding some makes no other collide
    while True:
        for unit in _companions(units):
            unit.is_hidden = True
        owners: dict[bytes, list[_Unit]] = defaultdict(list)
        for unit in units:
            for persons in () if unit.is_hidden else unit.sets:
                owners[persons.serialize()].append(unit)
        names = list(dict.fromkeys([*owners, *fixed]))
        own = [name for name in owners if suspects is None or len(names) <= MOST_SETS or name in suspects]
        if not own:
            return
        chosen, suspects = [], set()
        for found in collisions(sets_of(own), sets_of(names), k, sought):
            suspects.add(own[found.new])
            others = [names[place] if place < len(names) else own[place - len(names)] for place in found.others]
            free = [unit for name in (own[found.new], *others) for unit in owners.get(name, ())]
            chosen.append(min(free, key=lambda unit: unit.cost))
        if not chosen:
            return
        for unit in chosen:
            unit.is_hidden = True


def _companions(units: Sequence[_Unit]) -> Iterator[_Unit]:
    """The smallest shown control beside one that is hidden alone."""
    columns: dict[Hashable, list[_Unit]] = defaultdict(list)
    for unit in units:
        if unit.result_type.endswith(_CONTROLS):
            columns[unit.column].append(unit)
    for own in columns.values():
        shown = [unit for unit in own if not unit.is_hidden]
        if shown and len(own) - len(shown) == 1:
            yield min(shown, key=lambda unit: unit.cost)


def _lines(result: StudyResult, types: Mapping[int, str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    columns = [result.table[name].to_pylist() for name in RESULT_COLUMNS]
    for row, values in enumerate(zip(*columns, strict=True)):
        line = dict(zip(RESULT_COLUMNS, values, strict=True))
        if line["result_id"] in types and rests_on_several(types[line["result_id"]], line["estimate_name"]):
            yield row, line


def _evidence(unit: _Unit) -> CellEvidence:
    part = min(unit.parts, key=lambda each: each.n_numerator)
    hidden = ("numerator", "denominator") if unit.is_hidden else ()
    at = (part.result_id, part.group_level, part.additional_level)
    return CellEvidence(*at, part.n_numerator, part.n_denominator, hidden, unit.result_type)
