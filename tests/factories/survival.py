"""What a survival result says, as numbers by target, outcome, stratum and day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from enclos.contracts.result import Cell, StudyResult

Where: TypeAlias = tuple[str, str, str, str]
"""Target, what the estimate is about, strata name and level."""


def said(result: StudyResult, kind: str) -> dict[Where, dict[int, dict[str, float | None]]]:
    """By place and day (0 where there is none): each estimate by name."""
    found: dict[Where, dict[int, dict[str, float | None]]] = {}
    for row in result.of_type(f"survival_{kind}").to_pylist():
        where = (row["group_level"], row["variable_level"], row["strata_name"], row["strata_level"])
        day = 0 if row["additional_name"] == "overall" else int(row["additional_level"])
        value = row["estimate_value"]
        found.setdefault(where, {}).setdefault(day, {})[row["estimate_name"]] = None if value is None else float(value)
    return found


def left(result: StudyResult) -> dict[tuple[str, str], list[tuple[str, int, int]]]:
    """By target and outcome: each reason with the entries and persons it leaves."""
    counts: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
    for row in result.of_type("survival_attrition").to_pylist():
        reasons = counts.setdefault((row["group_level"], row["variable_level"]), {})
        reasons.setdefault(row["strata_level"], {})[row["variable_name"]] = int(row["estimate_value"])
    return {
        key: [(reason, each["number_records"], each["number_subjects"]) for reason, each in reasons.items()]
        for key, reasons in counts.items()
    }


def cells(result: StudyResult, kind: str) -> Mapping[tuple[Where, str], Cell]:
    """By place and additional level: who is behind the estimates."""
    ids = {each.result_id for each in result.settings if each.result_type == f"survival_{kind}"}
    return {
        ((cell.group_level, cell.variable_level, cell.strata_name, cell.strata_level), cell.additional_level): cell
        for cell in result.cells
        if cell.result_id in ids
    }
