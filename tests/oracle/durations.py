"""Slow and plain: how long a box lasts, read from docs/warehouse.md, pack by pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
MILLIGRAMS = {"g": 1000.0, "mg": 1.0, "ug": 0.001, "mcg": 0.001}
UNITS = {"[IU]": 1.0, "[U]": 1.0, "U": 1.0, "TU": 1000.0, "MU": 1e6}


def measured(amount: float, unit: str) -> tuple[str, float] | None:
    """An amount in the unit of its kind."""
    if unit in MILLIGRAMS:
        return "mass", amount * MILLIGRAMS[unit]
    if unit in UNITS:
        return "units", amount * UNITS[unit]
    return None


def strength(rows: Sequence[Row]) -> tuple[str, float] | None:
    """The one strength that some rows of DRUG_STRENGTH tell, if they tell one."""
    if len({row["ingredient"] for row in rows}) != 1:
        return None
    found = {measured(row["amount"], row["unit"]) if row["amount"] else None for row in rows}
    return found.pop() if len(found) == 1 else None


def daily_dose(doses: Sequence[Row], atc: str, kind: str) -> float | None:
    """The defined daily dose of a code: the oral one, else the only one."""
    told = [
        (row["route"], measured(row["value"], row["unit"]))
        for row in doses
        if row["atc"] == atc and row["value"] and measured(row["value"], row["unit"])
    ]
    amounts = [(route, found[1]) for route, found in told if found and found[0] == kind]
    oral = {amount for route, amount in amounts if route == "O"}
    if len(oral) == 1:
        return oral.pop()
    every = {amount for _, amount in amounts}
    return every.pop() if len(every) == 1 else None


def days_of_a_box(pack: Row, doses: Sequence[Row], rule: str) -> tuple[str, float]:
    """The rule that gives the days, and the days.

    In: pack — units (or None), own and standard (rows of strength), atcs
    """
    size, days = pack["units"], {28: 28.0, 30: 30.0, 84: 84.0, 90: 90.0}
    if rule == "ddd" and size:
        told = strength(pack["own"]) or strength(pack["standard"])
        if told:
            found = {daily_dose(doses, atc, told[0]) for atc in pack["atcs"]} - {None}
            if len(found) == 1:
                return "ddd-1", size * told[1] / float(str(found.pop()))
    if rule in ("ddd", "pack-size") and size in days:
        return "pack-size-1", days[size]
    return "one-box-30-1", 30.0
