"""Effects read as what they are: the persons of two cohorts, and numbers that rest on all of them.

An adjusted ratio is no quotient of counts; what it tells of one person falls with the persons and outcomes behind it.
So it leaves only where every count behind it does: persons and outcomes of both cohorts that it was estimated on, each
at least the minimum, none hidden for the sake of another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from enclos.contracts.result import OVERALL, RESULT_COLUMNS, SEPARATOR, Cell, ResultSettings, StudyResult
from enclos.release.model import Role
from enclos.release.rules.cells import ReadCell, Reading, ReadStandardised, Stratum, Window
from enclos.release.rules.policy import Policy
from enclos.release.rules.reading import EFFECTS, role_of, settings_untyped

_FIRST_ON, _LAST_ON = date(1900, 1, 1), date(2099, 12, 31)
_ADJUSTED, _CRUDE = "Adjusted", "Crude"
_ASKED_FIRST = ("primary", _ADJUSTED)
"""Whose effect the study is for: where two ways of asking would tell a few persons apart, the other one is hidden."""
_ANY_SEX = "Any"
_COUNTS = (Role.NUMERATOR, Role.DENOMINATOR)
_EVERYBODY = (0, 150)


def read_effects(reading: Reading, result: StudyResult, rules: Policy) -> None:
    """Add the cells of effects to what was read, and the numbers that rest on them.

    Lines of an unknown form, and cells that do not agree with their persons, are counted; the findings refuse.
    """
    settings = {each.result_id: each for each in result.settings if each.result_type in EFFECTS}
    reading.n_untyped += settings_untyped(settings, rules)
    persons = {cell.key: cell for cell in result.cells if cell.result_id in settings}
    parts: dict[tuple[int, str], dict[tuple[object, ...], ReadCell]] = defaultdict(dict)
    rows: dict[tuple[int, str], list[int]] = defaultdict(list)
    columns = [result.table[name].to_pylist() for name in RESULT_COLUMNS]
    for row, values in enumerate(zip(*columns, strict=True)):
        line = dict(zip(RESULT_COLUMNS, values, strict=True))
        result_id = line["result_id"]
        if result_id not in settings:
            continue
        role = role_of(line, settings, rules)
        if role is None:
            reading.n_untyped += 1
        elif role in _COUNTS:
            _read_count(reading, parts[_based_on(line)], persons, settings[result_id], row, line, role)
        else:
            rows[_based_on(line)].append(row)
    found = [cell for cells in parts.values() for cell in cells.values()]
    reading.n_unbacked += sum(not _agrees(cell) for cell in found)
    reading.n_unbacked += len(persons) - len(found) + sum(not parts[place] for place in rows)
    reading.cells = sorted([*reading.cells, *found], key=lambda cell: cell.cell.key)
    for place, own in rows.items():
        reading.standardised.append(ReadStandardised(tuple(own), tuple(parts[place].values())))


def _based_on(line: Mapping[str, str]) -> tuple[int, str]:
    """The result id and the population that a number is about: what is not of the crude one rests on the adjusted."""
    return int(line["result_id"]), _CRUDE if line["strata_level"] == _CRUDE else _ADJUSTED


def _read_count(
    reading: Reading,
    cells: dict[tuple[object, ...], ReadCell],
    persons: Mapping[tuple[int, str, str, str, str, str, str], Cell],
    settings: ResultSettings,
    row: int,
    line: Mapping[str, str],
    role: Role,
) -> None:
    variable = (line["variable_name"], line["variable_level"] or "")
    key = (
        int(line["result_id"]),
        line["group_level"],
        line["strata_name"],
        line["strata_level"],
        *variable,
        line["additional_level"],
    )
    if key not in persons or not str(line["estimate_value"]).isdigit():
        reading.n_unbacked += 1
        return
    family = tuple(sorted({**settings.values, "part": SEPARATOR.join((line["strata_level"], variable[0]))}.items()))
    outcome = line["group_level"].split(SEPARATOR)[-1]
    stratum = Stratum(family, outcome, _EVERYBODY, _ANY_SEX, 0)
    is_first = (settings.values.get("comparison"), line["strata_level"]) == _ASKED_FIRST
    window = Window(_FIRST_ON, _LAST_ON, OVERALL if is_first else "other")
    cell = cells.setdefault(key, ReadCell(stratum, window, persons[key], has_ratio=False))
    cell.rows.setdefault(role, []).append(row)
    if role is Role.NUMERATOR:
        cell.numerator = int(line["estimate_value"])
    else:
        cell.denominator = int(line["estimate_value"])


def _agrees(cell: ReadCell) -> bool:
    """Whether the counts of a cell are those of the persons in it; outcomes need not be told."""
    behind = cell.cell
    if [len(cell.rows.get(role, ())) for role in _COUNTS] not in ([1, 1], [0, 1]):
        return False
    told = Role.NUMERATOR in cell.rows
    outcomes = not told or (cell.numerator >= behind.n_numerator and (cell.numerator > 0) == (behind.n_numerator > 0))
    return (
        outcomes
        and cell.denominator == behind.n_denominator
        and (behind.dense_numerator.issubset(behind.dense_denominator))
    )
