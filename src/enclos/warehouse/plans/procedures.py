"""PROCEDURE_OCCURRENCE: CCAM acts in town and in stays, and what hospitals record.

An act is coded by code, phase and activity: phases after the first are the same act again; the activity (1 surgeon,
4 anaesthetist…) is kept as modifier, since both did something. An act of a stay happens its delay after the entry.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.plans.conditions import hospital_source_sql
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.relations import key_sql
from enclos.warehouse.plans.traps import CARE, KEPT, NO_PERSON, Trap, later_phase, no_code, no_date, verdict_sql
from enclos.warehouse.plans.visit_details import STAY_LINE_TRAPS, stay_line_verdict_sql
from enclos.warehouse.plans.visits import care_visit_concept_sql, care_visit_key_sql
from enclos.warehouse.plans.vocabulary import code_key_sql

HOME = "procedure_occurrence"
_CCAM = frozenset({"CCAM"})
_STAY_ACT_TRAPS = (later_phase("PHA_ACT"), no_code("CDC_ACT"))
TOWN_TRAPS: tuple[Trap, ...] = (
    *CARE,
    later_phase("CAM_TRT_PHA"),
    no_date("EXE_SOI_DTD"),
    NO_PERSON,
    no_code("CAM_PRS_IDE"),
)
STAY_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, *_STAY_ACT_TRAPS)
HOSPITAL_TRAPS: tuple[Trap, ...] = (no_date("done_on"), NO_PERSON, no_code("code"))


def town_acts(cam: str) -> Kind:
    """CCAM acts in town, cancelled by sum over person, day, act, activity and executant."""
    key = care_visit_key_sql("EXE_SOI_DTD", "executant_key", care_visit_concept_sql("PRS_NAT_REF"))
    lines = f"""
        SELECT g.verdict, g.person_id, g.start_on, g.code, {code_key_sql("g.code")} AS code_key, 'CCAM' AS vocabulary,
               g.activity, g.acts, g.n_lines, CASE WHEN g.verdict = {KEPT} AND g.acts > 0 THEN g.n_positive ELSE 0 END
                   AS n_mapped, v.visit_occurrence_id
        FROM (SELECT verdict, person_id, start_on, code, activity, key, sum(acts) AS acts, count(*) AS n_lines,
                     count(*) FILTER (WHERE acts > 0) AS n_positive
              FROM (SELECT verdict, acts,
                           CASE WHEN verdict = {KEPT} THEN person_id END AS person_id,
                           CASE WHEN verdict = {KEPT} THEN EXE_SOI_DTD END AS start_on,
                           CASE WHEN verdict = {KEPT} THEN trim(CAM_PRS_IDE) END AS code,
                           CASE WHEN verdict = {KEPT} THEN CAM_ACT_COD END AS activity,
                           CASE WHEN verdict = {KEPT} THEN {key} END AS key
                    FROM (SELECT *, coalesce(PRS_ACT_QTE, 1) AS acts, {verdict_sql(TOWN_TRAPS)} AS verdict FROM {cam}))
              GROUP BY verdict, person_id, start_on, code, activity, key) AS g
        LEFT JOIN stage_care_visits AS v ON v.person_id = g.person_id AND v.key = g.key
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_OUTPATIENT_CLAIM_DETAIL),
        "visit_occurrence_id": "e.visit_occurrence_id",
        "quantity": "e.acts",
        "modifier": "e.activity",
    }
    return Kind(
        name="cam",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows="(SELECT * FROM stage_cam WHERE n_mapped > 0) AS e",
        traps=TOWN_TRAPS,
        vocabularies=_CCAM,
    )


def stay_acts(mco_a: str) -> Kind:
    """CCAM acts of stays, each line an act."""
    lines = f"""
        SELECT verdict, person_id, least(entry_on + greatest(coalesce(ENT_DAT_DEL, 0), 0), exit_on) AS start_on,
               trim(CDC_ACT) AS code, {code_key_sql("CDC_ACT")} AS code_key, 'CCAM' AS vocabulary, ACV_ACT AS activity,
               coalesce(NBR_EXE_ACT, 1) AS acts, key, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT a.*, s.start_on AS entry_on, s.end_on AS exit_on, s.key,
                     {stay_line_verdict_sql(*_STAY_ACT_TRAPS)} AS verdict
              FROM {mco_a} AS a LEFT JOIN stage_mco_b AS s
                ON s.person_id = a.person_id AND s.stay_key = a.stay_key AND s.n_before = 0)
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_INPATIENT_CLAIM),
        "visit_occurrence_id": "v.visit_occurrence_id",
        "quantity": "e.acts",
        "modifier": "e.activity",
    }
    source = (
        f"(SELECT * FROM stage_mco_a WHERE verdict = {KEPT}) AS e "
        f"LEFT JOIN stage_stay_visits AS v "
        "ON v.person_id = e.person_id AND v.key = e.key"
    )
    return Kind(
        name="mco_a",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows=source,
        traps=STAY_TRAPS,
        vocabularies=_CCAM,
    )


def hospital_procedures(h_procedure: str) -> Kind:
    """Procedures that a hospital recorded."""
    lines = f"""
        SELECT verdict, source, person_id, {key_sql("source", "visit_key")} AS key, vocabulary, trim(code) AS code,
               {code_key_sql("code")} AS code_key, done_on, CASE WHEN end_on >= done_on THEN end_on END AS end_on,
               activity, provider_key, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(HOSPITAL_TRAPS)} AS verdict FROM {h_procedure})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.done_on",
        "end_on": "e.end_on",
        "modifier": "e.activity",
        "provider_id": "w.provider_id",
        "source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_EHR),
        "visit_occurrence_id": "v.visit_occurrence_id",
    }
    return Kind(
        name="h_procedure",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows=hospital_source_sql("h_procedure"),
        traps=HOSPITAL_TRAPS,
    )
