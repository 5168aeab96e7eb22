"""From a row of the CDM back to the pseudonymised rows that made it, by making it again; nothing is stored for it.

The person is built again, alone, by the same statements. Then come clones of the person, each a person of its own in
one more build: one without a table (a table whose absence changes the row is among its sources), one with a single row
of such a table (a row that makes the asked row by itself is one of its lines). A cost adds up: its lines are those
without any one of which it is another. Rules that change need no change here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import pyarrow as pa

from enclos.contracts.omop import END_DATES, PERSON_TABLES, START_DATES, primary_keys
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.codes import Code
from enclos.lexicon.ids import MAX_PERSONS, ORDINAL_BITS
from enclos.lexicon.refusals import refusal
from enclos.warehouse.model import BuildReport, DeliveredPeriod, Verdicts, VocabularyStep
from enclos.warehouse.plans import eras
from enclos.warehouse.plans.durations import duration_rule
from enclos.warehouse.ports import CrossingReader
from enclos.warehouse.steps.build import MAPPING, build_snapshot
from enclos.warehouse.steps.kinds import traps_of_tables
from enclos.warehouse.steps.rehearsal import IN, Overlay, Scratch, made_table
from enclos.warehouse.steps.related import relate, vocabulary_path
from enclos.warehouse.steps.sources import Sources

_FRAME = frozenset({"ben", "h_patient", "omop_person"})
"""Tables that say who a person is: every row of the person needs them, few are made of them."""
_MADE_OF_FRAME = frozenset({"person", "death", "observation_period"})
_PLACES = frozenset({"care_site_id", "provider_id", "location_id"})
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
    records: tuple[tuple[str, int], ...]
    verdicts: tuple[Verdicts, ...]
    """What the rules said of the lines, by pseudonymised table."""
    path: tuple[VocabularyStep, ...]
    """From the row's code to its standard concept."""


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
        intents: tuple[str, ...],
    ) -> None:
        """In: tables — what crossed of the person, by pseudonymised table; duration, intents — the snapshot's rules."""
        self._engine = engine
        self._crossing = crossing
        self._person_id = person_id
        self._tables = tables
        self._periods = periods
        self._duration = duration
        self._intents = intents
        self._related: frozenset[str] = frozenset()
        self._whole: dict[str, list[Row]] = {}

    def explain(self, table: str, stored: Row) -> Explained:
        """The pseudonymised rows from which a stored row was made.

        Refuses: EXPLAIN_CHANGED when the row is not made again as it is stored.
        """
        self._related = relate(self._engine, lambda name: self._crossing.relation(name, None), self._tables, IN)
        self._build([(self._person_id, self._tables)])
        asked = (table, eras.ERA_TABLES[table]) if table in eras.ERA_TABLES else (table,)
        self._whole = {name: self._rows(name, self._person_id) for name in asked}
        key = key_of(table)
        made = next(
            (
                row
                for row in self._whole[table]
                if row[key] == stored[key]
                and _says(table, {name: row[name] for name in stored}) == _says(table, stored)
            ),
            None,
        )
        if made is None:
            raise refusal(
                Code.EXPLAIN_CHANGED,
                "What landed no longer makes this row as the snapshot has it.",
                "Build again, then ask for the row's new number.",
            )
        records = self._records(table, made)
        if records and not self._needed(table, {_is(table, made)}, [f"omop_{table}"]):
            found_in = eras.ERA_TABLES[table]
            of_era = [row for row in self._whole[found_in] if row[key_of(found_in)] in records]
            origins = self._origins(found_in, of_era)
        else:
            records, origins = set(), self._origins(table, [made])
        ordered = tuple(sorted(origins))
        return Explained(
            made,
            ordered,
            tuple((eras.ERA_TABLES[table], each) for each in sorted(records)),
            self._verdicts(table, ordered),
            self._path(table, made, ordered),
        )

    def _path(self, table: str, made: Row, origins: Sequence[Origin]) -> tuple[VocabularyStep, ...]:
        if table in eras.ERA_TABLES:
            return vocabulary_path(
                self._engine, IN, self._related, None, made[f"{table.removesuffix('_era')}_concept_id"], copied=True
            )
        names = [name.removesuffix("_source_concept_id") for name in made if name.endswith("_source_concept_id")]
        word = next((name for name in names if f"{name}_concept_id" in made), table.split("_", maxsplit=1)[0])
        copied = bool(origins) and all(name.startswith("omop_") for name, _ in origins)
        concepts = (made.get(f"{word}_source_concept_id"), made.get(f"{word}_concept_id"))
        return vocabulary_path(self._engine, IN, self._related, *concepts, copied=copied)

    def _verdicts(self, table: str, origins: Sequence[Origin]) -> tuple[Verdicts, ...]:
        """What the rules say of the lines when they are all there is of the person beside what says who that is."""
        lines: dict[str, list[int]] = {name: [] for name, _ in origins}
        for name, line in origins:
            lines[name].append(line)
        chosen = {t: r.take(lines[t]) if t in lines else r for t, r in self._tables.items() if t in {*lines, *_FRAME}}
        report = self._build([(self._person_id, chosen)], standing_by=False)
        at = Sources(self._engine, self._overlay(chosen), None)
        traps = traps_of_tables(at, duration_rule(self._duration), self._intents)
        found = []
        for name in sorted(lines):
            came = set(chosen[name]["came_as"].to_pylist()) if "came_as" in chosen[name].schema.names else {name}
            accounts = [account for account in report.account if account.table in came or account.table == name]
            reasons = sum((Counter(account.reasons) for account in accounts), Counter[str]())
            found.append(
                Verdicts(
                    table=name,
                    rule=f"{MAPPING}/{name}/{table}",
                    n_lines=len(lines[name]),
                    mapped=sum(account.mapped for account in accounts),
                    reasons=dict(reasons),
                    passed=tuple((trap.name, trap.meaning) for trap in traps.get(name, ()) if trap.name not in reasons),
                )
            )
        return tuple(found)

    # -- one row

    def _origins(self, table: str, asked: Sequence[Row]) -> set[Origin]:
        """The lines of some rows; rows that are alike beside them are told apart where there is one."""
        wanted = {_is(table, row) for row in asked}
        alike = [row for row in self._whole[table] if _is(table, row) in wanted]
        usual = [name for name in self._tables if name not in _FRAME or table in _MADE_OF_FRAME]
        needed = self._needed(table, wanted, usual)
        if table == "death" and not _FRAME.issuperset(needed):
            needed = [name for name in needed if name not in _FRAME]  # somebody else's word; these only know the person
        origins: set[Origin] = set()
        for name in needed:
            if table == "cost":
                lines = self._without_any(table, asked[0], name)
            else:
                lines = self._alone(table, asked, name)
                if len(alike) > len(asked) == 1 and 1 < len(lines) <= _MOST_ALIKE:
                    lines = self._of_this(table, asked[0], alike, name, lines)
            origins |= {(name, line) for line in lines}
        return origins

    def _needed(self, table: str, wanted: set[tuple[Any, ...]], names: Iterable[str]) -> list[str]:
        """Tables without which the rows are not what they are."""
        asked = [name for name in names if name in self._tables]
        if not asked:
            return []
        self._build(
            [(number, {t: r for t, r in self._tables.items() if t != name}) for number, name in enumerate(asked, 1)]
        )

        def said(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
            return Counter(_says(table, row) for row in rows if _is(table, row) in wanted)

        as_it_is = said(self._whole[table])
        return [name for number, name in enumerate(asked, 1) if said(self._rows(table, number)) != as_it_is]

    def _alone(self, table: str, asked: Sequence[Row], name: str) -> list[int]:
        """Rows of a pseudonymised table that make one of the rows when they are all there is of it."""
        size = 1 + sum(rows.num_rows for other, rows in self._tables.items() if other != name)
        identity = _is
        chosen: Sequence[int] = range(self._tables[name].num_rows)
        if (table, name) == ("payer_plan_period", "prs"):
            # one line of a scheme alone makes the scheme last for ever: its day tells which turn of the scheme it is of
            identity, chosen = _who_pays, self._within(table, asked[0], name)
        wanted = {identity(table, row) for row in asked}
        return [
            line
            for line, rows in self._each(table, chosen, size, lambda line: {name: self._tables[name].slice(line, 1)})
            if any(identity(table, row) in wanted for row in rows)
        ]

    def _without_any(self, table: str, row: Row, name: str) -> list[int]:
        """Rows of a pseudonymised table without any one of which the row is another."""
        size = 1 + sum(rows.num_rows for rows in self._tables.values())
        all_lines = range(self._tables[name].num_rows)
        wanted = Counter(_all(table, self._whole[table]))[_says(table, row)]

        def but(line: int) -> dict[str, pa.Table]:
            return {name: self._tables[name].take([each for each in all_lines if each != line])}

        return [
            line
            for line, rows in self._each(table, all_lines, size, but)
            if Counter(_all(table, rows))[_says(table, row)] < wanted
        ]

    def _each(
        self, table: str, lines: Sequence[int], size: int, changed: Callable[[int], Mapping[str, pa.Table]]
    ) -> Iterator[tuple[int, list[Row]]]:
        """The rows of the table when the person is changed in the way of each line."""
        at_once = max(1, _MOST_ROWS // size)
        for first in range(0, len(lines), at_once):
            chosen = lines[first : first + at_once]
            self._build([(n, {**self._tables, **changed(line)}) for n, line in enumerate(chosen, 1)])
            for n, line in enumerate(chosen, 1):
                yield line, self._rows(table, n)

    def _within(self, table: str, row: Row, name: str) -> list[int]:
        first, last = row[START_DATES[table]], row[END_DATES[table]]
        days = self._tables[name]["EXE_SOI_DTD"].to_pylist()
        return [line for line, day in enumerate(days) if day is not None and first <= day <= last]

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
        at = Sources(self._engine, self._overlay({}), None)
        ingredients = eras.ingredients_sql(at["concept"], at["concept_ancestor"], at["drug_strength"])
        self._engine.execute(f"CREATE OR REPLACE TEMP TABLE stage_ingredients AS {ingredients}")
        records = eras.records_sql(table, made_table(eras.ERA_TABLES[table]))
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

    def _build(self, clones: Sequence[tuple[int, Mapping[str, pa.Table]]], *, standing_by: bool = True) -> BuildReport:
        """Build the clones, each under its number; a build needs somebody, and a clone may be nobody."""
        whole = [*clones, (_STANDING_BY, self._tables)] if standing_by else clones
        tables: dict[str, pa.Table] = {}
        for name in self._tables:
            parts = [_owned(rows[name], number) for number, rows in whole if name in rows]
            if parts:
                tables[name] = pa.concat_tables(parts)
        return build_snapshot(
            self._engine,
            self._overlay(tables),
            Scratch(self._engine),
            1,
            periods=self._periods,
            released_on=date(2000, 1, 1),
            duration=self._duration,
            intents=self._intents,
            full=True,
        )

    def _overlay(self, tables: Mapping[str, pa.Table]) -> Overlay:
        return Overlay(self._engine, self._crossing, tables, self._related)

    def _rows(self, table: str, person_id: int) -> list[Row]:
        """The rows of a table that a clone has; a cost with what is known of its visit."""
        made = f"SELECT * FROM {made_table(table)} WHERE person_id = {person_id}"
        if table == "cost":
            made = (
                f"SELECT c.*, v.* EXCLUDE (bucket, person_id) FROM {made_table('cost')} AS c "
                f"JOIN {made_table('visit_occurrence')} AS v ON v.visit_occurrence_id = c.cost_event_id "
                f"WHERE c.cost_id >> {ORDINAL_BITS} = {person_id}"
            )
        rows: list[Row] = self._engine.query(made).to_pylist()
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


def _who_pays(table: str, row: Row) -> tuple[Any, ...]:
    """What a period of a scheme is, whenever."""
    days = (START_DATES[table], END_DATES[table])
    return tuple(value for name, value in sorted(row.items()) if not _is_number(table, name) and name not in days)


def _all(table: str, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return [_says(table, row) for row in rows]


def _is_number(table: str, name: str) -> bool:
    links = ("visit_occurrence_id", "visit_detail_id", "cost_event_id", "payer_plan_period_id", "episode_parent_id")
    return name in ("bucket", "person_id", key_of(table), *_PLACES) or name.endswith(links)


EXPLAINED_TABLES: tuple[str, ...] = (
    *(name for name in PERSON_TABLES if name in primary_keys() or name == "death"),
    "cost",
)
"""The tables whose rows can be explained."""
