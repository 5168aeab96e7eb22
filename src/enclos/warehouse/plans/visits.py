"""VISIT_OCCURRENCE: stays, hospital visits, delivered visits and care in town.

* A stay of the PMSI: inpatient (9201); emergency then inpatient (262) when it came from home through an emergency unit
  (ENT_MOD 8, ENT_PRV 5 or U); outpatient (9202) for séances (CMD 28) and for a day case from home to home.
* Care in town (ER_PRS_F): the prestations of one person, day and executant that make the same kind of visit are one
  visit; the kind comes from PRS_NAT_REF (pharmacy, laboratory, home, telehealth, ambulance, else outpatient).
* A hospital's own visits keep their class. A stay known from both the PMSI and the hospital is two visits; their type
  concepts tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from enclos.contracts.omop import omop_tables
from enclos.warehouse import concepts
from enclos.warehouse.model import DeliveredPeriod
from enclos.warehouse.plans.links import OMOP, keyed_omop_sql
from enclos.warehouse.plans.parts import Part
from enclos.warehouse.plans.providers import provider_join_sql
from enclos.warehouse.plans.reference import stay_places, visit_natures
from enclos.warehouse.plans.relations import everything, key_sql, numbered_sql
from enclos.warehouse.plans.traps import (
    CARE as CARE_TRAPS,
)
from enclos.warehouse.plans.traps import (
    CASH_BENEFIT,
    CHARGES,
    KEPT,
    NO_PERSON,
    REPEATED,
    STAY,
    Trap,
    no_date,
    verdict_sql,
)

PMSI, HOSPITAL, CARE = 1, 2, 4
"""Where a visit comes from, beside OMOP."""
VISITS_PER_ORIGIN = 1 << 17
"""Numbers that the visits of one origin have for themselves within a person's 2**20."""

PRESTATION_TRAPS: tuple[Trap, ...] = (*CARE_TRAPS, CASH_BENEFIT, no_date("EXE_SOI_DTD"), NO_PERSON)
STAY_TRAPS: tuple[Trap, ...] = (*STAY, no_date("EXE_SOI_DTD"), NO_PERSON, REPEATED)
VISIT_TRAPS: tuple[Trap, ...] = (no_date("start_at"), NO_PERSON, REPEATED)

_STILL_THERE = "still patient"
_CLASSES = {
    "inpatient": concepts.INPATIENT_VISIT,
    "outpatient": concepts.OUTPATIENT_VISIT,
    "emergency": concepts.EMERGENCY_VISIT,
    "home": concepts.HOME_VISIT,
    "virtual": concepts.TELEHEALTH_VISIT,
}


def care_visit_concept_sql(nature: str) -> str:
    """The kind of visit that a prestation of this nature makes."""
    whens = " ".join(
        f"WHEN {nature} BETWEEN {first} AND {last} THEN {concept}" for first, last, concept in visit_natures()
    )
    return f"CAST(CASE {whens} ELSE {concepts.OUTPATIENT_VISIT} END AS INTEGER)"


def care_visit_key_sql(start_on: str, executant: str, concept: str) -> str:
    """What makes two prestations of a person one visit: day, executant and kind."""
    return key_sql(start_on, executant, concept)


def cents_sql(euros: str) -> str:
    """An amount in whole cents: sums of them do not depend on the order of lines."""
    return f"CAST(round({euros} * 100) AS BIGINT)"


