"""From a row of the CDM back to the pseudonymised rows that made it, by making it again; nothing is stored for it.

The person is built again, alone, by the same statements. Then come clones of the person, each a person of its own in
one more build: one without a table (a table whose absence changes the row is among its sources), one with a single row
of such a table (a row that makes the asked row by itself is one of its lines). Rules that change need no change here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import pyarrow as pa

from enclos.contracts.columns import TableContract
from enclos.contracts.omop import PERSON_TABLES, START_DATES, primary_keys
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.codes import Code
from enclos.lexicon.ids import MAX_PERSONS
from enclos.lexicon.refusals import refusal
from enclos.warehouse.model import DeliveredPeriod
from enclos.warehouse.plans import eras
from enclos.warehouse.ports import CrossingReader
from enclos.warehouse.steps.build import build_snapshot
from enclos.warehouse.steps.sources import Sources

_IN, _OUT = "explain_in_", "explain_out_"
_FRAME = frozenset({"ben", "h_patient", "omop_person"})
"""Tables that say who a person is: every row of the person needs them, few are made of them."""
_MADE_OF_FRAME = frozenset({"person", "death", "observation_period"})
_PLACES = frozenset({"care_site_id", "provider_id", "location_id"})
_UNUSED = frozenset({"concept_synonym", "relationship", "concept_class", "domain"})
"""Vocabulary tables that no rule reads."""
_STANDING_BY = MAX_PERSONS - 1
"""The number of a clone that nobody asks about."""
_MOST_ALIKE = 24
"""Lines that could stand for the same row before they are no longer told apart."""
_MOST_ROWS = 2_000_000
"""Rows of clones in one build."""

Row = Mapping[str, Any]
Origin = tuple[str, int]
"""A pseudonymised table and the position of a row in it."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The row as it was made again, and the pseudonymised rows that made it; of an era, its records."""

    row: Row
    origins: tuple[Origin, ...]
    records: tuple[tuple[str, int], ...] = ()


class _Overlay:
    """The crossing with the rows of clones in place of everybody's."""

    def __init__(self, engine: SqlEngine, crossing: CrossingReader, tables: Mapping[str, pa.Table]) -> None:
        self._crossing = crossing
        self._tables = frozenset(tables)
        for name, rows in tables.items():
            engine.register(f"{_IN}{name}", rows)

    def tables(self) -> Collection[str]:
        shared = (name for name in self._crossing.tables() if not _of_persons(name) and name not in _UNUSED)
        return sorted({*shared, *self._tables})

    def relation(self, table: str, buckets: Sequence[int] | None) -> str | None:
        if table in self._tables:
            return f"{_IN}{table}"
        return None if _of_persons(table) else self._crossing.relation(table, buckets)

    def stamp(self, table: str, buckets: Sequence[int] | None) -> str:  # noqa: ARG002 - nothing is kept from before
        return table

    def n_rows(self) -> int:
        return 0


class _Scratch:
    """A lake of temporary tables."""

    def __init__(self, engine: SqlEngine) -> None:
        self._engine = engine

    def facts(self) -> Mapping[str, Any] | None:
        return None

    def name(self, table: str) -> str:
        return f'temp."{_OUT}{table}"'

    def begin(self) -> None:
        """Nothing waits here."""

    def create(self, table: TableContract, *, by_bucket: bool) -> str:
        leading = '"bucket" INTEGER, ' if by_bucket else ""
        columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table)
        self._engine.execute(f'CREATE OR REPLACE TEMP TABLE "{_OUT}{table.name}" ({leading}{columns})')
        return self.name(table.name)

    def commit(self, facts: Mapping[str, Any]) -> int:  # noqa: ARG002 - the port's word
        return 0

    def abandon(self) -> None:
        """What was made goes with the engine."""


def _of_persons(table: str) -> bool:
    return table in PSEUDONYMISED and "bucket" in PSEUDONYMISED[table].names


