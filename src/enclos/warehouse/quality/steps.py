"""Quality's verb: scan every table a few times, judge every check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from enclos.contracts.sql import SqlEngine
from enclos.warehouse.quality.catalogue import catalogue, marginals
from enclos.warehouse.quality.counting import KEYS_PER_PART, Counter
from enclos.warehouse.quality.model import (
    Catalogue,
    CheckKey,
    CheckName,
    ConceptSpec,
    Drift,
    Marginal,
    QualityReport,
    TableShape,
    TableSpec,
    Tally,
)
from enclos.warehouse.quality.plans.concepts import plan_concepts, plan_sexes, plan_units
from enclos.warehouse.quality.plans.drift import plan_profile
from enclos.warehouse.quality.plans.france import plan_marginal
from enclos.warehouse.quality.plans.keyed import eras_scan, keyed_scans, persons_scan, references_apart
from enclos.warehouse.quality.plans.keys import plan_mapped_values
from enclos.warehouse.quality.plans.rows import plan_rows
from enclos.warehouse.quality.rules import ConceptCount, drifts, judge, tally_concepts, tally_presence, tally_units

Relation = Callable[[str], str | None]
Progress = Callable[[str, float], None]


def _silent(_what: str, _done: float) -> None:
    """No progress is shown."""


def _shape(engine: SqlEngine, relation: str) -> TableShape:
    described = engine.rows(f"DESCRIBE SELECT * FROM {relation}")
    return TableShape(f"(SELECT * FROM {relation})", {str(row[0]).lower(): str(row[1]).upper() for row in described})


def _shapes(engine: SqlEngine, relation: Relation, checks: Catalogue) -> dict[str, TableShape]:
    places = {table.name: relation(table.name) for table in checks.tables}
    return {name: _shape(engine, place) for name, place in places.items() if place is not None}


def measure_drift(engine: SqlEngine, before: Relation, after: Relation, *, cdm_version: str) -> tuple[Drift, ...]:
    """What moved from one snapshot to the next: rows of tables, shares of frequent concepts.

    In:  before, after — where to read a table of each snapshot from, None when it is not there.
    Out: the largest change first; see ``drifts`` for what counts as a change.
    """
    checks = catalogue(cdm_version)
    profiles = []
    for relation in (before, after):
        shapes = _shapes(engine, relation, checks)
        profile: dict[tuple[str, int | None], float] = {}
        for table in checks.tables:
            sql = plan_profile(table, shapes)
            rows = engine.rows(sql) if sql is not None else []
            whole = sum(n_rows for concept, n_rows in rows if concept is None)
            for concept, n_rows in rows:
                profile[table.name, concept] = n_rows if concept is None else n_rows / whole
        profiles.append(profile)
    return drifts(*profiles)


def _measured(counter: Counter, shapes: dict[str, TableShape]) -> tuple[Marginal, ...]:
    """The published figures with what is measured here."""
    figures = []
    for figure in marginals():
        sql = plan_marginal(figure.name, shapes)
        value = counter.rows(sql)[0][0] if sql is not None else None
        figures.append(replace(figure, measured=None if value is None else float(str(value))))
    return tuple(figures)


def run_quality(
    engine: SqlEngine,
    relation: Relation,
    *,
    cdm_version: str,
    checked_on: date,
    french: bool = False,
    n_buckets: int = 1,
    keys_per_part: int = KEYS_PER_PART,
    progress: Progress = _silent,
) -> QualityReport:
    """Judge an OMOP CDM by the checks of its version.

    In:    relation — where to read a table from, None when it is not there; checked_on — the day that future dates
           are measured against; french — compare with published figures of the French population;
           n_buckets — those of the snapshot; keys_per_part — more than these are looked at some buckets at a time.
    Out:   every check of the list, in its order.
    Empty: tables that are absent or empty make their checks not applicable; their absence itself fails.
    """
    checks = catalogue(cdm_version)
    shapes = _shapes(engine, relation, checks)
    counter = Counter(engine, shapes, n_buckets, keys_per_part)
    counter.tallies.update(tally_presence(checks, shapes))
    counter.count_rows()
    counter.run_keyed(persons_scan(checks.tables, shapes, counter.n_rows))
    present = [table for table in checks.tables if table.name in shapes]
    for number, table in enumerate(present):
        progress(table.name, number / len(present))
        _scan_table(counter, table, checks, checked_on)
    progress("judged", 1.0)
    tallies = counter.collected()
    return QualityReport(
        cdm_version=cdm_version,
        checked_on=checked_on,
        results=tuple(judge(check, tallies, shapes) for check in checks.checks),
        marginals=_measured(counter, shapes) if french else (),
        source=_source(engine, shapes),
        n_scans=counter.n_scans,
    )


def _scan_table(counter: Counter, table: TableSpec, checks: Catalogue, checked_on: date) -> None:
    shapes, empty = counter.shapes, counter.n_rows[table.name] == 0
    apart = references_apart(table, shapes, counter.n_rows, counter.keys_per_part)
    counter.run(plan_rows(table, shapes, checked_on, apart=apart.keys()), empty=empty)
    for keyed in (*apart.values(), *keyed_scans(table, shapes, counter.n_rows)):
        counter.run_keyed(keyed, empty=empty)
    counter.run(plan_mapped_values(table, shapes))
    counter.run_keyed(eras_scan(table, shapes, counter.n_rows))  # of persons, whether the table has rows or not
    concepts = plan_concepts(table, shapes)
    if concepts is not None:
        n_rows = _n_rows(counter, table)
        counts = [
            ConceptCount(int(str(number)), bool(known), _text(domain), _text(class_), bool(standard), int(str(n)))
            for number, known, domain, class_, standard, n in counter.rows(concepts.sql)
        ]
        counter.tallies.update(tally_concepts(table, concepts.fields, counts, n_rows))
    _scan_asked_concepts(counter, table, checks.concepts, shapes)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _n_rows(counter: Counter, table: TableSpec) -> int:
    """Rows of the table, which any completeness check of it has as its denominator."""
    keys = (CheckKey(CheckName.FILLED, table.name, field.name) for field in table.fields)
    return next((counter.denominators[key] for key in keys if key in counter.denominators), 0)


def _scan_asked_concepts(
    counter: Counter, table: TableSpec, concepts: tuple[ConceptSpec, ...], shapes: Mapping[str, TableShape]
) -> None:
    here = [spec for spec in concepts if spec.table == table.name]
    for name in sorted({spec.field for spec in here}):
        sexed = tuple(spec for spec in here if spec.field == name and spec.gender_concept_id is not None)
        sql = plan_sexes(table.name, name, sexed, shapes)
        if sql is not None:
            counter.tallies.update({spec.key: Tally(0, 0) for spec in sexed})
            for number, n_violated, n_rows in counter.rows(sql):
                key = sexed[int(str(number))].key
                counter.tallies[key] = Tally(int(str(n_violated)), int(str(n_rows)))
        measured = tuple(spec for spec in here if spec.field == name and spec.name is CheckName.UNIT)
        sql = plan_units(table.name, name, measured, shapes)
        if sql is not None:
            counts = [(int(str(a)), int(str(b)), int(str(c))) for a, b, c in counter.rows(sql)]
            counter.tallies.update(tally_units(measured, counts))


def _source(engine: SqlEngine, shapes: dict[str, TableShape]) -> dict[str, object]:
    """The first row of cdm_source, which names the data."""
    shape = shapes.get("cdm_source")
    if shape is None:
        return {}
    rows = engine.rows(f"SELECT * FROM {shape.relation} LIMIT 1")
    return dict(zip(shape.columns, rows[0], strict=True)) if rows else {}
