"""MEASUREMENT: results that hospitals observed, with value or code, comparator, unit and normal range.

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


_COMPARATORS = " ".join(
    f"WHEN '{written}' THEN {concept}"
    for written, concept in (
        ("<", concepts.LESS_THAN),
        ("<=", concepts.AT_MOST),
        (">=", concepts.AT_LEAST),
        (">", concepts.MORE_THAN),
    )
)


def laboratory_results(h_lab: str) -> Kind:
    """Results of a hospital; a unit that no concept is known for keeps its UCUM code and concept 0."""
    lines = f"""
        SELECT verdict, source, person_id, {key_sql("source", "visit_key")} AS key, vocabulary, trim(code) AS code,
               {code_key_sql("code")} AS code_key, taken_at, category, comparator, value, value_vocabulary,
               trim(value_code) AS value_code, {code_key_sql("value_code")} AS value_key, trim(unit) AS unit, range_low,
               range_high, provider_key,
               1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(HOSPITAL_TRAPS)} AS verdict FROM {h_lab})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "CAST(e.taken_at AS DATE)",
        "start_at": "e.taken_at",
        "source_value": "e.code",
        "type_concept_id": f"CASE e.category WHEN 'laboratory' THEN {concepts.TYPE_LABORATORY} "
        f"ELSE {concepts.TYPE_EHR} END",
        "operator_concept_id": f"CASE e.comparator {_COMPARATORS} END",
        "value_concept_id": f"CASE WHEN e.value_vocabulary = 'boolean' THEN CASE e.value_code WHEN 'true' "
        f"THEN {concepts.YES} ELSE {concepts.NO} END "
        "WHEN e.value_code IS NOT NULL THEN coalesce(a.concept_id, 0) END",
        "value_source_value": "coalesce(e.value_code, e.comparator || CAST(e.value AS VARCHAR))",
        "provider_id": "w.provider_id",
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
        rows=f"{hospital_source_sql('h_lab')} LEFT JOIN stage_units AS u ON u.unit = e.unit "
        "LEFT JOIN stage_codes AS a ON a.vocabulary = e.value_vocabulary AND a.code = e.value_key AND a.part = 1",
        traps=HOSPITAL_TRAPS,
    )
