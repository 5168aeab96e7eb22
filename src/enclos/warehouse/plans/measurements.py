"""MEASUREMENT: results of hospital laboratories, with value, unit and normal range.

The SNDS knows which analyses were paid for, never a result; nothing of it becomes a measurement here.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.plans.conditions import hospital_source_sql
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.relations import key_sql
from enclos.warehouse.plans.traps import KEPT, NO_PERSON, Trap, no_code, no_date, verdict_sql
from enclos.warehouse.plans.vocabulary import code_key_sql

HOME = "measurement"
HOSPITAL_TRAPS: tuple[Trap, ...] = (no_date("taken_at"), NO_PERSON, no_code("code"))


def laboratory_results(h_lab: str) -> Kind:
    """Results of a hospital's laboratory; a unit that no concept is known for keeps its UCUM code and concept 0."""
    lines = f"""
        SELECT verdict, source, person_id, {key_sql("source", "visit_key")} AS key, vocabulary, trim(code) AS code,
               {code_key_sql("code")} AS code_key, taken_at, value, trim(unit) AS unit, range_low, range_high,
               1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(HOSPITAL_TRAPS)} AS verdict FROM {h_lab})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "CAST(e.taken_at AS DATE)",
        "start_at": "e.taken_at",
        "source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_LABORATORY),
        "visit_occurrence_id": "v.visit_occurrence_id",
        "value": "e.value",
        "unit_concept_id": "CASE WHEN coalesce(e.unit, '') <> '' THEN coalesce(u.unit_concept_id, 0) END",
        "unit": "nullif(e.unit, '')",
        "range_low": "e.range_low",
        "range_high": "e.range_high",
    }
    return Kind(
        name="h_lab",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows=f"{hospital_source_sql('h_lab')} LEFT JOIN stage_units AS u ON u.unit = e.unit",
        traps=HOSPITAL_TRAPS,
    )
