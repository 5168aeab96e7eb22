"""VISIT_DETAIL: the medical units of a stay, one after the other; the weeks and sequences of the PMSI's other fields.

A unit starts when the ones before it in the stay have ended (PAR_DUR_SEJ nights each) and never ends after the stay.
A short-stay unit of an emergency department (UHCD, AUT_TYP1_UM 07…) is an emergency detail (9203).
"""

from __future__ import annotations

from enclos.contracts.omop import omop_tables
from enclos.warehouse import concepts
from enclos.warehouse.plans.links import OMOP, keyed_omop_sql
from enclos.warehouse.plans.parts import Part
from enclos.warehouse.plans.providers import provider_join_sql
from enclos.warehouse.plans.relations import key_sql, numbered_sql
from enclos.warehouse.plans.traps import KEPT, NO_STAY, Trap
from enclos.warehouse.plans.visits import PMSI, STAY_TRAPS

STAY_LINE_TRAPS: tuple[Trap, ...] = (*STAY_TRAPS, NO_STAY)
"""A line of a stay shares the verdict of its stay, by the same number."""


def stay_line_verdict_sql(*more: Trap) -> str:
    """The verdict on a line of the stay ``s``: its stay's, or that there is none, or one of its own traps.

    The numbers are those of ``(*STAY_LINE_TRAPS, *more)``.
    """
    own = " ".join(
        f"WHEN {trap.condition} THEN {number}" for number, trap in enumerate(more, start=len(STAY_LINE_TRAPS) + 1)
    )
    return (
        f"CAST(CASE WHEN s.verdict IS NULL THEN {len(STAY_LINE_TRAPS)} WHEN s.verdict <> {KEPT} THEN s.verdict "
        f"{own} ELSE {KEPT} END AS UTINYINT)"
    )


def unit_lines_sql(mco_um: str) -> str:
    """Medical units with the verdict on each.

    Out: one row per delivered unit: verdict, person_id, stay_key, start_on, end_on, visit_concept_id, care_site, unit,
    principal, related, tie, n_lines, n_mapped.
    """
    everything = "u.UM_ORD_NUM, u.AUT_TYP1_UM, u.PAR_DUR_SEJ, u.DGN_PAL, u.DGN_REL"
    return f"""
        SELECT verdict, person_id, stay_key, stay_start_on + least(nights_before, stay_nights) AS start_on,
               stay_start_on + least(nights_before + nights, stay_nights) AS end_on,
               CASE WHEN unit LIKE '07%' THEN {concepts.EMERGENCY_VISIT} ELSE visit_concept_id END AS visit_concept_id,
               care_site, unit, principal, related, tie, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped,
               'MCO' AS field, CAST(NULL AS VARCHAR) AS aetiology, CAST(NULL AS VARCHAR) AS sequence
        FROM (SELECT {stay_line_verdict_sql()} AS verdict, u.person_id, u.stay_key, s.start_on AS stay_start_on,
                     CAST(s.end_on - s.start_on AS INTEGER) AS stay_nights, s.visit_concept_id, s.care_site,
                     u.AUT_TYP1_UM AS unit, u.DGN_PAL AS principal, u.DGN_REL AS related,
                     greatest(coalesce(u.PAR_DUR_SEJ, 0), 0) AS nights,
                     CAST(coalesce(sum(greatest(coalesce(u.PAR_DUR_SEJ, 0), 0)) OVER (
                         PARTITION BY u.person_id, u.stay_key ORDER BY {everything}
                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS INTEGER) AS nights_before,
                     row_number() OVER (PARTITION BY u.person_id, u.stay_key ORDER BY {everything}) AS tie
              FROM {mco_um} AS u
              LEFT JOIN stage_mco_b AS s
                ON s.person_id = u.person_id AND s.stay_key = u.stay_key AND s.n_before = 0)
    """


def details_sql(omop_visit_detail: str) -> str:
    """Every visit detail of the bucket, numbered within its person.

    Out: visit_detail_id, person_id, origin, key, links, start_on, and what joins it to its line.
    """
    return f"""
        SELECT {numbered_sql("person_id", "start_on, origin, key, tie")} AS visit_detail_id, *
        FROM (SELECT person_id, CAST({PMSI} AS TINYINT) AS origin, {key_sql("stay_key")} AS key, true AS links,
                     start_on, stay_key, tie
              FROM stage_mco_um WHERE verdict = {KEPT}
              UNION ALL
              SELECT person_id, {OMOP}, key, n_same = 1, visit_detail_start_date, NULL, n_same
              FROM ({keyed_omop_sql("visit_detail", omop_visit_detail)}))
    """


def detail_parts(omop_visit_detail: str) -> list[Part]:
    """The ``visit_detail`` rows of the bucket."""
    unit = Part(
        {
            "visit_detail_id": "t.visit_detail_id",
            "person_id": "t.person_id",
            "visit_detail_concept_id": "d.visit_concept_id",
            "visit_detail_start_date": "d.start_on",
            "visit_detail_end_date": "d.end_on",
            "visit_detail_type_concept_id": str(concepts.TYPE_INPATIENT_CLAIM),
            "care_site_id": "c.care_site_id",
            "visit_detail_source_value": "d.unit",
            "visit_detail_source_concept_id": "0",
            "visit_occurrence_id": "v.visit_occurrence_id",
        },
        f"FROM stage_details AS t JOIN stage_mco_um AS d "
        f"ON d.person_id = t.person_id AND d.stay_key = t.stay_key AND d.tie = t.tie AND d.verdict = {KEPT} "
        f"JOIN stage_stay_visits AS v ON v.person_id = t.person_id AND v.key = t.key "
        "LEFT JOIN stage_care_sites AS c ON c.kind = 'finess' AND c.code = d.care_site "
        f"WHERE t.origin = {PMSI}",
    )
    delivered = Part(
        {name: f'd."{name}"' for name in omop_tables()["visit_detail"].names}
        | {
            "visit_detail_id": "t.visit_detail_id",
            "care_site_id": "c.care_site_id",
            "provider_id": "w.provider_id",
            "preceding_visit_detail_id": "b.id",
            "parent_visit_detail_id": "p.id",
            "visit_occurrence_id": "v.id",
        },
        f"FROM stage_details AS t JOIN ({keyed_omop_sql('visit_detail', omop_visit_detail)}) AS d "
        "ON d.person_id = t.person_id AND d.key = t.key AND d.n_same = t.tie "
        "LEFT JOIN stage_care_sites AS c ON c.kind = 'omop' AND c.code = d.source AND c.original = d.care_site_id "
        f"{provider_join_sql('w', 'd')} "
        "LEFT JOIN stage_omop_visits AS v "
        f"ON v.person_id = d.person_id AND v.key = {key_sql('d.source', 'd.visit_occurrence_id')} "
        "LEFT JOIN stage_omop_details AS b "
        f"ON b.person_id = d.person_id AND b.key = {key_sql('d.source', 'd.preceding_visit_detail_id')} "
        "LEFT JOIN stage_omop_details AS p "
        f"ON p.person_id = d.person_id AND p.key = {key_sql('d.source', 'd.parent_visit_detail_id')} "
        f"WHERE t.origin = {OMOP}",
    )
    return [unit, delivered]
