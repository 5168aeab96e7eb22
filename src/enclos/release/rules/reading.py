"""A result read as what it is: cells with their persons, counts of attrition, and nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import mul
from typing import TypeAlias

from pyroaring import BitMap

from enclos.contracts.result import OVERALL, RESULT_COLUMNS, SEPARATOR, Cell, ResultSettings, StudyResult
from enclos.lexicon.labels import is_setting
from enclos.release.model import Role
from enclos.release.rules.cells import (
    NO_END,
    Family,
    ReadCell,
    ReadCount,
    Reading,
    ReadStandardised,
    Stratum,
    Window,
)
from enclos.release.rules.courses import CURVES
from enclos.release.rules.described import GROUPS
from enclos.release.rules.policy import Policy, roles
from enclos.release.rules.several import SEVERAL

CellKey: TypeAlias = tuple[int, str, str, str, str, str, str]

_STRATIFIERS = ("denominator_age_group", "denominator_sex", "denominator_days_prior_observation")
_WINDOW, _ALL_TIME = "denominator_time_at_risk", "0 to Inf"
_PARTS = {
    "sex": re.compile("Male|Female"),
    "age_group": re.compile("[0-9]{1,3} to [0-9]{1,3}"),
    "department": re.compile("[0-9][0-9AB][0-9]?"),
}
"""What a stratum can be, and the form of its levels; a department is that of INSEE."""
_ATTRITION, _STANDARDISED = "_attrition", "_standardised"
ELSEWHERE = GROUPS | CURVES | SEVERAL
"""Result types that other modules read."""
EFFECTS = frozenset({"compare_estimates"})
"""Result types whose numbers rest on two cohorts at once; effects.py reads them."""
_ROUNDING = {"incidence_100000_pys": 0.0011, "prevalence": 0.000011, "person_years": 0.0011}
"""How far a printed estimate may be from the one computed from its counts: its last digit."""
_DAYS_PER_YEAR = 365.25


def read_result(result: StudyResult, rules: Policy) -> Reading:
    """Every line of a result under a known role, each cell beside its persons.

    Refuses: nothing; what is not typed or not backed is counted, and the findings refuse.
    """
    reading = Reading()
    settings = {each.result_id: each for each in result.settings if each.result_type not in EFFECTS | ELSEWHERE}
    elsewhere = {each.result_id for each in result.settings} - settings.keys()
    strata = {id_: _stratum(each) for id_, each in settings.items()}
    reading.n_untyped += settings_untyped(settings, rules)
    own_cells = [cell for cell in result.cells if cell.result_id not in elsewhere]
    persons = {cell.key: cell for cell in own_cells}
    cells: dict[CellKey, ReadCell] = {}
    columns = [result.table[name].to_pylist() for name in RESULT_COLUMNS]
    for row, values in enumerate(zip(*columns, strict=True)):
        line = dict(zip(RESULT_COLUMNS, values, strict=True))
        if line["result_id"] in elsewhere:
            continue
        role = role_of(line, settings, rules)
        parts = strata.get(line["result_id"])
        if role is None or parts is None:
            reading.n_untyped += 1
        elif settings[line["result_id"]].result_type.endswith(_ATTRITION):
            _read_count(reading, row, line, role, parts)
        else:
            _read_estimate(reading, cells, persons, row, line, role, parts)
    printed = columns[RESULT_COLUMNS.index("estimate_value")]
    weighted = {key for key in cells if settings[key[0]].result_type.endswith(_STANDARDISED)}
    counted = {key: cell for key, cell in cells.items() if key not in weighted}
    reading.n_unbacked += sum(not _agrees(cell, printed) for cell in counted.values())
    _read_standardised(reading, [(cells[key], settings[key[0]]) for key in sorted(weighted)], counted.values(), printed)
    reading.n_unbacked += len(persons.keys() - cells.keys()) + len(own_cells) - len(persons)
    # What is hidden must not depend on the order of lines.
    reading.cells = sorted(counted.values(), key=lambda cell: cell.cell.key)
    reading.counts.sort(key=lambda count: (count.result_id, count.group_level, count.reason_id, count.role.value))
    return reading


@dataclass(frozen=True, slots=True)
class _Parts:
    family: Family
    age: tuple[int, int]
    sex: str
    prior_days: int
    at_risk: tuple[int, int]

    def stratum(self, group_level: str, part: frozenset[tuple[str, str]] = frozenset()) -> Stratum:
        outcome = group_level.split(SEPARATOR)[1]
        return Stratum(self.family, outcome, self.age, self.sex, self.prior_days, self.at_risk, part)


def _stratum(settings: ResultSettings) -> _Parts | None:
    """The analysis and the part of the population that a result id is about, from its settings."""
    values = settings.values
    try:
        age, sex, prior = (values[name] for name in _STRATIFIERS)
        youngest, oldest = age.split(" to ")
        options = {
            name: value
            for name, value in values.items()
            if name.startswith(("analysis_", "denominator_")) and name not in {*_STRATIFIERS, _WINDOW}
        }
        options["type"] = settings.result_type.removesuffix(_ATTRITION).removesuffix(_STANDARDISED)
        first, last = values.get(_WINDOW, _ALL_TIME).split(" to ")
        at_risk = (int(first), NO_END if last == "Inf" else int(last))
        return _Parts(tuple(sorted(options.items())), (int(youngest), int(oldest)), sex, int(prior), at_risk)
    except (KeyError, ValueError):
        return None


def settings_untyped(settings: Mapping[int, ResultSettings], rules: Policy) -> int:
    """How many settings have a name or a value of no known form."""
    return sum(
        not (rules.settings_names.fullmatch(name) and rules.settings_values.fullmatch(value) and is_setting(value))
        for each in settings.values()
        for name, value in each.values.items()
    )


def role_of(line: Mapping[str, object], settings: Mapping[int, ResultSettings], rules: Policy) -> Role | None:
    """The role of a line, or None when anything about it is not of a known form."""
    result_id = line["result_id"]
    if not isinstance(result_id, int) or result_id not in settings:
        return None
    for name, form in rules.labels.items():
        if not form.fullmatch(str(line[name] if line[name] is not None else "")):
            return None
    value = line["estimate_value"]
    if value is not None and not rules.values.fullmatch(str(value)):
        return None
    kind = (settings[result_id].result_type, str(line["variable_name"]), str(line["estimate_name"]))
    return roles().get(kind)


def _read_count(reading: Reading, row: int, line: Mapping[str, str], role: Role, parts: _Parts) -> None:
    if line["estimate_value"] is None:
        return
    if "." in line["estimate_value"] or "e" in line["estimate_value"] or line["strata_name"] != "reason":
        reading.n_untyped += 1
        return
    group_level = line["group_level"]
    count = ReadCount(
        parts.stratum(group_level),
        group_level,
        int(line["result_id"]),
        int(line["additional_level"]),
        line["strata_level"],
        role,
        row,
        int(line["estimate_value"]),
    )
    reading.counts.append(count)


def _read_estimate(
    reading: Reading,
    cells: dict[CellKey, ReadCell],
    persons: Mapping[CellKey, Cell],
    row: int,
    line: Mapping[str, str],
    role: Role,
    parts: _Parts,
) -> None:
    key = (
        int(line["result_id"]),
        line["group_level"],
        line["strata_name"],
        line["strata_level"],
        *("", ""),  # all estimates of a window rest on the same persons
        line["additional_level"],
    )
    if key in cells:  # its labels were read with its first line
        cells[key].rows.setdefault(role, []).append(row)
        return
    window, part = _window(line["additional_level"]), _part(line["strata_name"], line["strata_level"])
    if window is None or part is None:
        reading.n_untyped += 1
    elif key not in persons:
        reading.n_unbacked += 1
    else:
        cells[key] = ReadCell(parts.stratum(line["group_level"], part), window, persons[key], {role: [row]})


def _part(name: str, level: str) -> frozenset[tuple[str, str]] | None:
    names, levels = name.split(SEPARATOR), level.split(SEPARATOR)
    if (name, level) == (OVERALL, OVERALL):
        return frozenset()
    if len(names) != len(levels) or not {*names} <= _PARTS.keys():
        return None
    known = all(_PARTS[each].fullmatch(its) for each, its in zip(names, levels, strict=True))
    return frozenset(zip(names, levels, strict=True)) if known else None


def _window(level: str) -> Window | None:
    first, last, *interval = level.split(SEPARATOR) if SEPARATOR in level else ("", "")
    try:
        return Window(date.fromisoformat(first), date.fromisoformat(last), interval[0] if interval else "overall")
    except ValueError:
        return None


def _agrees(cell: ReadCell, values: list[str | None]) -> bool:
    """Whether the estimates of a cell follow from the persons in it; reads the counts on the way."""
    try:
        (numerator,) = (int(str(values[row])) for row in cell.rows[Role.NUMERATOR])
        (denominator,) = (int(str(values[row])) for row in cell.rows[Role.DENOMINATOR])
        times = [int(str(values[row])) for row in cell.rows.get(Role.TIME, [])]
    except (KeyError, ValueError):
        return False
    cell.numerator, cell.denominator, cell.time = numerator, denominator, times[0] if times else None
    behind = cell.cell
    persons = denominator == behind.n_denominator and behind.dense_numerator.issubset(behind.dense_denominator)
    if cell.counts_stays:
        return _stays_agree(cell) and _ratio_agrees(cell, values, denominator)
    events = numerator >= behind.n_numerator and (numerator > 0) == (behind.n_numerator > 0)
    if cell.time is None:
        return persons and numerator == behind.n_numerator and _ratio_agrees(cell, values, denominator)
    shown_years = _number(cell, values, Role.OF_TIME)
    time = denominator <= cell.time <= denominator * cell.window.n_days
    if not (persons and events and time) or shown_years is None:
        return False
    years = abs(shown_years - cell.time / _DAYS_PER_YEAR) <= _ROUNDING["person_years"]
    return years and _ratio_agrees(cell, values, shown_years / 100_000)


def _stays_agree(cell: ReadCell) -> bool:
    """Whether stays are as many as their persons or more, and none of nobody."""
    behind = cell.cell
    pairs = ((cell.numerator, behind.n_numerator), (cell.denominator, behind.n_denominator))
    of_persons = all(stays >= n and (stays > 0) == (n > 0) for stays, n in pairs)
    return of_persons and cell.numerator <= cell.denominator and behind.dense_numerator <= behind.dense_denominator


def _ratio_agrees(cell: ReadCell, values: list[str | None], denominator: float) -> bool:
    """Whether the rate or share is the quotient of what is behind it, within its interval."""
    ratio, lower, upper = (_number(cell, values, role) for role in (Role.RATIO, Role.LOWER, Role.UPPER))
    if denominator == 0:
        return ratio is lower is upper is None
    if ratio is None or lower is None or upper is None:
        return False
    rounding = _ROUNDING["incidence_100000_pys" if cell.time is not None else "prevalence"]
    return abs(ratio - cell.numerator / denominator) <= rounding and lower - rounding <= ratio <= upper + rounding


def _number(cell: ReadCell, values: list[str | None], role: Role) -> float | None:
    rows = cell.rows.get(role, [])
    value = values[rows[0]] if len(rows) == 1 else None
    return float(value) if value is not None else None


def _read_standardised(
    reading: Reading,
    weighted: Iterable[tuple[ReadCell, ResultSettings]],
    counted: Iterable[ReadCell],
    values: list[str | None],
) -> None:
    """Find the cells that each standardised rate is made of; one that does not follow from them is not backed."""
    by_stratum: dict[Stratum, list[ReadCell]] = defaultdict(list)
    for cell in counted:
        by_stratum[cell.stratum].append(cell)
    for rate, settings in weighted:
        weights = _weights(settings)
        groups = [
            [
                cell
                for cell in by_stratum[replace(rate.stratum, age=age)]
                if cell.window.interval == rate.window.interval and cell.window.lies_in(rate.window)
            ]
            for age in weights
        ]
        parts = tuple(cell for group in groups for cell in group)
        whole = bool(groups) and all(len(group) == 1 for group in groups)
        if whole and _weighs(rate, weights, parts, values):
            rows = tuple(row for role in rate.rows.values() for row in role)
            reading.standardised.append(ReadStandardised(rows, parts, tuple(weights.values())))
        else:
            reading.n_unbacked += 1


def _weights(settings: ResultSettings) -> dict[tuple[int, int], int]:
    """The weight of each age group; none where the settings do not say them."""
    try:
        ages = [each.split("-") for each in settings.values["standard_ages"].split(" ")]
        weights = [int(each) for each in settings.values["standard_weights"].split(" ")]
        groups = {
            (int(youngest), int(oldest)): weight for (youngest, oldest), weight in zip(ages, weights, strict=True)
        }
    except (KeyError, ValueError):
        return {}
    return groups if len(groups) == len(ages) and min(weights) > 0 else {}


def _weighs(
    rate: ReadCell, weights: Mapping[tuple[int, int], int], parts: Sequence[ReadCell], values: list[str | None]
) -> bool:
    """Whether a standardised rate is the weighted mean of the rates of its cells, and its persons are theirs."""
    at_risk = BitMap.union(BitMap(), *(cell.cell.dense_denominator for cell in parts))
    cases = BitMap.union(BitMap(), *(cell.cell.dense_numerator for cell in parts))
    same = rate.cell.dense_denominator == at_risk and rate.cell.dense_numerator == cases
    shown = [_number(rate, values, role) for role in (Role.RATIO, Role.LOWER, Role.UPPER)]
    ratio, lower, upper = shown
    if not same or ratio is None or lower is None or upper is None or not all(cell.time for cell in parts):
        return False
    rates = [cell.numerator / (cell.time or 1) * _DAYS_PER_YEAR * 100_000 for cell in parts]
    mean = sum(map(mul, weights.values(), rates)) / sum(weights.values())
    rounding = _ROUNDING["incidence_100000_pys"]
    return abs(ratio - mean) <= rounding and lower - rounding <= ratio <= upper + rounding
