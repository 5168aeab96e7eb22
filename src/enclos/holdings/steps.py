"""The verb of the holdings: read from a snapshot what may be told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

from enclos.contracts.omop import PERSON_TABLES
from enclos.contracts.sql import SqlEngine
from enclos.holdings.model import Figures, TableFigures
from enclos.holdings.plans import CODED_COLUMNS, plan_ages, plan_rows, plan_until, plan_vocabularies, plan_years
from enclos.holdings.rules.counts import told, typical_ages, typical_years, unit_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

Relation = Callable[[str], str | None]


def read_figures(engine: SqlEngine, relation: Relation, *, snapshot: int, built_on: date, floor: int) -> Figures:
    """The numbers of a snapshot that may be told; the exact ones stay here.

    In:      relation — where to read a table from, None when the snapshot does not hold it; floor — the enclosure's
    Out:     tables of persons in the order of the contract; vocabularies that enough persons have codes of
    Refuses: CATALOGUE_TOO_FEW when there are fewer persons than the unit.
    """
    unit = unit_of(floor)
    held = {table: place for table in (*PERSON_TABLES, "concept", "cdm_source") if (place := relation(table))}
    exact = {table: engine.rows(plan_rows(held[table]))[0] for table in PERSON_TABLES if table in held}
    n_persons = told(int(exact["person"][1]), unit)
    if n_persons is None:
        raise refusal(
            Code.CATALOGUE_TOO_FEW,
            f"The snapshot holds fewer than {unit} persons.",
            "Describe it when it holds more, or name a lower floor only where a permit could.",
        )
    tables = tuple(_table(table, int(rows), int(persons), unit) for table, (rows, persons) in exact.items())
    ages = years = None
    if "observation_period" in held:
        ages = typical_ages(dict(engine.rows(plan_ages(held["person"], held["observation_period"]))), unit)
        until = engine.scalar(plan_until(held["cdm_source"])) if "cdm_source" in held else None
        years = typical_years(dict(engine.rows(plan_years(held["observation_period"]))), until, unit)
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
        vocabularies=_vocabularies(engine, held, unit),
    )


def _table(table: str, n_records: int, n_persons: int, unit: int) -> TableFigures:
    persons = told(n_persons, unit)
    return TableFigures(table, told(n_records, unit) if persons is not None else None, persons)


def _vocabularies(engine: SqlEngine, held: dict[str, str], unit: int) -> tuple[str, ...]:
    """Vocabularies that enough persons have a code of, in one column at least."""
    most: Counter[str] = Counter()
    for table, columns in CODED_COLUMNS.items():
        if table in held and "concept" in held:
            for column in columns:
                for vocabulary, n in engine.rows(plan_vocabularies(held[table], column, held["concept"])):
                    most[str(vocabulary)] = max(most[str(vocabulary)], int(n))
    return tuple(sorted(vocabulary for vocabulary, n in most.items() if n >= unit))
