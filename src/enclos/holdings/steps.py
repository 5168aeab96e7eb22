"""The verb of the holdings: read from a snapshot what may be told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.sql import SqlEngine
from enclos.holdings.model import ColumnTold, Figures, TableFigures, TableTold
from enclos.holdings.plans import (
    CODED_COLUMNS,
    band_of,
    concept_of,
    plan_ages,
    plan_filled,
    plan_spreads,
    plan_until,
    plan_vocabularies,
    plan_years,
    year_of,
)
from enclos.holdings.rules.counts import told, typical_ages, typical_years, unit_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

Part = tuple[int, ...]
"""Buckets that are counted together; none of them stands for all."""
Relation = Callable[[str, Part], str | None]
"""Where to read a part of a table from; None when the snapshot does not hold it."""
Progress = Callable[[str, float], None]
ROWS_AT_ONCE = 20_000_000


def _silent(_what: str, _done: float) -> None:
    """No progress is shown."""


@dataclass(slots=True)
class _Exact:
    """Exact counts, added up over the buckets, which share no person; they never leave this module."""

    n_rows: Counter[str] = field(default_factory=Counter)
    n_persons: Counter[str] = field(default_factory=Counter)
    filled: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Persons of whom a column says something, by table and column."""
    by_band: Counter[int] = field(default_factory=Counter)
    by_year: Counter[int] = field(default_factory=Counter)
    by_vocabulary: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Persons by table, column and vocabulary."""

    def add(self, table: str, columns: Iterable[str], counted: tuple[int, ...]) -> dict[str, int]:
        """Of one part, as ``plan_filled`` counts it; persons of the part by column."""
        n_rows, n_persons, *filled = counted
        self.n_rows[table] += n_rows
        self.n_persons[table] += n_persons
        by_column = dict(zip(columns, filled, strict=True))
        for column, n in by_column.items():
            self.filled[table, column] += n
        return by_column


def read_figures(
    engine: SqlEngine,
    relation: Relation,
    *,
    snapshot: int,
    built_on: date,
    floor: int,
    buckets: Sequence[int] = (),
    rows_at_once: int = ROWS_AT_ONCE,
    progress: Progress = _silent,
) -> Figures:
    """The numbers of a snapshot that may be told; the exact ones stay here.

    In:      floor — the enclosure's; buckets — persons do not share one;
             rows_at_once — how many coded rows are counted together, in as many buckets as hold them
    Out:     tables of persons in the order of the contract; vocabularies that enough persons have codes of
    Refuses: CATALOGUE_TOO_FEW when there are fewer persons than the unit.
    """
    unit, exact = unit_of(floor), _Exact()
    parts = _parts(engine, relation, buckets, rows_at_once)
    for number, part in enumerate(parts):
        _count(engine, relation, part, exact)
        progress("catalogue", (number + 1) / len(parts))
    n_persons = told(exact.n_persons["person"], unit)
    if n_persons is None:
        raise refusal(
            Code.CATALOGUE_TOO_FEW,
            f"The snapshot holds fewer than {unit} persons.",
            "Describe it when it holds more.",
        )
    source = relation("cdm_source", ())
    until = engine.scalar(plan_until(source)) if source is not None else None
    ages, years = typical_ages(exact.by_band, unit), typical_years(exact.by_year, until, unit)
    tables = tuple(_table(table, exact, unit) for table in PERSON_TABLES if table in exact.n_rows)
    return Figures(
        snapshot=snapshot,
        built_on=built_on,
        unit=unit,
        n_persons=n_persons,
        n_records=sum(table.n_records or 0 for table in tables),
        tables=tables,
        min_age=ages[0] if ages else None,
        max_age=ages[1] if ages else None,
        starts_on=years[0] if years else None,
        ends_on=years[1] if years else None,
        vocabularies=tuple(sorted({name for (_, _, name), n in exact.by_vocabulary.items() if n >= unit})),
    )


def _parts(engine: SqlEngine, relation: Relation, buckets: Sequence[int], rows_at_once: int) -> list[Part]:
    places = [place for table in CODED_COLUMNS if (place := relation(table, ())) is not None]
    n_rows = sum(int(engine.scalar(f"SELECT count(*) FROM {place} AS t")) for place in places)
    if not buckets or n_rows <= rows_at_once:
        return [()]
    size = max(1, len(buckets) * rows_at_once // n_rows)
    return [tuple(buckets[first : first + size]) for first in range(0, len(buckets), size)]


def _count(engine: SqlEngine, relation: Relation, part: Part, exact: _Exact) -> None:
    held = {table: place for table in PERSON_TABLES if (place := relation(table, part)) is not None}
    for table, place in held.items():
        names = omop_tables()[table].names
        exact.add(table, names, engine.rows(plan_filled(place, names))[0])
    if "person" in held and "observation_period" in held:
        exact.by_band.update(dict(engine.rows(plan_ages(held["person"], held["observation_period"]))))
        exact.by_year.update(dict(engine.rows(plan_years(held["observation_period"]))))
    concept = relation("concept", ())
    if concept is None:
        return
    for table, columns in CODED_COLUMNS.items():
        for column in columns if table in held else ():
            for vocabulary, n in engine.rows(plan_vocabularies(held[table], column, concept)):
                exact.by_vocabulary[table, column, vocabulary] += n


def _table(table: str, exact: _Exact, unit: int) -> TableFigures:
    persons = told(exact.n_persons[table], unit)
    if persons is None:
        return TableFigures(table, None, None)
    filled = tuple((column, told(exact.filled[table, column], unit)) for column in omop_tables()[table].names)
    return TableFigures(table, told(exact.n_rows[table], unit), persons, filled)


Ask = Callable[[str], Iterable[tuple[Any, ...]]]
"""Asks one bucket of a view."""
_MOST_CONCEPTS, _BIRTH_BAND = 10, 5


def read_dictionary(
    buckets: Iterable[Ask],
    tables: Mapping[str, Mapping[str, str]],
    *,
    floor: int,
    names: Callable[[Collection[int]], Mapping[int, str]],
) -> list[TableTold]:
    """What may be told of every table and column of a view, as of a description: rounded down, nothing of too few.

    In:  buckets — the view in parts that share no person; tables — the columns that it shows, with their types; names —
         gives the names of concepts
    Out: the tables of persons in the order of the contract
    """
    unit, exact = unit_of(floor), _Exact()
    spread: dict[tuple[str, str], Counter[int]] = {}
    shown = {table: tables[table] for table in PERSON_TABLES if "person_id" in tables.get(table, {})}
    for ask in buckets:
        for table, columns in shown.items():
            (counted,) = ask(plan_filled(table, tuple(columns)))
            filled = exact.add(table, columns, counted)
            values = {each: value for each, n in filled.items() if n and (value := _value_of(each, columns[each]))}
            for place, value, n in ask(plan_spreads(table, tuple(values.values()))) if values else ():
                spread.setdefault((table, tuple(values)[place]), Counter())[value] += n
    told_values = {
        place: _values(counted, _kind_of(place[1], shown[place[0]][place[1]]), unit)
        for place, counted in spread.items()
    }
    of_concepts = {place for place in told_values if _kind_of(place[1], "") == "concept"}
    named = names(sorted({value for place in of_concepts for value, _ in told_values[place]}))

    def told_of(table: str, column: str, sql_type: str) -> ColumnTold:
        values = tuple(
            (value, named.get(value, "") if (table, column) in of_concepts else "", n)
            for value, n in told_values.get((table, column), ())
        )
        kind = _kind_of(column, sql_type) if values else ""
        return ColumnTold(column, sql_type, told(exact.filled[table, column], unit), kind, values)

    return [
        TableTold(
            table,
            told(exact.n_rows[table], unit) if exact.n_persons[table] >= unit else None,
            told(exact.n_persons[table], unit),
            tuple(told_of(table, column, sql_type) for column, sql_type in columns.items()),
        )
        for table, columns in shown.items()
    ]


def _values(counted: Mapping[int, int], kind: str, unit: int) -> list[tuple[int, int | None]]:
    """The most frequent concepts; every year or band from the first to the last of enough persons."""
    enough = [value for value, n in counted.items() if n >= unit]
    if kind == "concept":
        most = sorted(enough, key=lambda value: (-counted[value], value))[:_MOST_CONCEPTS]
        return [(value, told(counted[value], unit)) for value in most]
    if not enough:
        return []
    steps = _BIRTH_BAND if kind == "band" else 1
    return [(value, told(counted.get(value, 0), unit)) for value in range(min(enough), max(enough) + 1, steps)]


def _kind_of(column: str, sql_type: str) -> str:
    if column.endswith("concept_id"):
        return "concept"
    if column == "year_of_birth":
        return "band"
    return "year" if sql_type == "DATE" else ""


def _value_of(column: str, sql_type: str) -> str:
    match _kind_of(column, sql_type):
        case "concept":
            return concept_of(column)
        case "band":
            return band_of(column, _BIRTH_BAND)
        case "year":
            return year_of(column)
    return ""
