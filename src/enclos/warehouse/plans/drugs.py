"""DRUG_EXPOSURE: boxes dispensed in town and drugs of hospitals.

* A dispensing starts on the day of care, not of prescription. Its quantity is in units (boxes times units in a box
  where the vocabulary knows them, else boxes); its days of supply, and so its end, follow a named, versioned rule,
  since the SNDS knows no posology.
* A hospital's drug keeps its own dates; what kind of record it is, administration or prescription, is its type.
"""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.pseudonymised.hospital import ORDERING_INTENTS
from enclos.warehouse import concepts
from enclos.warehouse.model import Fate
from enclos.warehouse.plans.codes import listed_code_sql, pack_of_cip7_sql
from enclos.warehouse.plans.conditions import hospital_source_sql
from enclos.warehouse.plans.durations import DurationRule
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.relations import key_sql
from enclos.warehouse.plans.traps import CARE, KEPT, NO_PERSON, Trap, no_code, no_date, verdict_sql
from enclos.warehouse.plans.visits import care_visit_concept_sql, care_visit_key_sql
from enclos.warehouse.plans.vocabulary import PACK_VOCABULARY

HOME = "drug_exposure"
_CIP7 = "PHA_PRS_IDE BETWEEN 1 AND 9999999"
DISPENSING_TRAPS: tuple[Trap, ...] = (
    *CARE,
    no_date("EXE_SOI_DTD"),
    NO_PERSON,
    Trap(
        "no_code",
        f"coalesce(PHA_PRS_C13, 0) = 0 AND NOT coalesce({_CIP7}, false)",
        Fate.REJECTED,
        "neither a CIP13 nor a CIP7",
    ),
)


def hospital_traps(intents: Sequence[str]) -> tuple[Trap, ...]:
    """What keeps a hospital's drug out.

    In: intents — of a prescription, those that order
    """
    listed = ", ".join(f"'{intent}'" for intent in intents)
    no_order = Trap(
        "no_order",
        f"coalesce(intent NOT IN ({listed}), false)",
        Fate.FILTERED,
        "a prescription that proposes or plans and orders nothing",
    )
    return (no_order, no_date("start_at"), NO_PERSON, no_code("code"))


HOSPITAL_TRAPS: tuple[Trap, ...] = hospital_traps(ORDERING_INTENTS)


_SEVEN_DIGITS = "lpad(CAST(PHA_PRS_IDE AS VARCHAR), 7, '0')"
_PACK = (
    "CASE WHEN coalesce(PHA_PRS_C13, 0) <> 0 THEN PHA_PRS_C13 "
    f"WHEN {_CIP7} THEN CAST({pack_of_cip7_sql(_SEVEN_DIGITS)} AS BIGINT) END"
)
"""The CIP13, or where it is missing (nearly always in 2006 and 2007) the one that the CIP7 makes. Source: trap 20."""
_LOOSE = "coalesce(PHA_DEC_TOP = 'D' AND PHA_DEC_QSU IS NOT NULL, false)"
"""Units taken out of a box (déconditionnement): PHA_DEC_QSU counts them, with its sign. Source: schema-snds."""


