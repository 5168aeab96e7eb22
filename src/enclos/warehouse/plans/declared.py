"""What persons' references declare beside long-term illness: causes of death, pregnancies.

* The initial cause of a death is in DEATH. The other causes on the certificate (KI_ECD_R) are conditions, since their
  codes are diagnoses: type death certificate (32815), status ECD, dated by the death, which is no day of onset. A study
  of incident diagnoses chooses its types.
* A declared pregnancy (IR_MAT_R) is an observation: an entitlement (32813) that starts on the presumed first day of the
  pregnancy; its qualifier is the month of birth. There is no code: IR_MAT_R is the code, kept with concept 0 until a
  vocabulary maps it.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.traps import INITIAL_CAUSE, KEPT, NO_PERSON, Trap, no_code, no_date, verdict_sql
from enclos.warehouse.plans.vocabulary import icd_key_sql

CAUSE_TRAPS: tuple[Trap, ...] = (no_date("BEN_DCD_DTE"), NO_PERSON, no_code("ECD_CIM_COD"), INITIAL_CAUSE)
PREGNANCY_TRAPS: tuple[Trap, ...] = (no_date("BEN_GRS_DTE"), NO_PERSON)


def causes_of_death(ecd: str) -> Kind:
    """Causes on death certificates beside the initial one; a code that a certificate bears twice is one row."""
    lines = f"""
        SELECT verdict, person_id, start_on, code, {icd_key_sql("code")} AS code_key, 'CIM10' AS vocabulary,
               count(*) AS n_lines, CASE verdict WHEN {KEPT} THEN count(*) ELSE 0 END AS n_mapped
        FROM (SELECT verdict, CASE WHEN verdict = {KEPT} THEN person_id END AS person_id,
                     CASE WHEN verdict = {KEPT} THEN BEN_DCD_DTE END AS start_on,
                     CASE WHEN verdict = {KEPT} THEN trim(ECD_CIM_COD) END AS code
              FROM (SELECT *, {verdict_sql(CAUSE_TRAPS)} AS verdict FROM {ecd}))
        GROUP BY verdict, person_id, start_on, code
    """
    return Kind(
        name="ecd",
        home="condition_occurrence",
        lines_sql=lines,
        event={
            "person_id": "e.person_id",
            "start_on": "e.start_on",
            "end_on": "e.start_on",
            "source_value": "e.code",
            "type_concept_id": str(concepts.TYPE_DEATH_CERTIFICATE),
            "status_source_value": "'ECD'",
        },
        rows=f"(SELECT * FROM stage_ecd WHERE verdict = {KEPT}) AS e",
        traps=CAUSE_TRAPS,
        vocabularies=frozenset({"CIM10"}),
    )


def pregnancies(mat: str) -> Kind:
    """Declared pregnancies."""
    lines = f"""
        SELECT verdict, person_id, BEN_GRS_DTE AS start_on, BEN_DRA_AME AS born_in, 'IR_MAT_R' AS code,
               'IR_MAT_R' AS code_key, 'SNDS' AS vocabulary, 1 AS n_lines,
               CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(PREGNANCY_TRAPS)} AS verdict FROM {mat})
    """
    return Kind(
        name="mat",
        home="observation",
        lines_sql=lines,
        event={
            "person_id": "e.person_id",
            "start_on": "e.start_on",
            "source_value": "e.code",
            "type_concept_id": str(concepts.TYPE_ENROLMENT),
            "status_source_value": "nullif(trim(e.born_in), '')",
        },
        rows=f"(SELECT * FROM stage_mat WHERE verdict = {KEPT}) AS e",
        traps=PREGNANCY_TRAPS,
        vocabularies=frozenset({"SNDS"}),
    )
