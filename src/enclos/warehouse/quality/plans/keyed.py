"""The scans that hold keys of persons or rows in memory, and by which columns they may be cut into parts.

Their counts add up: rows that share a key, and nothing else, are counted together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from enclos.warehouse.quality.model import FieldSpec, TableSpec
from enclos.warehouse.quality.plans.keys import plan_eras, plan_overlap, plan_persons_with_rows, plan_unique
from enclos.warehouse.quality.plans.parts import KeyColumn, Keys
from enclos.warehouse.quality.plans.rows import Shapes, plan_deaths, plan_persons, plan_reference, plan_visits
from enclos.warehouse.quality.plans.scan import Scan

_NAMING = "naming"
"""The name of the shape whose rows name rows of a table, which may be its own."""


@dataclass(frozen=True, slots=True)
class KeyedScan:
    """A scan that holds keys.

    plan — the scan over some shapes; columns — the column of keys of each shape that is cut into parts, by the name
    that the plan finds the shape under; n_keys — how many keys the scan holds when it is not.
    """

    plan: Callable[[Shapes], Scan | None]
    columns: Mapping[str, KeyColumn]
    n_keys: int


def references_apart(
    table: TableSpec, shapes: Shapes, n_rows: Mapping[str, int], keys_per_part: int
) -> dict[str, KeyedScan]:
    """The fields that name rows of a table with more keys than a part should have, each with a scan of its own."""
    return {
        field.name: _reference(field, n_rows[field.foreign_table])
        for field in table.fields
        if not field.is_concept
        and n_rows.get(field.foreign_table, 0) > keys_per_part
        and shapes[table.name].has(field.name)
        and shapes[field.foreign_table].has(field.foreign_field)
    }


def _reference(field: FieldSpec, n_keys: int) -> KeyedScan:
    keys = Keys.OF_PERSONS if field.foreign_field == "person_id" else Keys.OF_ROWS
    columns = {
        _NAMING: KeyColumn(field.table, field.name, keys),
        field.foreign_table: KeyColumn(field.foreign_table, field.foreign_field, keys),
    }
    return KeyedScan(
        lambda shapes: plan_reference(field, shapes[_NAMING], shapes[field.foreign_table]), columns, n_keys
    )


def keyed_scans(table: TableSpec, shapes: Shapes, n_rows: Mapping[str, int]) -> Iterator[KeyedScan]:
    """All others of a table.

    In: n_rows — of every table that is there.
    """
    yield _of_persons(partial(plan_persons, table), (table.name, "person"), shapes, n_rows.get("person", 0))
    yield _of_persons(partial(plan_deaths, table), (table.name, "death"), shapes, n_rows.get("death", 0))
    yield _of_persons(partial(plan_overlap, table), (table.name,), shapes, n_rows[table.name])
    visit = "visit_occurrence_id"
    yield _cut(
        partial(plan_visits, table),
        [KeyColumn(name, visit, Keys.OF_ROWS) for name in (table.name, "visit_occurrence")],
        shapes,
        n_rows.get("visit_occurrence", 0),
    )
    key = next((field.name for field in table.fields if field.primary_key and shapes[table.name].has(field.name)), None)
    if key is not None:
        keys = Keys.OF_PERSONS if key == "person_id" else Keys.OF_ROWS
        yield _cut(partial(plan_unique, table), [KeyColumn(table.name, key, keys)], shapes, n_rows[table.name])


def eras_scan(table: TableSpec, shapes: Shapes, n_rows: Mapping[str, int]) -> KeyedScan:
    """Persons with conditions and without eras."""
    n_persons = 2 * n_rows.get("person", 0)
    return _of_persons(partial(plan_eras, table), (table.name, "condition_occurrence"), shapes, n_persons)


def persons_scan(tables: tuple[TableSpec, ...], shapes: Shapes, n_rows: Mapping[str, int]) -> KeyedScan:
    """Persons without rows in each table: of every table the persons that it knows are held."""
    asked = [table.name for table in tables if table.persons_threshold is not None and table.name in shapes]
    n_keys = n_rows.get("person", 0) * len(asked)
    return _of_persons(partial(plan_persons_with_rows, tables), ("person", *asked), shapes, n_keys)


def _of_persons(
    plan: Callable[[Shapes], Scan | None], tables: tuple[str, ...], shapes: Shapes, n_keys: int
) -> KeyedScan:
    return _cut(plan, [KeyColumn(name, "person_id", Keys.OF_PERSONS) for name in tables], shapes, n_keys)


def _cut(plan: Callable[[Shapes], Scan | None], columns: list[KeyColumn], shapes: Shapes, n_keys: int) -> KeyedScan:
    there = {key.table: key for key in columns if key.table in shapes and shapes[key.table].has(key.column)}
    return KeyedScan(plan, there, n_keys)