def dispensings(pha: str, rule: DurationRule) -> Kind:
    """Boxes dispensed in town, cancelled by sum over person, day, pack and pharmacy; loose units by themselves.

    A pack is known by its CIP13, and where that is missing by its CIP7. Loose units last their share of a box, and
    a day each where the units in a box are not known.
    """
    days = (
        f"CASE WHEN NOT e.loose THEN {rule.days_sql('e.boxes')} "
        f"WHEN m.units > 0 THEN {rule.days_sql('e.boxes / m.units')} ELSE e.boxes END"
    )
    key = care_visit_key_sql("EXE_SOI_DTD", "executant_key", care_visit_concept_sql("PRS_NAT_REF"))
    lines = f"""
        SELECT g.verdict, g.person_id, g.start_on, g.code, g.loose, g.boxes, g.n_lines,
               CASE WHEN g.verdict = {KEPT} AND g.boxes > 0 THEN g.n_positive ELSE 0 END AS n_mapped,
               v.visit_occurrence_id
        FROM (SELECT verdict, person_id, start_on, code, loose, key, CAST(sum(boxes) AS INTEGER) AS boxes,
                     count(*) AS n_lines, count(*) FILTER (WHERE boxes > 0) AS n_positive
              FROM (SELECT verdict, boxes, loose,
                           CASE WHEN verdict = {KEPT} THEN person_id END AS person_id,
                           CASE WHEN verdict = {KEPT} THEN EXE_SOI_DTD END AS start_on,
                           CASE WHEN verdict = {KEPT} THEN code END AS code,
                           CASE WHEN verdict = {KEPT} THEN {key} END AS key
                    FROM (SELECT person_id, EXE_SOI_DTD, {_PACK} AS code, PRS_NAT_REF, executant_key, {_LOOSE} AS loose,
                                 CASE WHEN {_LOOSE} THEN PHA_DEC_QSU ELSE coalesce(PHA_ACT_QSN, 1) END AS boxes,
                                 {verdict_sql(DISPENSING_TRAPS)} AS verdict
                          FROM {pha}))
              GROUP BY verdict, person_id, start_on, code, loose, key) AS g
        LEFT JOIN stage_care_visits AS v ON v.person_id = g.person_id AND v.key = g.key
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "end_on": f"e.start_on + CAST({days} AS INTEGER) - 1",
        "source_value": "lpad(CAST(e.code AS VARCHAR), 13, '0')",
        "type_concept_id": str(concepts.TYPE_PHARMACY_CLAIM),
        "visit_occurrence_id": "e.visit_occurrence_id",
        "quantity": "CASE WHEN e.loose THEN e.boxes ELSE e.boxes * coalesce(m.units, 1) END",
        "days_supply": days,
    }
    return Kind(
        name="pha",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows="(SELECT * FROM stage_pha WHERE n_mapped > 0) AS e",
        vocabulary=f"'{PACK_VOCABULARY}'",
        codes="stage_packs AS m ON m.code = e.code",
        traps=DISPENSING_TRAPS,
        vocabularies=frozenset({PACK_VOCABULARY}),
    )


def hospital_drugs(h_drug: str, intents: Sequence[str] = ORDERING_INTENTS) -> Kind:
    """Drugs that a hospital administered, prescribed or dispensed.

    In: intents — of a prescription, those that order
    """
    traps = hospital_traps(intents)
    lines = f"""
        SELECT verdict, source, person_id, {key_sql("source", "visit_key")} AS key, vocabulary, trim(code) AS code,
               {listed_code_sql("vocabulary", "code")} AS code_key, kind, start_at,
               CASE WHEN end_at >= start_at THEN end_at END AS end_at, quantity, days_supply, trim(route) AS route,
               trim(dose_unit) AS dose_unit, provider_key, 1 AS n_lines,
               CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(traps)} AS verdict FROM {h_drug})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "CAST(e.start_at AS DATE)",
        "start_at": "e.start_at",
        "end_on": "coalesce(CAST(e.end_at AS DATE), CAST(e.start_at AS DATE) "
        "+ greatest(CAST(coalesce(e.days_supply, 1) AS INTEGER) - 1, 0))",
        "end_at": "e.end_at",
        "source_value": "e.code",
        "type_concept_id": f"CASE e.kind WHEN 'administration' THEN {concepts.TYPE_EHR_ADMINISTRATION} "
        f"WHEN 'immunisation' THEN {concepts.TYPE_EHR_ADMINISTRATION} "
        f"WHEN 'prescription' THEN {concepts.TYPE_EHR_PRESCRIPTION} "
        f"WHEN 'statement' THEN {concepts.TYPE_SELF_REPORT} ELSE {concepts.TYPE_EHR} END",
        "visit_occurrence_id": "v.visit_occurrence_id",
        "quantity": "e.quantity",
        "days_supply": "e.days_supply",
        "route": "e.route",
        "dose_unit": "e.dose_unit",
        "provider_id": "w.provider_id",
    }
    return Kind(
        name="h_drug",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows=hospital_source_sql("h_drug"),
        traps=traps,
    )