def prestation_lines_sql(prs: str) -> str:
    """Prestations, cancelled by sum: one row per person, day, nature and executant, and one per trap.

    Lines that charge for an act without being one keep their visit, for their amounts.

    In: the staged persons and care sites.
    Out: verdict, person_id, nature, key (of the visit), start_on, visit_concept_id, care_site_id, n_lines, n_mapped,
    charged, primary_paid and payer_paid (cents, all lines summed).
    """
    charge = ", ".join(str(n) for n, trap in enumerate(PRESTATION_TRAPS, start=1) if trap.name in CHARGES)
    placed = f"verdict IN ({KEPT}, {charge})"
    kind = care_visit_concept_sql("PRS_NAT_REF")
    key = care_visit_key_sql("EXE_SOI_DTD", "executant_key", kind)
    return f"""
        SELECT verdict, person_id, nature, key, any_value(start_on) AS start_on,
               any_value(visit_concept_id) AS visit_concept_id, max(care_site_id) AS care_site_id, count(*) AS n_lines,
               CASE WHEN verdict = {KEPT} AND sum(quantity) > 0 THEN count(*) FILTER (WHERE quantity > 0) ELSE 0
               END AS n_mapped,
               CAST(sum(charged) AS BIGINT) AS charged, CAST(sum(primary_paid) AS BIGINT) AS primary_paid,
               CAST(sum(payer_paid) AS BIGINT) AS payer_paid
        FROM (SELECT verdict, quantity,
                     CASE WHEN {placed} THEN person_id END AS person_id,
                     CASE WHEN verdict = {KEPT} THEN PRS_NAT_REF END AS nature,
                     CASE WHEN {placed} THEN {key} END AS key,
                     {cents_sql("PRS_PAI_MNT")} AS charged, {cents_sql("BSE_REM_MNT")} AS primary_paid,
                     {cents_sql("coalesce(BSE_REM_MNT + coalesce(CPL_REM_MNT, 0), CPL_REM_MNT)")} AS payer_paid,
                     EXE_SOI_DTD AS start_on, {kind} AS visit_concept_id, care_site_id
              FROM (SELECT p.*, s.care_site_id, coalesce(PRS_ACT_QTE, 1) AS quantity,
                           {verdict_sql(PRESTATION_TRAPS)} AS verdict
                    FROM {prs} AS p
                    LEFT JOIN (SELECT * FROM stage_care_sites WHERE kind = 'finess') AS s ON s.code = p.ETB_EXE_FIN))
        GROUP BY verdict, person_id, nature, key
    """


def stay_lines_sql(mco_b: str) -> str:
    """Stays of the PMSI with the verdict on each.

    Out: one row per delivered stay: verdict, person_id, key, stay_key, start_on, end_on, visit_concept_id, care_site,
    the diagnoses and the modes of entry and exit, n_lines, n_mapped, field (of the PMSI).
    """
    end_on = "coalesce(greatest(EXE_SOI_DTF, EXE_SOI_DTD), EXE_SOI_DTD)"
    return f"""
        SELECT verdict, n_before, person_id, {key_sql("stay_key")} AS key, stay_key, EXE_SOI_DTD AS start_on,
               {end_on} AS end_on,
               CAST(CASE WHEN GRG_GHM LIKE '28%' THEN {concepts.OUTPATIENT_VISIT}
                    WHEN ENT_MOD = '8' AND ENT_PRV IN ('5', 'U') THEN {concepts.EMERGENCY_THEN_INPATIENT_VISIT}
                    WHEN EXE_SOI_DTD = {end_on} AND ENT_MOD = '8' AND SOR_MOD = '8' THEN {concepts.OUTPATIENT_VISIT}
                    ELSE {concepts.INPATIENT_VISIT} END AS INTEGER) AS visit_concept_id,
               ETA_NUM AS care_site, GRG_GHM AS ghm, DGN_PAL AS principal, DGN_REL AS related,
               nullif(concat(ENT_MOD, ENT_PRV), '') AS admitted_from, SOR_MOD AS exit_mode,
               nullif(concat(SOR_MOD, SOR_DES), '') AS discharged_to,
               1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped, 'MCO' AS field
        FROM (SELECT *, {verdict_sql(STAY_TRAPS)} AS verdict
              FROM (SELECT *, row_number() OVER (
                                  PARTITION BY person_id, stay_key
                                  ORDER BY EXE_SOI_DTD NULLS LAST, EXE_SOI_DTF, hash({everything("mco_b")})) - 1
                                  AS n_before
                    FROM {mco_b}))
    """


def extracts_sql(periods: Sequence[DeliveredPeriod]) -> str:
    """The last day that each hospital delivered."""
    last: dict[str, date] = {}
    for period in (period for period in periods if not period.kind.startswith("snds")):
        last[period.source] = max(last.get(period.source, period.end_on), period.end_on)
    rows = [f"('{source}', DATE '{end_on - timedelta(days=1)}')" for source, end_on in sorted(last.items())]
    listed = ", ".join(rows or ["(NULL, NULL)"])
    return (
        "SELECT CAST(source AS VARCHAR) AS source, CAST(last_on AS DATE) AS last_on "
        f"FROM (VALUES {listed}) AS x(source, last_on)"
    )


