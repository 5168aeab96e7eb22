"""DEATH: at most one row per person, from the best source that knows it; the type concept says which.

In order: the death certificate (KI_CCI_R, with its cause), the national reference (IR_BEN_R), a hospital stay that
ended by death (SOR_MOD 9), a hospital's patient file, an OMOP delivery. Between equal sources the earliest date holds.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.plans.traps import (
    DEATH_KNOWN,
    KEPT,
    NO_PERSON,
    Trap,
    known_date_sql,
    no_date,
    verdict_sql,
)
from enclos.warehouse.plans.vocabulary import icd_key_sql

CERTIFICATE, REFERENCE, STAY, PATIENT_FILE, OMOP = range(1, 6)
"""Whence a death is known, best first."""

CERTIFICATE_TRAPS: tuple[Trap, ...] = (no_date("BEN_DCD_DTE"), NO_PERSON, DEATH_KNOWN)
OMOP_TRAPS: tuple[Trap, ...] = (no_date("death_date"), NO_PERSON, DEATH_KNOWN)


def death_candidates_sql(cci: str, omop_death: str) -> str:
    """Every record of a death in the bucket, best first within a person.

    Out: one row per record: person_id, death_on, origin, source, choice (1: the one that holds), and the OMOP columns.
    In: the staged persons and stays.
    """
    return f"""
        SELECT *, row_number() OVER (
                   PARTITION BY person_id
                   ORDER BY origin, death_on, source, cause_source_value,
                            hash(death_at, type_concept_id, cause_concept_id, cause_source_concept_id)) AS choice
        FROM (
            SELECT person_id, source, BEN_DCD_DTE AS death_on, CAST(NULL AS TIMESTAMP) AS death_at,
                   {CERTIFICATE} AS origin, CAST({concepts.TYPE_DEATH_CERTIFICATE} AS BIGINT) AS type_concept_id,
                   coalesce(m.concept_id, 0) AS cause_concept_id, DCD_CIM_COD AS cause_source_value,
                   coalesce(m.source_concept_id, 0) AS cause_source_concept_id
            FROM (SELECT *, {icd_key_sql("DCD_CIM_COD")} AS code_key FROM {cci}) AS c
            LEFT JOIN stage_codes AS m ON m.vocabulary = 'CIM10' AND m.code = c.code_key AND m.part = 1
            WHERE {known_date_sql("BEN_DCD_DTE")} IS NOT NULL
            UNION ALL
            SELECT person_id, '', snds_death_on, NULL, {REFERENCE}, {concepts.TYPE_ENROLMENT}, 0, NULL, 0
            FROM stage_persons WHERE snds_death_on IS NOT NULL
            UNION ALL
            SELECT person_id, '', end_on, NULL, {STAY}, {concepts.TYPE_CLAIM_DISCHARGE}, 0, NULL, 0
            FROM stage_mco_b WHERE verdict = {KEPT} AND exit_mode = '9'
            UNION ALL
            SELECT person_id, '', patient_death_on, NULL, {PATIENT_FILE}, {concepts.TYPE_EHR}, 0, NULL, 0
            FROM stage_persons WHERE patient_death_on IS NOT NULL
            UNION ALL
            SELECT person_id, source, death_date, death_datetime, {OMOP}, death_type_concept_id, cause_concept_id,
                   cause_source_value, cause_source_concept_id
            FROM {omop_death} WHERE {known_date_sql("death_date")} IS NOT NULL
        )
        WHERE person_id IN (SELECT person_id FROM stage_persons)
    """


def death_rows_sql() -> str:
    """The ``death`` rows of the bucket."""
    return """
        SELECT person_id, death_on AS death_date, death_at AS death_datetime, type_concept_id AS death_type_concept_id,
               cause_concept_id, cause_source_value, cause_source_concept_id
        FROM stage_deaths WHERE choice = 1 ORDER BY person_id
    """


def record_lines_sql(relation: str, date_column: str, origin: int, traps: tuple[Trap, ...]) -> str:
    """The verdict on each delivered record of a death: the first one of the chosen origin is mapped.

    Out: one row per record: verdict, n_lines, n_mapped.
    """
    return f"""
        SELECT verdict, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT {verdict_sql(traps)} AS verdict
              FROM (SELECT r.*, coalesce(d.origin <> {origin}, false)
                                OR row_number() OVER (
                                    PARTITION BY r.person_id ORDER BY {known_date_sql(date_column)} NULLS LAST) > 1
                            AS not_first
                    FROM {relation} AS r LEFT JOIN stage_deaths AS d ON d.person_id = r.person_id AND d.choice = 1))
    """
