"""Scans over the rows of one table: alone, and joined with persons, deaths and visits.

Joins multiply where the joined key is not unique, as they do in the peer's checks.

Source: OHDSI DataQualityDashboard 2.x, check type definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta

from enclos.warehouse.quality.model import CheckKey, CheckName, FieldSpec, TableShape, TableSpec
from enclos.warehouse.quality.plans.scan import WHOLE, Scan, ScanWriter, quoted

BIRTH = "person.birth_datetime"
_GRACE_DAYS = 60
_VISIT_MARGIN_DAYS = 7
_FRACTIONAL = ("FLOAT", "DOUBLE", "DECIMAL")

Shapes = Mapping[str, TableShape]


def _day(column: str, sql_type: str) -> str:
    cast = "CAST" if sql_type.startswith(("DATE", "TIMESTAMP")) else "TRY_CAST"
    return f"{cast}({column} AS DATE)"


def _not_whole(column: str, sql_type: str) -> str:
    if sql_type in WHOLE:
        return f"{column} < 0"
    if sql_type.startswith(_FRACTIONAL):
        return f"({column} < 0 OR {column} <> floor({column}))"
    return f"NOT regexp_full_match(CAST({column} AS VARCHAR), '[0-9]+')"


def _bound(field: FieldSpec, text: str, checked_on: date) -> str:
    if text == "tomorrow":
        return f"DATE '{checked_on + timedelta(days=1)}'"
    if text == "next year":
        return str(checked_on.year + 1)
    return f"DATE '{text}'" if field.kind in {"date", "datetime"} else text


def _comparable(field: FieldSpec, column: str, sql_type: str) -> str:
    if field.kind in {"date", "datetime"}:
        return _day(column, sql_type)
    return column if sql_type in WHOLE or sql_type.startswith(_FRACTIONAL) else f"TRY_CAST({column} AS DOUBLE)"


def plan_rows(
    table: TableSpec, shapes: Shapes, checked_on: date, *, apart: Collection[str] = frozenset()
) -> Scan | None:
    """Count, in one scan of a table, all that a row shows by itself or by membership of a key in another table.

    In: apart — fields whose references have scans of their own (``plan_reference``).
    """
    shape = shapes[table.name]
    writer = ScanWriter()
    marks: list[str] = []

    def mark(expression: str) -> str:
        if expression not in marks:
            marks.append(expression)
        return f"_mark{marks.index(expression)}"

    for field in table.fields:
        if shape.has(field.name):
            _plan_field(writer, field, shape, checked_on)
            if field.foreign_table and not field.is_concept and field.name not in apart:
                _plan_reference(writer, field, shapes, mark)
            _plan_membership(writer, field, shapes, mark)
    if not marks:
        return writer.scan(shape.relation)
    chosen = ", ".join(f"{expression} AS _mark{number}" for number, expression in enumerate(marks))
    return writer.scan(f"(SELECT *, {chosen} FROM {shape.relation})")


def _plan_field(writer: ScanWriter, field: FieldSpec, shape: TableShape, checked_on: date) -> None:
    def key(name: CheckName) -> CheckKey:
        return CheckKey(name, field.table, field.name)

    column, sql_type = quoted(field.name), shape.columns[field.name]
    if field.required:
        writer.add(key(CheckName.REQUIRED), violated=f"{column} IS NULL", denominator="")
    if field.filled_threshold is not None:
        writer.add(key(CheckName.FILLED), violated=f"{column} IS NULL", denominator="")
    if field.whole_number:
        writer.add(key(CheckName.WHOLE_NUMBER), violated=_not_whole(column, sql_type), denominator="")
    if field.standard_mapped_threshold is not None:
        writer.add(key(CheckName.STANDARD_MAPPED), violated=f"{column} = 0", denominator="")
    if field.source_mapped_threshold is not None:
        writer.add(key(CheckName.SOURCE_MAPPED), violated=f"{column} = 0", denominator="")
    _plan_bounds(writer, field, shape, checked_on)


def _plan_bounds(writer: ScanWriter, field: FieldSpec, shape: TableShape, checked_on: date) -> None:
    def key(name: CheckName) -> CheckKey:
        return CheckKey(name, field.table, field.name)

    column, sql_type = quoted(field.name), shape.columns[field.name]
    filled = f"{column} IS NOT NULL"
    value = _comparable(field, column, sql_type)
    if field.low:
        low = _bound(field, field.low, checked_on)
        writer.add(key(CheckName.LOW), violated=f"{value} < {low}", denominator=filled)
    if field.high:
        high = _bound(field, field.high, checked_on)
        writer.add(key(CheckName.HIGH), violated=f"{value} > {high}", denominator=filled)
    if field.after and field.after != BIRTH and shape.has(field.after):
        earlier = _day(quoted(field.after), shape.columns[field.after])
        writer.add(key(CheckName.AFTER), violated=f"{earlier} > {_day(column, sql_type)}", denominator="")
    if field.before_end and shape.has(field.before_end):
        end = quoted(field.before_end)
        later = _day(end, shape.columns[field.before_end])
        writer.add(
            key(CheckName.START_BEFORE_END),
            violated=f"{_day(column, sql_type)} > {later}",
            denominator=f"{filled} AND {end} IS NOT NULL",
        )


def _unknown(field: FieldSpec, target: TableShape) -> str:
    """That a row names a key which no row of the other table has, as SQL."""
    column, known = quoted(field.name), quoted(field.foreign_field)
    keys = f"SELECT {known} FROM {target.relation} WHERE {known} IS NOT NULL"
    return f"({column} IS NOT NULL AND {column} NOT IN ({keys}))"


def _plan_reference(writer: ScanWriter, field: FieldSpec, shapes: Shapes, mark: Callable[[str], str]) -> None:
    target = shapes.get(field.foreign_table)
    is_there = target is not None and target.has(field.foreign_field)
    absent = mark(_unknown(field, target)) if target and is_there else f"{quoted(field.name)} IS NOT NULL"
    writer.add(CheckKey(CheckName.REFERENCE, field.table, field.name), violated=absent, denominator="")


def plan_reference(field: FieldSpec, shape: TableShape, target: TableShape) -> Scan | None:
    """Count, in a scan of one column, the keys that no row of the other table has."""
    writer = ScanWriter()
    writer.add(CheckKey(CheckName.REFERENCE, field.table, field.name), violated="_mark0", denominator="")
    return writer.scan(f"(SELECT {_unknown(field, target)} AS _mark0 FROM {shape.relation})")


def _plan_membership(writer: ScanWriter, field: FieldSpec, shapes: Shapes, mark: Callable[[str], str]) -> None:
    def key(name: CheckName) -> CheckKey:
        return CheckKey(name, field.table, field.name)

    shape, filled = shapes[field.table], f"{quoted(field.name)} IS NOT NULL"
    if not shape.has("person_id"):
        return
    person, death = shapes.get("person"), shapes.get("death")
    if field.after_birth and person is not None:
        writer.add(key(CheckName.AFTER_BIRTH), denominator=filled)
    if field.after == BIRTH and person is not None:
        writer.add(key(CheckName.AFTER), denominator="")
    if field.during_life and death is not None and death.has("person_id", "death_date"):
        dead = mark(f"person_id IN (SELECT person_id FROM {death.relation} WHERE person_id IS NOT NULL)")
        writer.add(key(CheckName.DURING_LIFE), denominator=dead)


def _birth_columns(person: TableShape) -> tuple[str, str]:
    """The day of birth for events (1 January when unknown) and for order of dates (1 June when unknown)."""

    def part(name: str) -> str:
        return f"p.{quoted(name)}" if person.has(name) else "NULL"

    full = _day(part("birth_datetime"), person.columns.get("birth_datetime", ""))
    year, month, day = (
        f"CAST({part(name)} AS VARCHAR)" for name in ("year_of_birth", "month_of_birth", "day_of_birth")
    )
    dated = f"{year} || '-' || coalesce({month}, '1') || '-' || coalesce({day}, '1')"
    return (
        f"coalesce({full}, TRY_CAST({dated} AS DATE))",
        f"coalesce({full}, TRY_CAST({year} || '-06-01' AS DATE))",
    )


def plan_persons(table: TableSpec, shapes: Shapes) -> Scan | None:
    """Count, in one join of a table with its persons, dates before birth."""
    shape, person = shapes[table.name], shapes.get("person")
    if person is None or not (person.has("person_id") and shape.has("person_id")) or table.name == "person":
        return None
    born, surely_born = _birth_columns(person)
    writer = ScanWriter()
    for field in table.fields:
        if not shape.has(field.name):
            continue
        day = _day(f"t.{quoted(field.name)}", shape.columns[field.name])
        if field.after_birth:
            key = CheckKey(CheckName.AFTER_BIRTH, table.name, field.name)
            writer.add(key, violated=f"{day} < p.born")
        if field.after == BIRTH:
            key = CheckKey(CheckName.AFTER, table.name, field.name)
            writer.add(key, violated=f"p.surely_born > {day}")
    # days are made of texts once a person, not once a row
    persons = f"(SELECT person_id, {born} AS born, {surely_born} AS surely_born FROM {person.relation} AS p)"
    return writer.scan(f"{shape.relation} AS t JOIN {persons} AS p ON t.person_id = p.person_id")


def plan_deaths(table: TableSpec, shapes: Shapes) -> Scan | None:
    """Count, in one join of a table with deaths, dates more than 60 days after death."""
    shape, death = shapes[table.name], shapes.get("death")
    if death is None or not (death.has("person_id", "death_date") and shape.has("person_id")):
        return None
    died = _day("d.death_date", death.columns["death_date"])
    writer = ScanWriter()
    for field in table.fields:
        if not shape.has(field.name):
            continue
        column = f"t.{quoted(field.name)}"
        late = f"{_day(column, shape.columns[field.name])} > {died} + {_GRACE_DAYS}"
        if field.before_death:
            key = CheckKey(CheckName.BEFORE_DEATH, table.name, field.name)
            writer.add(key, violated=late, denominator=f"{column} IS NOT NULL")
        if field.during_life:
            writer.add(CheckKey(CheckName.DURING_LIFE, table.name, field.name), violated=late)
    return writer.scan(f"{shape.relation} AS t JOIN {death.relation} AS d ON t.person_id = d.person_id")


def plan_visits(table: TableSpec, shapes: Shapes) -> Scan | None:
    """Count, in one join of a table with its visits, dates more than a week outside the visit."""
    shape, visit = shapes[table.name], shapes.get("visit_occurrence")
    bounds = ("visit_occurrence_id", "visit_start_date", "visit_end_date")
    if visit is None or not visit.has(*bounds) or not shape.has("visit_occurrence_id"):
        return None
    start, end = (_day(f"v.{name}", visit.columns[name]) for name in bounds[1:])
    writer = ScanWriter()
    for field in table.fields:
        if field.within_visit_threshold is not None and shape.has(field.name):
            day = _day(f"t.{quoted(field.name)}", shape.columns[field.name])
            writer.add(
                CheckKey(CheckName.WITHIN_VISIT, table.name, field.name),
                violated=f"{day} < {start} - {_VISIT_MARGIN_DAYS} OR {day} > {end} + {_VISIT_MARGIN_DAYS}",
                denominator="",
            )
    return writer.scan(
        f"{shape.relation} AS t JOIN {visit.relation} AS v ON t.visit_occurrence_id = v.visit_occurrence_id"
    )
