"""Cases: observation periods with the outcome, what else is known of them, and their exposures."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.plans.people import day_number

FAR_PAST = -4_000_000
"""The day of birth where it is not known; no age fits it."""


def plan_cases(outcome: int) -> str:
    """Make ``study_case``: the observation periods in which a stretch of the outcome starts, with a dense number."""
    return f"""
        CREATE OR REPLACE TEMP TABLE study_case AS
        SELECT
            CAST(row_number() OVER (ORDER BY observed.ordinal, observed.first_day) - 1 AS INTEGER) AS number,
            observed.ordinal, observed.person_id, observed.first_day, observed.last_day
        FROM study_observed AS observed
        SEMI JOIN (SELECT * FROM study_event WHERE cohort = {outcome}) AS event
            ON event.ordinal = observed.ordinal AND event.first_day BETWEEN observed.first_day AND observed.last_day
    """


def plan_case_rows() -> str:
    """The cases in the order of their numbers.

    Out: one row per case: ordinal, person_id, first_day, last_day, born_day (FAR_PAST where it is not known)
    """
    born_day = f"coalesce({day_number('person.born_on')}, {FAR_PAST})"
    return f"""
        SELECT
            study_case.ordinal, CAST(study_case.person_id AS BIGINT) AS person_id,
            study_case.first_day, study_case.last_day, {born_day} AS born_day
        FROM study_case
        JOIN study_person AS person ON person.ordinal = study_case.ordinal
        ORDER BY study_case.number
    """


def plan_case_events(cohorts: Sequence[int]) -> str:
    """The stretches of some cohorts that start while the cases are observed.

    Out: one row per case and stretch: number, cohort, first_day, last_day
    """
    wanted = ", ".join(str(int(cohort)) for cohort in cohorts)
    return f"""
        SELECT study_case.number, event.cohort, event.first_day, event.last_day
        FROM study_case
        JOIN study_event AS event
            ON event.ordinal = study_case.ordinal
            AND event.first_day BETWEEN study_case.first_day AND study_case.last_day
        WHERE event.cohort IN ({wanted})
    """


def plan_n_observed() -> str:
    """How many persons are observed at any time, and the last day on which anybody is.

    Out: one row: n_persons, last_day (null without any)
    """
    return "SELECT CAST(count(DISTINCT ordinal) AS BIGINT) AS n_persons, max(last_day) AS last_day FROM study_observed"
