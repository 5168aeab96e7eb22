"""Drug durations: the table of daily doses that may be delivered, and the days that each rule gives to a pack."""

from __future__ import annotations

from types import MappingProxyType

from enclos.contracts.columns import Column, TableContract

ATC_DDD = TableContract(
    "atc_ddd",
    (
        Column("atc_code", "VARCHAR", True),
        Column("ddd_value", "DOUBLE", True),
        Column("ddd_unit", "VARCHAR", True),
        Column("adm_route", "VARCHAR"),
    ),
)
"""Defined daily doses as a user delivers them with a vocabulary; WHO's list may not be shipped (docs/warehouse.md)."""

DRUG_DURATION = TableContract(
    "drug_duration",
    (
        Column("drug_source_concept_id", "BIGINT", True),
        Column("rule", "VARCHAR", True),
        Column("rule_id", "VARCHAR", True),
        Column("units", "BIGINT", True),
        Column("days_per_box", "DOUBLE", True),
    ),
)
"""One row per pack and rule: the rule that really gave the days (a fallback says so), the units in a box, the days of
a box. It holds no person."""

DURATION_RULE_IDS = MappingProxyType({"one-box-30": "one-box-30-1", "pack-size": "pack-size-1", "ddd": "ddd-1"})
"""The rules by name, with the versioned id that is stored."""

DAYS_OF_ANY_BOX = 30
"""Days of a box of which nothing better is known, under every rule."""


def days_of_boxes_sql(boxes: str, days_per_box: str) -> str:
    """Whole days that so many boxes last, at least one."""
    return f"CAST(greatest(1, round({boxes} * {days_per_box})) AS BIGINT)"
