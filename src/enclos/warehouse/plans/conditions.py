"""CONDITION_OCCURRENCE: diagnoses of stays, long-term illness, hospital diagnoses.

* A stay's diagnoses keep their place: DP principal (32902), DR related, DAS associated (32908); a unit's own principal
  or related diagnosis that differs from its stay's is DP_UM or DR_UM. They last as long as the stay. A code that a stay
  bears several times in the same place is one row. SSR has three principal ones, a week each: the manifestation (MMP),
  the purpose of care (FPP) and the aetiology (AE); HAD has those of its principal and associated care (DMPP, DMPA).
* A long-term illness (IR_IMB_R) starts when the entitlement starts, which is not the day of the diagnosis; the nature
  of the entitlement (IMB_ETM_NAT) is its status, with the illness's number where the nature is one of a long-term
  illness: 41 (its number follows from the code, MED_MTF_COD), 43 (31, off the list), 45 (32, several). 11, 12, 13 are
  accidents at work, occupational diseases and invalidity. Type: claim enrolment record. 2099-12-31 is no end.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.providers import provider_join_sql
from enclos.warehouse.plans.reference import ald_numbers
from enclos.warehouse.plans.relations import key_sql
from enclos.warehouse.plans.traps import KEPT, NO_PERSON, Trap, known_date_sql, no_code, no_date, verdict_sql
from enclos.warehouse.plans.visit_details import STAY_LINE_TRAPS, stay_line_verdict_sql
from enclos.warehouse.plans.vocabulary import code_key_sql, icd_key_sql

HOME = "condition_occurrence"
_ICD = frozenset({"CIM10"})
_STATUS = (
    f"CASE WHEN e.place IN ('DP', 'DP_UM', 'MMP', 'FPP', 'AE', 'DMPP') THEN {concepts.STATUS_PRIMARY} "
    f"WHEN e.place IN ('DR', 'DR_UM', 'DAS', 'DMPA') THEN {concepts.STATUS_SECONDARY} ELSE 0 END"
)
_STAY_EVENT = {
    "person_id": "e.person_id",
    "start_on": "e.start_on",
    "end_on": "e.end_on",
    "source_value": "e.code",
    "type_concept_id": str(concepts.TYPE_INPATIENT_CLAIM),
    "status_concept_id": _STATUS,
    "status_source_value": "e.place",
    "visit_occurrence_id": "v.visit_occurrence_id",
}

DIAGNOSIS_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, no_code("ASS_DGN"))
ENTITLEMENT_TRAPS: tuple[Trap, ...] = (
    no_date("coalesce(nullif(IMB_ALD_DTD, DATE '1600-01-01'), INS_DTE)"),
    NO_PERSON,
    no_code("coalesce(nullif(MED_MTF_COD, ''), CAST(IMB_ALD_NUM AS VARCHAR))"),
)
HOSPITAL_TRAPS: tuple[Trap, ...] = (no_date("start_on"), NO_PERSON, no_code("code"))


def _stay_source(diagnoses: str) -> str:
    """Diagnoses of stays with their stay, its visit and the code to look up, under the alias ``e``."""
    return f"""
        (SELECT d.*, 'CIM10' AS vocabulary, {icd_key_sql("d.code")} AS code_key, s.start_on, s.end_on, s.key
         FROM ({diagnoses}) AS d
         JOIN stage_mco_b AS s ON s.person_id = d.person_id AND s.stay_key = d.stay_key AND s.verdict = {KEPT}) AS e
        JOIN stage_stay_visits AS v ON v.person_id = e.person_id AND v.key = e.key
    """


def stay_diagnoses() -> Kind:
    """Principal and related diagnoses of stays and units; the stay and the unit count the lines."""
    own = " UNION ALL ".join(
        f"SELECT person_id, stay_key, trim({column}) AS code, {place} AS place "
        f"FROM stage_{table} WHERE verdict = {KEPT}"
        for table, column, place in (
            ("mco_b", "principal", "'DP'"),
            ("mco_b", "related", "'DR'"),
            ("mco_um", "principal", "CASE field WHEN 'MCO' THEN 'DP_UM' WHEN 'SSR' THEN 'MMP' ELSE 'DP' END"),
            ("mco_um", "related", "CASE field WHEN 'MCO' THEN 'DR_UM' ELSE 'FPP' END"),
            ("mco_um", "aetiology", "'AE'"),
        )
    )
    diagnoses = f"""
        SELECT DISTINCT person_id, stay_key, code, place
        FROM (SELECT *, bool_or(place = 'DP') OVER (PARTITION BY person_id, stay_key, code) AS principal_of_stay,
                     bool_or(place = 'DR') OVER (PARTITION BY person_id, stay_key, code) AS related_of_stay
              FROM ({own}) WHERE coalesce(code, '') <> '')
        WHERE NOT (place = 'DP_UM' AND principal_of_stay) AND NOT (place = 'DR_UM' AND related_of_stay)
    """
    return Kind(
        name="stay_diagnoses",
        home=HOME,
        event=_STAY_EVENT,
        rows=_stay_source(diagnoses),
        n_lines="0",
        vocabularies=_ICD,
    )


def associated_diagnoses(mco_d: str) -> Kind:
    """Associated diagnoses of stays."""
    lines = f"""
        SELECT verdict, person_id, stay_key, trim(ASS_DGN) AS code, 'DAS' AS place, 1 AS n_lines,
               CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT d.*, {stay_line_verdict_sql(no_code("ASS_DGN"))} AS verdict
              FROM {mco_d} AS d LEFT JOIN stage_mco_b AS s
                ON s.person_id = d.person_id AND s.stay_key = d.stay_key AND s.n_before = 0)
    """
    diagnoses = """
        SELECT person_id, stay_key, code, place, sum(n_mapped) AS n_mapped FROM stage_mco_d WHERE n_mapped > 0
        GROUP BY person_id, stay_key, code, place
    """
    return Kind(
        name="mco_d",
        home=HOME,
        lines_sql=lines,
        event=_STAY_EVENT,
        rows=_stay_source(diagnoses),
        traps=DIAGNOSIS_TRAPS,
        vocabularies=_ICD,
    )


def entitlements(imb: str) -> Kind:
    """Long-term illness and other entitlements with a diagnosis."""
    known = ", ".join(f"('{prefix}', {number})" for prefix, number in ald_numbers())
    listed = {length: f"(SELECT number FROM ald WHERE prefix = left(plain, {length}))" for length in (5, 4, 3)}
    derived = f"nullif(coalesce({', '.join(listed.values())}), 0)"
    status = f"""
        CASE IMB_ETM_NAT WHEN 43 THEN '43 ALD 31' WHEN 45 THEN '45 ALD 32'
             WHEN 41 THEN '41' || coalesce(' ALD ' || coalesce({derived}, nullif(IMB_ALD_NUM, 0)), '')
             ELSE CAST(IMB_ETM_NAT AS VARCHAR) END
    """
    lines = f"""
        WITH ald AS (SELECT * FROM (VALUES {known}) AS listed(prefix, number))
        SELECT verdict, person_id, coalesce({known_date_sql("IMB_ALD_DTD")}, INS_DTE) AS start_on,
               CASE WHEN {known_date_sql("IMB_ALD_DTF")} < DATE '2099-01-01' THEN IMB_ALD_DTF END AS end_on,
               coalesce(nullif(trim(MED_MTF_COD), ''), 'ALD ' || CAST(IMB_ALD_NUM AS VARCHAR)) AS code,
               'CIM10' AS vocabulary, {icd_key_sql("MED_MTF_COD")} AS code_key,
               {status} AS nature, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {code_key_sql("MED_MTF_COD")} AS plain, {verdict_sql(ENTITLEMENT_TRAPS)} AS verdict FROM {imb})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "end_on": "CASE WHEN e.end_on >= e.start_on THEN e.end_on END",
        "source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_ENROLMENT),
        "status_source_value": "e.nature",
    }
    return Kind(
        name="imb",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows=f"(SELECT * FROM stage_imb WHERE verdict = {KEPT}) AS e",
        traps=ENTITLEMENT_TRAPS,
        vocabularies=_ICD,
    )


