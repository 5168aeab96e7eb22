"""What hospitals record beside care: allergies as OBSERVATION, devices as DEVICE_EXPOSURE."""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.plans.conditions import hospital_source_sql
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.relations import key_sql
from enclos.warehouse.plans.traps import KEPT, NO_PERSON, Trap, no_code, no_date, verdict_sql
from enclos.warehouse.plans.vocabulary import code_key_sql

TRAPS: tuple[Trap, ...] = (no_date("start_on"), NO_PERSON, no_code("code"))


def allergies(h_allergy: str) -> Kind:
    """Allergies and intolerances: the substance is the value, whatever its domain, since nobody took it.

    The observation's own concept stays 0: the record says what the substance is, and its kind, allergy or intolerance,
    is the qualifier.
    """
    lines = f"""
        SELECT verdict, source, person_id, {key_sql("source", "visit_key")} AS key, vocabulary, trim(code) AS code,
               {code_key_sql("code")} AS code_key, kind, start_on, CAST(NULL AS BIGINT) AS provider_key, 1 AS n_lines,
               CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(TRAPS)} AS verdict FROM {h_allergy})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "concept_id": "0",
        "source_value": "e.code",
        "value_concept_id": "coalesce(m.concept_id, 0)",
        "value_source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_EHR),
        "status_source_value": "coalesce(e.kind, 'allergy')",
        "visit_occurrence_id": "v.visit_occurrence_id",
    }
    return Kind(
        name="h_allergy",
        home="observation",
        lines_sql=lines,
        event=event,
        rows=hospital_source_sql("h_allergy"),
        traps=TRAPS,
        vocabulary="CASE WHEN coalesce(m.concept_id, 0) = 0 THEN e.vocabulary END",
        routed=False,
    )


def devices(h_device: str) -> Kind:
    """Devices that somebody used for a time."""
    lines = f"""
        SELECT verdict, person_id, vocabulary, trim(code) AS code, {code_key_sql("code")} AS code_key, start_on,
               CASE WHEN end_on >= start_on THEN end_on END AS end_on, 1 AS n_lines,
               CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(TRAPS)} AS verdict FROM {h_device})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "end_on": "e.end_on",
        "source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_EHR),
    }
    return Kind(
        name="h_device",
        home="device_exposure",
        lines_sql=lines,
        event=event,
        rows=f"(SELECT * FROM stage_h_device WHERE verdict = {KEPT}) AS e",
        traps=TRAPS,
    )
