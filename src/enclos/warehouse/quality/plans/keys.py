"""Scans over keys: uniqueness, persons without rows, eras, overlapping periods, values that nothing maps.

Source: OHDSI DataQualityDashboard 2.x, check type definitions.
"""

from __future__ import annotations

from enclos.warehouse.quality.model import CheckKey, CheckName, TableSpec
from enclos.warehouse.quality.plans.rows import Shapes
from enclos.warehouse.quality.plans.scan import Part, Scan, ScanWriter, quoted


def plan_unique(table: TableSpec, shapes: Shapes) -> Scan | None:
    """Count rows that share their primary key with another row."""
    shape = shapes[table.name]
    key = next((field.name for field in table.fields if field.primary_key and shape.has(field.name)), None)
    if key is None:
        return None
    column, check = quoted(key), CheckKey(CheckName.UNIQUE, table.name, key)
    shared = f"SELECT count(*) AS n FROM {shape.relation} WHERE {column} IS NOT NULL GROUP BY {column}"
    return Scan(
        f"SELECT coalesce((SELECT sum(n) FROM ({shared}) WHERE n > 1), 0), count(*) FROM {shape.relation}",
        ((check, Part.VIOLATED, 0), (check, Part.DENOMINATOR, 1)),
    )


def plan_mapped_values(table: TableSpec, shapes: Shapes) -> Scan | None:
    """Count distinct source values, and those that some row maps to concept 0; no value counts as a value."""
    shape = shapes[table.name]
    parts: list[str] = []
    cells: list[tuple[CheckKey, Part, int]] = []
    for field in table.fields:
        if field.values_mapped_threshold is None or not shape.has(field.name, field.values_mapped_by):
            continue
        key, number = CheckKey(CheckName.VALUES_MAPPED, table.name, field.name), len(parts)
        values = (
            f"SELECT coalesce(bool_or({quoted(field.values_mapped_by)} = 0), false) AS unmapped"
            f" FROM {shape.relation} GROUP BY {quoted(field.name)}"
        )
        counts = f"count(*) FILTER (WHERE unmapped) AS v{number}, count(*) AS d{number}"
        parts.append(f"(SELECT {counts} FROM ({values})) AS s{number}")
        cells += [(key, Part.VIOLATED, 2 * number), (key, Part.DENOMINATOR, 2 * number + 1)]
    return Scan(f"SELECT * FROM {' CROSS JOIN '.join(parts)}", tuple(cells)) if parts else None


def plan_persons_with_rows(tables: tuple[TableSpec, ...], shapes: Shapes) -> Scan | None:
    """Count, in one scan of person, the persons without a row in each table."""
    person = shapes.get("person")
    if person is None or not person.has("person_id"):
        return None
    writer = ScanWriter()
    marks: list[str] = []
    for table in tables:
        shape = shapes.get(table.name)
        if table.persons_threshold is None or shape is None or not shape.has("person_id"):
            continue
        known = f"SELECT DISTINCT person_id FROM {shape.relation} WHERE person_id IS NOT NULL"
        writer.add(
            CheckKey(CheckName.PERSONS_HAVE_ROWS, table.name),
            violated=f"person_id IS NULL OR _mark{len(marks)}",
            denominator="",
        )
        marks.append(f"person_id NOT IN ({known}) AS _mark{len(marks)}")
    return writer.scan(f"(SELECT person_id, {', '.join(marks)} FROM {person.relation})") if marks else None


def plan_eras(table: TableSpec, shapes: Shapes) -> Scan | None:
    """Count persons with conditions, and those of them without an era."""
    shape, conditions = shapes[table.name], shapes.get("condition_occurrence")
    if table.eras_threshold is None or conditions is None:
        return None
    if not (shape.has("person_id") and conditions.has("person_id")):
        return None
    writer = ScanWriter()
    known = f"SELECT DISTINCT person_id FROM {shape.relation} WHERE person_id IS NOT NULL"
    writer.add(CheckKey(CheckName.ERAS_BUILT, table.name), violated="without", denominator="")
    persons = f"SELECT DISTINCT person_id FROM {conditions.relation} WHERE person_id IS NOT NULL"
    return writer.scan(f"(SELECT person_id NOT IN ({known}) AS without FROM ({persons}))")


def plan_overlap(table: TableSpec, shapes: Shapes) -> Scan | None:
    """Count persons, and those with two observation periods that overlap or touch."""
    shape = shapes[table.name]
    columns = (
        "person_id",
        "observation_period_id",
        "observation_period_start_date",
        "observation_period_end_date",
    )
    if table.overlap_threshold is None or not shape.has(*columns):
        return None
    check = CheckKey(CheckName.PERIODS_APART, table.name)
    periods = (
        "SELECT person_id, observation_period_id AS id, CAST(observation_period_start_date AS DATE) AS first_on,"
        f" CAST(observation_period_end_date AS DATE) AS last_on FROM {shape.relation}"
    )
    return Scan(
        f"WITH periods AS ({periods}) SELECT"
        " (SELECT count(DISTINCT a.person_id) FROM periods AS a JOIN periods AS b"
        " ON a.person_id = b.person_id AND a.id <> b.id"
        " WHERE (a.first_on <= b.last_on AND a.last_on >= b.first_on)"
        " OR a.last_on + 1 = b.first_on OR b.last_on + 1 = a.first_on),"
        " (SELECT count(DISTINCT person_id) FROM periods)",
        ((check, Part.VIOLATED, 0), (check, Part.DENOMINATOR, 1)),
    )
