"""Descriptions of groups read as what they are: estimates of known form, each beside the persons behind it."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from pyroaring import BitMap

from enclos.contracts.result import OVERALL, RESULT_COLUMNS, Cell, EstimateType, ResultSettings, StudyResult
from enclos.contracts.tables import TABLES
from enclos.lexicon.labels import is_label, is_setting
from enclos.release.rules import chains, counted, designs
from enclos.release.rules.designs import ATTRITION, DESIGNS
from enclos.release.rules.policy import Policy
from enclos.release.rules.several import is_part, rests_on_several

GROUPS = frozenset(
    {
        "summarise_characteristics",
        "summarise_large_scale_characteristics",
        "summarise_cohort_overlap",
        "summarise_cohort_timing",
        "summarise_standardised_differences",
        "summarise_drug_utilisation",
        "summarise_adherence",
        "summarise_indication",
        "summarise_treatment",
        "summarise_dose_coverage",
        "summarise_drug_restart",
        "summarise_proportion_of_patients_covered",
        "summarise_trend",
        "code_use",
        "cohort_code_use",
        "orphan_code_use",
        "treatment_pathways",
        "survival_summary",
    }
    | DESIGNS
    | TABLES
)
"""Result types that describe groups, designs around cases (``designs``) and counted tables (``counted``) among them."""

_LABELS = tuple(name for name in RESULT_COLUMNS if name not in {"result_id", "estimate_value"})
_WHOLE, _MOST = 100, 1e9
"""No share is larger than the first, no mean or quantile of a person's values as large as the second."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REPEATS = frozenset({"count", "record_count", "stay_count"}) | designs.REPEATED
"""Counts of records: beside their persons they tell how many have more than one."""
TOLD, SHARE, REST = "told", "share", "rest"
MEAN, DEVIATION, RANK = "mean", "deviation", "rank"

_INGREDIENT = "ingredient_concept_id"
"""The setting that is a concept's number; a run refuses one that its vocabulary does not have."""
_WAY, _FIRST = "comparison", "primary"
"""The setting that names the way of asking, and the name of what a study asks first."""


@cache
def supports() -> Mapping[str, str]:
    """What each estimate needs: its persons told, a share, the rest, or times the minimum; others never leave."""
    text = resources.files("enclos.release").joinpath("groups.csv").read_text(encoding="utf-8")
    return {row["estimate_name"]: row["support"] for row in csv.DictReader(text.splitlines())}


@cache
def values_of() -> Mapping[str, str]:
    """What of its values each estimate is: a mean, a deviation, a rank, or nothing of any."""
    text = resources.files("enclos.release").joinpath("groups.csv").read_text(encoding="utf-8")
    return {row["estimate_name"]: row["values"] for row in csv.DictReader(text.splitlines())}


@dataclass(slots=True)
class Group:
    """One cell with the lines that rest on it."""

    cell: Cell
    result_type: str
    is_asked_first: bool = True
    """Whether it is of the primary way of asking, where the same is asked in several."""
    rows: list[tuple[int, str]] = field(default_factory=list)
    is_primary: bool = False
    is_hidden: bool = False

    @property
    def having(self) -> BitMap:
        return self.cell.dense_numerator

    @property
    def among(self) -> BitMap:
        return self.cell.dense_denominator

    def counted(self, estimate: str) -> BitMap:
        """The persons whose number an estimate is, or whose records or entries it counts."""
        return self.among if estimate.startswith(("denominator", "number_records")) else self.having

    @property
    def others(self) -> BitMap:
        """Those of the group who are not counted, whom its two numbers tell; nobody of attrition, which has one."""
        return BitMap() if self.result_type.endswith(ATTRITION) else self.among - self.having

    @property
    def sets(self) -> tuple[BitMap, ...]:
        """The sets of persons that are told where this is shown; a step of attrition tells only whom it leaves."""
        told = (self.having,) if self.result_type.endswith(ATTRITION) else (self.having, self.among)
        return tuple(each for each in told if each)