def hospital_diagnoses(h_condition: str) -> Kind:
    """Diagnoses that a hospital recorded."""
    lines = f"""
        SELECT verdict, source, person_id, {key_sql("source", "visit_key")} AS key, vocabulary, trim(code) AS code,
               CASE vocabulary WHEN 'CIM10' THEN {icd_key_sql("code")} ELSE {code_key_sql("code")} END AS code_key,
               rank AS place, category, provider_key, start_on, end_on, 1 AS n_lines,
               CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(HOSPITAL_TRAPS)} AS verdict FROM {h_condition})
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "end_on": "CASE WHEN e.end_on >= e.start_on THEN e.end_on END",
        "source_value": "e.code",
        "type_concept_id": f"CASE e.category WHEN 'problem' THEN {concepts.TYPE_EHR_PROBLEM_LIST} "
        f"ELSE {concepts.TYPE_EHR} END",
        "provider_id": "w.provider_id",
        "status_concept_id": _STATUS,
        "status_source_value": "nullif(e.place, '')",
        "visit_occurrence_id": "v.visit_occurrence_id",
    }
    return Kind(
        name="h_condition",
        home=HOME,
        lines_sql=lines,
        event=event,
        rows=hospital_source_sql("h_condition"),
        traps=HOSPITAL_TRAPS,
    )


def hospital_source_sql(name: str) -> str:
    """The kept lines of a hospital table under the alias ``e``, with their visit ``v`` and professional ``w``."""
    return (
        f"(SELECT * FROM stage_{name} WHERE verdict = {KEPT}) AS e "
        "LEFT JOIN stage_hospital_visits AS v "
        "ON v.person_id = e.person_id AND v.key = e.key " + provider_join_sql("w", "e", "provider_key")
    )
