"""SQL of phenotype diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.model import CirceCohort, Cohort
from enclos.studies.plans.cohorts import Stage
from enclos.studies.plans.people import day_number

CODE, QUALIFIED = "study_listed", "study_qualified"
"""Concepts of the cohorts, and the events of Circe cohorts; each is there for a moment."""


def plan_concept_sets(cohorts: Sequence[int]) -> str:
    """The concepts of cohorts of concepts, as the bucket has resolved them.

    Out: one row per cohort and concept: cohort, concept_id
    """
    wanted = ", ".join(str(int(each)) for each in cohorts)
    return f"SELECT cohort, concept_id FROM study_code WHERE cohort IN ({wanted})"


def plan_related() -> str:
    """Concepts that the vocabulary relates to those of ``study_listed``, and that the same list does not have.

    Out:    one row per list and concept, in order: asked, cohort, concept_id
    Source: CodelistGenerator 4, summariseOrphanCodes: descendants, direct ancestors, valid relationships.
    """
    return f"""
        WITH related AS (
            SELECT ancestor_concept_id AS concept_id, descendant_concept_id AS other FROM concept_ancestor
            UNION ALL
            SELECT descendant_concept_id, ancestor_concept_id FROM concept_ancestor WHERE min_levels_of_separation = 1
            UNION ALL
            SELECT concept_id_1, concept_id_2 FROM concept_relationship WHERE invalid_reason IS NULL
        ),
        found AS (
            SELECT DISTINCT listed.asked, listed.cohort, CAST(related.other AS BIGINT) AS concept_id
            FROM {CODE} AS listed JOIN related ON related.concept_id = listed.concept_id
            WHERE related.other <> 0
        )
        SELECT asked, cohort, concept_id FROM found ANTI JOIN {CODE} AS own USING (asked, concept_id)
        ORDER BY asked, concept_id
    """


def plan_code_use(table: str, concept: str, start: str) -> str:
    """Records of the concepts of ``study_listed`` (asked, cohort, concept_id) in a table, within observation.

    In:  asked — the cohort's place in the analysis
    Out: one row per cohort, concept and person, in that order: asked, concept_id, ordinal, n (records), n_entry (those
         that start on a day on which an entry does), is_member (whether the person ever enters the cohort)
    """
    day = day_number(f"record.{start}")
    return f"""
        WITH happened AS (
            SELECT listed.asked, listed.cohort, listed.concept_id, observed.ordinal, {day} AS day
            FROM {table} AS record
            JOIN {CODE} AS listed ON listed.concept_id = record.{concept}
            JOIN study_observed AS observed
                ON observed.person_id = record.person_id
                AND {day} BETWEEN observed.first_day AND observed.last_day
        ),
        entry AS (SELECT DISTINCT cohort, ordinal, first_day FROM study_event),
        member AS (SELECT DISTINCT cohort, ordinal FROM study_event)
        SELECT
            happened.asked, happened.concept_id, happened.ordinal,
            CAST(count(*) AS BIGINT) AS n,
            CAST(count(entry.first_day) AS BIGINT) AS n_entry,
            any_value(member.ordinal) IS NOT NULL AS is_member
        FROM happened
        LEFT JOIN entry
            ON entry.cohort = happened.cohort AND entry.ordinal = happened.ordinal AND entry.first_day = happened.day
        LEFT JOIN member ON member.cohort = happened.cohort AND member.ordinal = happened.ordinal
        GROUP BY happened.asked, happened.concept_id, happened.ordinal
        ORDER BY happened.asked, happened.concept_id, happened.ordinal
    """


def plan_qualified(left: str) -> str:
    """Make ``study_qualified``: for each event that the rules of a Circe cohort look at, how many it fulfils.

    In: left — the table with one row per event: cohort, person_id, n_rules
    """
    return f"""
        CREATE OR REPLACE TEMP TABLE {QUALIFIED} AS
        SELECT qualified.cohort, person.ordinal, qualified.n_rules
        FROM {left} AS qualified
        JOIN study_person AS person ON person.person_id = qualified.person_id
    """


def plan_circe_stages(cohorts: Sequence[Cohort], number: int, among: int) -> list[Stage]:
    """What each rule leaves of the entry events of a Circe cohort, then what limits, exits and eras make of them.

    In: among — its place among the definitions that ``study_qualified`` was made of
    """
    cohort = cohorts[number]
    if not isinstance(cohort, CirceCohort):
        raise TypeError("only a Circe definition has rules")
    reasons = ["Initial qualifying events", *(rule.name for rule in cohort.definition.rules)]
    stages = [
        Stage(reason, f"SELECT ordinal FROM {QUALIFIED} WHERE cohort = {int(among)} AND n_rules >= {n}")
        for n, reason in enumerate(reasons)
    ]
    return [*stages, Stage("Limits, exits and eras", f"SELECT ordinal FROM study_event WHERE cohort = {int(number)}")]


def plan_left(stage: Stage) -> str:
    """What a stage leaves.

    Out: one row per person: ordinal, n
    """
    return f"SELECT ordinal, CAST(count(*) AS BIGINT) AS n FROM ({stage.entries}) GROUP BY ordinal"
