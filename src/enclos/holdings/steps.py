"""The verb of the holdings: read from a snapshot what may be told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.sql import SqlEngine
from enclos.holdings.model import Figures, TableFigures
from enclos.holdings.plans import (
    CODED_COLUMNS,
    plan_ages,
    plan_filled,
    plan_rows,
    plan_until,
    plan_vocabularies,
    plan_years,
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
        n_rows, n_persons = engine.rows(plan_rows(place))[0]
        exact.n_rows[table] += n_rows
        exact.n_persons[table] += n_persons
        names = omop_tables()[table].names
        for column, n in zip(names, engine.rows(plan_filled(place, names))[0], strict=True):
            exact.filled[table, column] += n
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
