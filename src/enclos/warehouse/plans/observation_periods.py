"""OBSERVATION_PERIOD: the days on which care, had there been any, would be in the snapshot.

* A person of the national reference is observed by right: from the latest of the first delivered day, the first day of
  the birth month and the first sign of affiliation (insertion into the reference, first care or first stay),
  to the earlier of death and the last delivered day. Type: claim enrolment record.
* A person known from one OMOP delivery only keeps the periods delivered.
* Any other person of a hospital is observed from the first to the last day of a visit. Type: standard algorithm.
"""

from __future__ import annotations

from datetime import timedelta

from enclos.lexicon.spans import Span
from enclos.warehouse import concepts
from enclos.warehouse.plans.relations import numbered_sql
from enclos.warehouse.plans.traps import KEPT, RIGHTS_PERIOD, Trap, verdict_sql
from enclos.warehouse.plans.visits import CARE, HOSPITAL, PMSI

RULE = "rights-1"
OMOP_TRAPS: tuple[Trap, ...] = (RIGHTS_PERIOD,)


def observation_periods_sql(omop_observation_period: str, days: Span | None) -> str:
    """The observation periods of a bucket.

    In: the staged persons, deaths and visits; days — those that the national deliveries cover, None without them.
    Out: observation_period_id, person_id, start, end (inclusive), type.
    Empty: a person who died before the first delivered day has none.
    """
    first = f"DATE '{days.start_on}'" if days else "CAST(NULL AS DATE)"
    last = f"DATE '{days.end_on - timedelta(days=1)}'" if days else "CAST(NULL AS DATE)"
    return f"""
        WITH care AS (
            SELECT person_id, min(start_on) FILTER (WHERE origin IN ({CARE}, {PMSI})) AS first_care_on,
                   min(start_on) FILTER (WHERE origin = {HOSPITAL}) AS first_visit_on,
                   max(end_on) FILTER (WHERE origin = {HOSPITAL}) AS last_visit_on
            FROM (SELECT person_id, origin, start_on, end_on FROM stage_care_visits
                  UNION ALL SELECT person_id, origin, start_on, end_on FROM stage_stay_visits
                  UNION ALL SELECT person_id, origin, start_on, end_on FROM stage_hospital_visits)
            GROUP BY person_id
        ),
        delivered AS (
            SELECT person_id, count(DISTINCT source) AS n_sources,
                   min(observation_period_start_date) AS start_on, max(observation_period_end_date) AS end_on
            FROM {omop_observation_period} GROUP BY person_id
        ),
        by_right AS (
            SELECT p.person_id,
                   greatest({first}, p.birth_on, least(p.insured_on, c.first_care_on)) AS start_on,
                   least({last}, d.death_on) AS end_on, {concepts.TYPE_ENROLMENT} AS type_concept_id
            FROM stage_persons AS p LEFT JOIN care AS c USING (person_id)
            LEFT JOIN (SELECT person_id, death_on FROM stage_deaths WHERE choice = 1) AS d USING (person_id)
            WHERE p.known_by_snds
        ),
        by_visits AS (
            SELECT p.person_id, least(c.first_visit_on, o.start_on) AS start_on,
                   greatest(c.last_visit_on, o.end_on) AS end_on, {concepts.TYPE_ALGORITHM} AS type_concept_id
            FROM stage_persons AS p LEFT JOIN care AS c USING (person_id) LEFT JOIN delivered AS o USING (person_id)
            WHERE NOT p.known_by_snds AND (c.first_visit_on IS NOT NULL OR o.n_sources > 1)
        ),
        as_delivered AS (
            SELECT o.person_id, o.observation_period_start_date AS start_on, o.observation_period_end_date AS end_on,
                   o.period_type_concept_id AS type_concept_id
            FROM {omop_observation_period} AS o
            WHERE o.person_id NOT IN (SELECT person_id FROM by_visits)
              AND o.person_id NOT IN (SELECT person_id FROM stage_persons WHERE known_by_snds)
        ),
        every_period AS (
            SELECT * FROM by_right WHERE start_on <= end_on
            UNION ALL SELECT * FROM by_visits WHERE start_on IS NOT NULL
            UNION ALL SELECT * FROM as_delivered
        )
        SELECT {numbered_sql("person_id", "start_on, end_on, type_concept_id")} AS observation_period_id,
               person_id, start_on AS observation_period_start_date, end_on AS observation_period_end_date,
               type_concept_id AS period_type_concept_id
        FROM every_period ORDER BY person_id, start_on
    """


def omop_lines_sql(omop_observation_period: str) -> str:
    """The verdict on each delivered period: it is kept, or the rights of its person give the period."""
    return f"""
        SELECT verdict, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT {verdict_sql(OMOP_TRAPS)} AS verdict
              FROM (SELECT person_id IN (SELECT person_id FROM stage_persons WHERE known_by_snds) AS known_by_snds
                    FROM {omop_observation_period}))
    """