def hospital_visit_lines_sql(h_visit: str) -> str:
    """A hospital's visits with the verdict on each.

    Somebody who was still there when the delivery was made stayed until its last day, as far as anybody knows.
    """
    whens = " ".join(f"WHEN '{name}' THEN {concept}" for name, concept in _CLASSES.items())
    return f"""
        SELECT verdict, source, person_id, {key_sql("source", "visit_key")} AS key, CAST(start_at AS DATE) AS start_on,
               CAST(CASE WHEN end_at IS NULL AND present THEN greatest(last_on, start_at)
                    ELSE coalesce(greatest(end_at, start_at), start_at) END AS DATE) AS end_on, start_at, end_at,
               admitted_from, coalesce(discharged_to, CASE WHEN present THEN '{_STILL_THERE}' END) AS discharged_to,
               place_key, provider_key,
               CAST(CASE visit_class {whens} ELSE {concepts.UNKNOWN} END AS INTEGER) AS visit_concept_id, visit_class,
               1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(VISIT_TRAPS)} AS verdict
              FROM (SELECT *, row_number() OVER (PARTITION BY person_id, source, visit_key
                                                 ORDER BY start_at NULLS LAST, hash({everything("h_visit")})) - 1
                                  AS n_before
                    FROM {h_visit}) LEFT JOIN stage_extracts USING (source))
    """


VISIT_STAGES = {CARE: "care_visits", PMSI: "stay_visits", HOSPITAL: "hospital_visits", OMOP: "omop_visit_rows"}
"""Where the visits of each origin are staged; they are numbered apart, so that care in town moves no stay."""


def visits_sql(origin: int, omop_visit_occurrence: str) -> str:
    """The visits of one origin, numbered within their person by first day, in a block of numbers of the origin's own.

    In: the staged lines of prestations, stays or hospital visits.
    Out: one row per visit: visit_occurrence_id, person_id, origin, key (what other tables find it by), links (false for
    a repeated delivered visit, which nothing finds), start_on, end_on, visit_concept_id, care_site_id, nature, n_lines.
    """
    every = {
        CARE: f"""
            SELECT person_id, CAST({CARE} AS TINYINT) AS origin, key, any_value(start_on) AS start_on,
                   any_value(start_on) AS end_on, CAST(any_value(visit_concept_id) AS BIGINT) AS visit_concept_id,
                   max(care_site_id) AS care_site_id, min(nature) AS nature, CAST(sum(n_mapped) AS INTEGER) AS n_lines,
                   true AS links, CAST(0 AS BIGINT) AS tie
            FROM stage_prs WHERE n_mapped > 0 GROUP BY person_id, key
        """,
        PMSI: f"""
            SELECT v.person_id, CAST({PMSI} AS TINYINT) AS origin, v.key, v.start_on, v.end_on,
                   CAST(v.visit_concept_id AS BIGINT) AS visit_concept_id, s.care_site_id, NULL AS nature,
                   1 AS n_lines, true AS links, CAST(0 AS BIGINT) AS tie
            FROM stage_mco_b AS v LEFT JOIN stage_care_sites AS s ON s.kind = 'finess' AND s.code = v.care_site
            WHERE v.verdict = {KEPT}
        """,
        HOSPITAL: f"""
            SELECT v.person_id, CAST({HOSPITAL} AS TINYINT) AS origin, v.key, v.start_on, v.end_on,
                   CAST(v.visit_concept_id AS BIGINT) AS visit_concept_id,
                   coalesce(p.care_site_id, s.care_site_id) AS care_site_id,
                   NULL AS nature, 1 AS n_lines, true AS links, CAST(0 AS BIGINT) AS tie
            FROM stage_h_visit AS v LEFT JOIN stage_care_sites AS s ON s.kind = 'hospital' AND s.code = v.source
            LEFT JOIN stage_care_sites AS p ON p.kind = 'place' AND p.code = v.source AND p.original = v.place_key
            WHERE v.verdict = {KEPT}
        """,
        OMOP: f"""
            SELECT v.person_id, CAST({OMOP} AS TINYINT) AS origin, v.key, v.visit_start_date AS start_on,
                   v.visit_end_date AS end_on, v.visit_concept_id, s.care_site_id, NULL AS nature, 1 AS n_lines,
                   v.n_same = 1 AS links, v.n_same AS tie
            FROM ({keyed_omop_sql("visit_occurrence", omop_visit_occurrence)}) AS v
            LEFT JOIN stage_care_sites AS s ON s.kind = 'omop' AND s.code = v.source AND s.original = v.care_site_id
        """,
    }
    number = numbered_sql("person_id", "start_on, key, tie", after=visits_before(origin))
    return f"SELECT {number} AS visit_occurrence_id, * FROM ({every[origin]})"


