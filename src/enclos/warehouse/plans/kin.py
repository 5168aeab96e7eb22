"""FACT_RELATIONSHIP: mother and child, told once from each side.

A child is in its own bucket, and both rows stand there, delivered ones too; other relations of persons are in the
bucket of their first. Persons are facts of domain 56 (Person).

Source: T_MCOaaC.NIR_ANO_MAM (2013 to 2018), then ID_MAM_ENF; relationship concepts as OHDSI's published conversions
use them.
"""

from __future__ import annotations

from enclos.contracts.omop import CHILD_OF_SUBJECT
from enclos.warehouse import concepts
from enclos.warehouse.plans.traps import KEPT, NO_PERSON, SAME_MOTHER, Trap, verdict_sql

MOTHER_TRAPS: tuple[Trap, ...] = (NO_PERSON, SAME_MOTHER)


def mother_lines_sql(kin: str) -> str:
    """Stays that name the mother of their child, with the verdict on each.

    Out: verdict, person_id (of the child), mother_id, n_lines, n_mapped.
    """
    return f"""
        SELECT verdict, person_id, mother_id, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(MOTHER_TRAPS)} AS verdict
              FROM (SELECT *, row_number() OVER (PARTITION BY person_id, mother_id ORDER BY source) - 1 AS n_before
                    FROM {kin}))
    """


def relationship_rows_sql(bucket: str, omop_fact_relationship: str, linked: str = "") -> str:
    """The ``fact_relationship`` rows of some buckets, from the staged lines and from OMOP deliveries.

    In: bucket — of a person, as SQL; it stands first; linked — relations of other rows, as the columns of the table.
    """
    person = concepts.DOMAIN_PERSON
    from_other = f"relationship_concept_id = {CHILD_OF_SUBJECT}"
    more = f"UNION ALL SELECT * FROM ({linked})" if linked else ""
    return f"""
        SELECT {bucket} AS bucket, domain_1 AS domain_concept_id_1, subject AS fact_id_1,
               domain_2 AS domain_concept_id_2, other AS fact_id_2, relationship AS relationship_concept_id
        FROM (SELECT person_id, {person} AS domain_1, subject, {person} AS domain_2, other, relationship FROM (
              SELECT person_id, person_id AS subject, mother_id AS other, {concepts.MOTHER_OF_SUBJECT} AS relationship
              FROM stage_kin WHERE verdict = {KEPT}
              UNION ALL
              SELECT person_id, mother_id, person_id, {CHILD_OF_SUBJECT} FROM stage_kin WHERE verdict = {KEPT}
              UNION ALL
              SELECT person_id, CASE WHEN {from_other} THEN other_id ELSE person_id END,
                     CASE WHEN {from_other} THEN person_id ELSE other_id END, relationship_concept_id
              FROM {omop_fact_relationship})
              {more})
        ORDER BY bucket, domain_1, subject, domain_2, other, relationship
    """