def read_groups(result: StudyResult, min_count: int, rules: Policy) -> tuple[list[Group], set[int], int]:
    """The groups of a result with their lines; lines without persons behind them; how many are of no known form."""
    settings = {each.result_id: each for each in result.settings if each.result_type in GROUPS}
    types = {result_id: each.result_type for result_id, each in settings.items()}
    groups = {
        cell.key: Group(cell, types[cell.result_id], settings[cell.result_id].values.get(_WAY, _FIRST) == _FIRST)
        for cell in sorted(result.cells, key=lambda cell: cell.key)
        if cell.result_id in types and not (is_part(cell) or chains.follows(types[cell.result_id], cell.variable_name))
    }
    unbacked: set[int] = set()
    n_untyped = sum(
        not may_set(name, value, rules)
        for each in result.settings
        if each.result_id in types
        for name, value in each.values.items()
    )
    seen: set[tuple[str, ...]] = set()
    columns = [result.table[name].to_pylist() for name in RESULT_COLUMNS]
    for row, values in enumerate(zip(*columns, strict=True)):
        line = dict(zip(RESULT_COLUMNS, values, strict=True))
        if line["result_id"] not in types:
            continue
        value = line["estimate_value"]
        form = _DAY if line["estimate_type"] == EstimateType.DATE.value else rules.values
        if rests_on_several(types[line["result_id"]], line["estimate_name"]):
            continue  # ``several`` judges it
        is_word = types[line["result_id"]] in DESIGNS and value in designs.WORDS
        is_value = value is None or form.fullmatch(value) or is_word
        if not (is_value and _may_labels(line, settings[line["result_id"]])):
            n_untyped += 1
            continue
        if chains.follows(types[line["result_id"]], line["variable_name"]):
            continue  # what other lines tell; ``chains.untold`` looks it up
        group = _group_of(line, groups, types[line["result_id"]])
        place = tuple(line[name] for name in RESULT_COLUMNS if name not in {"estimate_type", "estimate_value"})
        if group is None or not group.cell.dense_numerator.issubset(group.cell.dense_denominator):
            unbacked.add(row)
        elif place in seen or not _agrees(line, group):
            n_untyped += 1
        elif _tells_repeats(line, group, min_count):
            unbacked.add(row)
        else:
            group.rows.append((row, line["estimate_name"]))
        seen.add(place)
    return list(groups.values()), unbacked, n_untyped


def _may_labels(line: Mapping[str, str], settings: ResultSettings) -> bool:
    if settings.result_type in TABLES:
        return counted.fits(line, settings)
    return all(may_label(name, line[name] or "") for name in _LABELS)


def _agrees(line: Mapping[str, str], group: Group) -> bool:
    """Whether a count or a share can be that of the persons behind it; records and entries are as many or more."""
    name, value = line["estimate_name"], line["estimate_value"]
    if group.result_type in DESIGNS:
        return designs.agrees(group.result_type, line["variable_name"], name, value, group.cell)
    if group.result_type in TABLES:
        return counted.agrees(name, value, group.cell)
    return _is_its_own(line, group)


def _is_its_own(line: Mapping[str, str], group: Group) -> bool:
    name, value = line["estimate_name"], line["estimate_value"]
    support = supports().get(name, "")
    if value is not None and support.isdigit() and line["estimate_type"] != EstimateType.DATE.value:
        return abs(float(value)) < _MOST
    if value is None or support not in {TOLD, SHARE}:
        return True
    if support == SHARE:
        return 0 <= float(value) <= _WHOLE
    persons = group.counted(name)
    if not value.isdigit() or (int(value) > 0) != bool(persons):
        return False
    counts_persons = name == "person_count" or line["variable_name"].lower() == "number subjects"
    return int(value) == len(persons) if counts_persons else int(value) >= len(persons)


def _tells_repeats(line: Mapping[str, str], group: Group, k: int) -> bool:
    """Whether a count of records or entries, beside its persons, tells that a few have more than one."""
    name, value = line["estimate_name"], line["estimate_value"]
    return name in _REPEATS and value is not None and 0 < int(value) - len(group.having) < k


def may_set(name: str, value: str, rules: Policy) -> bool:
    """Whether a setting may leave: a name of known form, and plain text without an identity."""
    return bool(rules.settings_names.fullmatch(name)) and is_setting(value, is_concept=name == _INGREDIENT)


def may_label(column: str, label: str) -> bool:
    """Whether a label may leave: plain text, and with no long number in it but windows of time."""
    return is_label(label, is_window=column.startswith("additional"))


def _group_of(
    line: Mapping[str, str], groups: Mapping[tuple[int, str, str, str, str, str, str], Group], result_type: str
) -> Group | None:
    """The cell of a line: of its variable, or of all variables that rest on the same persons."""
    head = (int(line["result_id"]), line["group_level"], line["strata_name"], line["strata_level"])
    variable = designs.backing(result_type, line["estimate_name"], line["variable_name"])
    added = OVERALL if line["additional_name"] == designs.PROFILE else line["additional_level"]
    own = (*head, variable, line["variable_level"] or "", added)
    return groups.get(own) or groups.get((*head, "", "", line["additional_level"]))
