"""What two snapshots are compared by: rows of each table, and rows of each frequent concept."""

from __future__ import annotations

from enclos.warehouse.quality.model import TableSpec
from enclos.warehouse.quality.plans.rows import Shapes
from enclos.warehouse.quality.plans.scan import quoted

LEAST_SHARE = 0.01
"""Concepts rarer than this in their table are not followed: their shares say little and could tell of few persons."""


def plan_profile(table: TableSpec, shapes: Shapes) -> str | None:
    """Count the rows of a table, whole and by its main concept.

    Out: concept_id (NULL for the whole table), n_rows; concepts of at least 1 % of the rows.
    """
    shape = shapes.get(table.name)
    if shape is None:
        return None
    whole = f"SELECT NULL::BIGINT AS concept_id, count(*) AS n_rows FROM {shape.relation}"
    stem = table.name.removesuffix("_occurrence").removesuffix("_exposure").removesuffix("_era")
    main = f"{stem}_concept_id"
    if table.field(main) is None or not shape.has(main):
        return whole
    column = quoted(main)
    counted = f"SELECT {column} AS concept_id, count(*) AS n_rows FROM {shape.relation} GROUP BY {column}"
    return (
        f"{whole} UNION ALL SELECT concept_id, n_rows FROM ({counted})"
        f" WHERE concept_id IS NOT NULL AND n_rows >= {LEAST_SHARE} * (SELECT count(*) FROM {shape.relation})"
    )