def visits_before(origin: int) -> int:
    """The ordinals that come before the block of an origin: 131 072 for each."""
    return (origin - 1) * VISITS_PER_ORIGIN


def _place_concept_sql(side: str, value: str) -> str:
    """The place that a mode (first sign) and a place (second sign, may be missing) say."""
    whens = []
    for mode, place, concept in stay_places(side):
        known = [f"left({value}, 1) = '{mode}'"] if mode else []
        known += [f"substr({value}, 2) = '{place}'"] if place != "*" else []
        whens.append(f"WHEN {' AND '.join(known)} THEN {concept}")
    return f"CASE {' '.join(whens)} ELSE {concepts.UNKNOWN} END"


def visit_parts(omop_visit_occurrence: str) -> list[Part]:
    """The ``visit_occurrence`` rows of the bucket, from the staged visits and what each origin says of them."""
    always = {
        "visit_occurrence_id": "v.visit_occurrence_id",
        "person_id": "v.person_id",
        "visit_concept_id": "v.visit_concept_id",
        "visit_start_date": "v.start_on",
        "visit_end_date": "v.end_on",
        "care_site_id": "v.care_site_id",
        "visit_source_concept_id": "0",
        "admitted_from_concept_id": "0",
        "discharged_to_concept_id": "0",
    }
    care = Part(
        always
        | {
            "visit_type_concept_id": f"CASE v.visit_concept_id WHEN {concepts.PHARMACY_VISIT} "
            f"THEN {concepts.TYPE_PHARMACY_CLAIM} ELSE {concepts.TYPE_OUTPATIENT_CLAIM} END",
            "visit_source_value": "v.nature",
        },
        f"FROM stage_{VISIT_STAGES[CARE]} AS v",
    )
    stay = Part(
        always
        | {
            "visit_type_concept_id": f"CASE d.field WHEN 'ACE' THEN {concepts.TYPE_OUTPATIENT_CLAIM} "
            f"ELSE {concepts.TYPE_INPATIENT_CLAIM_HEADER} END",
            "visit_source_value": "d.ghm",
            "admitted_from_concept_id": _place_concept_sql("from", "d.admitted_from"),
            "admitted_from_source_value": "d.admitted_from",
            "discharged_to_concept_id": _place_concept_sql("to", "d.discharged_to"),
            "discharged_to_source_value": "d.discharged_to",
        },
        f"FROM stage_{VISIT_STAGES[PMSI]} AS v JOIN stage_mco_b AS d ON d.person_id = v.person_id AND d.key = v.key "
        f"WHERE d.verdict = {KEPT}",
    )
    hospital = Part(
        always
        | {
            "visit_start_datetime": "d.start_at",
            "visit_end_datetime": "d.end_at",
            "visit_type_concept_id": str(concepts.TYPE_EHR_ENCOUNTER),
            "visit_source_value": "d.visit_class",
            "admitted_from_source_value": "d.admitted_from",
            "discharged_to_source_value": "d.discharged_to",
            "discharged_to_concept_id": f"CASE d.discharged_to WHEN '{_STILL_THERE}' THEN {concepts.STILL_PATIENT} "
            "ELSE 0 END",
            "provider_id": "w.provider_id",
        },
        f"FROM stage_{VISIT_STAGES[HOSPITAL]} AS v "
        "JOIN stage_h_visit AS d ON d.person_id = v.person_id AND d.key = v.key "
        f"{provider_join_sql('w', 'd', 'provider_key')} "
        f"WHERE d.verdict = {KEPT}",
    )
    said = ("admitted_from", "discharged_to", "visit_source", "visit_type")
    delivered = Part(
        always
        | {name: f"d.{name}" for name in omop_tables()["visit_occurrence"].names if name.startswith(said)}
        | {
            "visit_start_datetime": "d.visit_start_datetime",
            "visit_end_datetime": "d.visit_end_datetime",
            "preceding_visit_occurrence_id": "p.id",
            "provider_id": "w.provider_id",
        },
        f"FROM stage_{VISIT_STAGES[OMOP]} AS v "
        f"JOIN ({keyed_omop_sql('visit_occurrence', omop_visit_occurrence)}) AS d "
        "ON d.person_id = v.person_id AND d.key = v.key AND d.n_same = v.tie "
        "LEFT JOIN stage_omop_visits AS p "
        f"ON p.person_id = d.person_id AND p.key = {key_sql('d.source', 'd.preceding_visit_occurrence_id')} "
        f"{provider_join_sql('w', 'd')}",
    )
    return [care, stay, hospital, delivered]