class Explainer:
    """Explains rows of one person."""

    def __init__(
        self,
        engine: SqlEngine,
        crossing: CrossingReader,
        person_id: int,
        tables: Mapping[str, pa.Table],
        periods: Sequence[DeliveredPeriod],
        duration: str,
    ) -> None:
        """In: tables — what crossed of the person, by pseudonymised table; duration — the snapshot's rule."""
        self._engine = engine
        self._crossing = crossing
        self._person_id = person_id
        self._tables = tables
        self._periods = periods
        self._duration = duration

    def explain(self, table: str, stored: Row) -> Explained:
        """The pseudonymised rows from which a stored row was made.

        Refuses: EXPLAIN_CHANGED when the row is not made again as it is stored.
        """
        self._build([(self._person_id, self._tables)])
        key = key_of(table)
        found = self._rows(table, self._person_id)
        made = next(
            (row for row in found if row[key] == stored[key] and _says(table, row) == _says(table, stored)), None
        )
        if made is None:
            raise refusal(
                Code.EXPLAIN_CHANGED,
                "What landed no longer makes this row as the snapshot has it.",
                "Build again, then ask for the row's new number.",
            )
        records = self._records(table, made)
        if records and not self._needed(table, [made], [f"omop_{table}"]):
            found_in = eras.ERA_TABLES[table]
            of_era = [row for row in self._rows(found_in, self._person_id) if row[key_of(found_in)] in records]
            origins = {origin for row in of_era for origin in self._origins(found_in, row)}
            return Explained(made, tuple(sorted(origins)), tuple((found_in, each) for each in sorted(records)))
        return Explained(made, tuple(sorted(self._origins(table, made))))

    # -- one row

    def _origins(self, table: str, row: Row) -> set[Origin]:
        self._build([(self._person_id, self._tables)])
        alike = [each for each in self._rows(table, self._person_id) if _is(table, each) == _is(table, row)]
        usual = [name for name in self._tables if name not in _FRAME or table in _MADE_OF_FRAME]
        needed = self._needed(table, alike, usual)
        if table == "death" and not _FRAME.issuperset(needed):
            needed = [name for name in needed if name not in _FRAME]  # somebody else's word; these only know the person
        origins: set[Origin] = set()
        for name in needed:
            lines = self._alone(table, row, name)
            if len(alike) > 1 and 1 < len(lines) <= _MOST_ALIKE:
                lines = self._of_this(table, row, alike, name, lines)
            origins |= {(name, line) for line in lines}
        return origins

    def _needed(self, table: str, alike: Sequence[Row], names: Iterable[str]) -> list[str]:
        """Tables without which the rows are not what they are."""
        asked = [name for name in names if name in self._tables]
        if not asked:
            return []
        clones = [
            (number, {t: r for t, r in self._tables.items() if t != name}) for number, name in enumerate(asked, 1)
        ]
        self._build(clones)
        wanted = sorted(map(repr, (_says(table, row) for row in alike)))
        needed = []
        for number, name in enumerate(asked, 1):
            rows = [row for row in self._rows(table, number) if _is(table, row) == _is(table, alike[0])]
            if sorted(map(repr, (_says(table, row) for row in rows))) != wanted:
                needed.append(name)
        return needed

    def _alone(self, table: str, row: Row, name: str) -> list[int]:
        """Rows of a pseudonymised table that make the row when they are all there is of it."""
        others = {t: r for t, r in self._tables.items() if t != name}
        size = 1 + sum(rows.num_rows for rows in others.values())
        n_rows, at_once = self._tables[name].num_rows, max(1, _MOST_ROWS // size)
        found: list[int] = []
        for first in range(0, n_rows, at_once):
            chosen = range(first, min(n_rows, first + at_once))
            clones = [(1 + line - first, {**others, name: self._tables[name].slice(line, 1)}) for line in chosen]
            self._build(clones)
            found += [
                line
                for line in chosen
                if any(_is(table, each) == _is(table, row) for each in self._rows(table, 1 + line - first))
            ]
        return found

    def _of_this(self, table: str, row: Row, alike: Sequence[Row], name: str, lines: Sequence[int]) -> list[int]:
        """Of lines that stand for several rows alike, those of this one.

        Two lines that make one row together belong together; what a group makes by itself tells its row. Groups that
        make the same are interchangeable, like the rows: they are taken in the order of their lines.
        """
        pairs = list(combinations(lines, 2))
        counts = self._with_only(table, row, name, pairs)
        groups: list[set[int]] = [{line} for line in lines]
        for (one, other), rows in zip(pairs, counts, strict=True):
            if len(rows) == 1:
                mine = next(group for group in groups if one in group)
                theirs = next(group for group in groups if other in group)
                if mine is not theirs:
                    mine |= theirs
                    groups.remove(theirs)
        made = self._with_only(table, row, name, [sorted(group) for group in groups])
        same = [
            sorted(group) for group, rows in zip(groups, made, strict=True) if _says(table, row) in _all(table, rows)
        ]
        twins = sorted(each[key_of(table)] for each in alike if _says(table, each) == _says(table, row))
        place = twins.index(row[key_of(table)])
        return sorted(same, key=min)[place] if len(same) == len(twins) else sorted({n for group in same for n in group})

    def _with_only(self, table: str, row: Row, name: str, chosen: Sequence[Sequence[int]]) -> list[list[Row]]:
        others = {t: r for t, r in self._tables.items() if t != name}
        clones = [(n, {**others, name: self._tables[name].take(list(lines))}) for n, lines in enumerate(chosen, 1)]
        self._build(clones)
        return [
            [each for each in self._rows(table, n) if _is(table, each) == _is(table, row)]
            for n in range(1, len(clones) + 1)
        ]

    def _records(self, table: str, era: Row) -> set[int]:
        """The records of an era that was made of them."""
        if table not in eras.ERA_TABLES:
            return set()
        at = Sources(self._engine, self._crossing, None)
        ingredients = eras.ingredients_sql(at["concept"], at["concept_ancestor"], at["drug_strength"])
        self._engine.execute(f"CREATE OR REPLACE TEMP TABLE stage_ingredients AS {ingredients}")
        records = eras.records_sql(table, f'temp."{_OUT}{eras.ERA_TABLES[table]}"')
        try:
            concept = era["drug_concept_id" if table == "drug_era" else "condition_concept_id"]
            return {
                int(found[0])
                for found in self._engine.rows(
                    f"SELECT id FROM ({records}) WHERE person_id = ? AND concept_id = ? AND start_on BETWEEN ? AND ?",
                    [self._person_id, concept, era[f"{table}_start_date"], era[f"{table}_end_date"]],
                )
            }
        finally:
            self._engine.execute("DROP TABLE stage_ingredients")

    # -- building

    def _build(self, clones: Sequence[tuple[int, Mapping[str, pa.Table]]]) -> None:
        """Build the clones, each under its number."""
        whole = [*clones, (_STANDING_BY, self._tables)]  # a build needs somebody, and a clone may be nobody
        tables: dict[str, pa.Table] = {}
        for name in self._tables:
            parts = [_owned(rows[name], number) for number, rows in whole if name in rows]
            if parts:
                tables[name] = pa.concat_tables(parts)
        build_snapshot(
            self._engine,
            _Overlay(self._engine, self._crossing, tables),
            _Scratch(self._engine),
            1,
            periods=self._periods,
            released_on=date(2000, 1, 1),
            duration=self._duration,
            full=True,
        )

    def _rows(self, table: str, person_id: int) -> list[Row]:
        found = self._engine.query(f'SELECT * FROM temp."{_OUT}{table}" WHERE person_id = {person_id}')
        rows: list[Row] = found.to_pylist()
        return rows


def _owned(rows: pa.Table, person_id: int) -> pa.Table:
    place = rows.schema.get_field_index("person_id")
    return rows.set_column(place, rows.schema.field(place), pa.array([person_id] * rows.num_rows, pa.int64()))


def key_of(table: str) -> str:
    """The column that numbers the rows of a table."""
    return "person_id" if table == "death" else primary_keys()[table]


def _says(table: str, row: Row) -> tuple[Any, ...]:
    """All that a row says, without numbers of rows and places."""
    return tuple(value for name, value in sorted(row.items()) if not _is_number(table, name))


def _is(table: str, row: Row) -> tuple[Any, ...]:
    """What a row is, whatever number of lines add up to it."""
    if table in _MADE_OF_FRAME:
        return _says(table, row)
    return tuple(
        value
        for name, value in sorted(row.items())
        if not _is_number(table, name)
        and name not in ("quantity", "days_supply")
        and not ("end" in name and "date" in name and name != START_DATES.get(table))
    )


def _all(table: str, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return [_says(table, row) for row in rows]


def _is_number(table: str, name: str) -> bool:
    links = ("visit_occurrence_id", "visit_detail_id")
    return name in ("bucket", "person_id", key_of(table), *_PLACES) or name.endswith(links)


EXPLAINED_TABLES: tuple[str, ...] = tuple(name for name in PERSON_TABLES if name in primary_keys() or name == "death")
"""The tables whose rows can be explained."""
