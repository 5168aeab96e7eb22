"""Persons and the time they are observed."""

from __future__ import annotations

from collections.abc import Iterable

MALE_CONCEPT, FEMALE_CONCEPT = 8507, 8532
"""OMOP gender concepts."""

GIVEN = "study_given"
"""Entries on their way into ``study_event``; there for a moment."""

TEMPORARY_TABLES: tuple[str, ...] = (
    "study_person",
    "study_observed",
    "study_home",
    "study_base",
    "study_code",
    "study_event",
    "study_denominator",
    "study_gap",
    "study_entry",
    "study_exposure",
    "study_case",
    "study_index",
)
"""What a study leaves behind in a bucket until it is dropped."""


def day_number(date_expression: str) -> str:
    """The SQL of a date's number."""
    return f"CAST({date_expression} - DATE '1970-01-01' AS INTEGER)"


def plan_observed_days() -> str:
    """The first and last observed day of the bucket; NULL when nobody is observed.

    Out: one row: first_day, last_day
    """
    return (
        f"SELECT {day_number('min(observation_period_start_date)')} AS first_day, "
        f"{day_number('max(observation_period_end_date)')} AS last_day "
        "FROM observation_period SEMI JOIN person USING (person_id)"
    )


def plan_person() -> str:
    """Make ``study_person``; a missing month or day of birth counts as the first.

    Source: IncidencePrevalence, getDenominatorCohorts: dates of birth; sex is known when 8507 or 8532.
    """
    return f"""
        CREATE OR REPLACE TEMP TABLE study_person AS
        SELECT
            CAST(row_number() OVER (ORDER BY person_id) - 1 AS INTEGER) AS ordinal,
            person_id,
            CASE gender_concept_id WHEN {MALE_CONCEPT} THEN 'male' WHEN {FEMALE_CONCEPT} THEN 'female' END AS sex,
            make_date(CAST(year_of_birth AS INTEGER), CAST(coalesce(month_of_birth, 1) AS INTEGER), 1)
                + CAST(coalesce(day_of_birth, 1) - 1 AS INTEGER) AS born_on
        FROM person
    """


def plan_observed() -> str:
    """Make ``study_observed``."""
    return f"""
        CREATE OR REPLACE TEMP TABLE study_observed AS
        SELECT
            study_person.ordinal,
            study_person.person_id,
            {day_number("observation_period_start_date")} AS first_day,
            {day_number("observation_period_end_date")} AS last_day
        FROM observation_period
        JOIN study_person USING (person_id)
    """


DEPARTMENTS = "study_department"
"""Departments and their numbers on their way into ``study_home``; there for a moment."""


def plan_departments() -> str:
    """Where the persons of the bucket live.

    Out: one row per department: department
    """
    return "SELECT DISTINCT county AS department FROM location SEMI JOIN person USING (location_id) WHERE county <> ''"


def plan_homes() -> str:
    """Where each person of the bucket lives, as far as it is known.

    Out: one row per person: ordinal, department
    """
    return """
        SELECT study_person.ordinal, any_value(location.county) AS department
        FROM person
        JOIN location ON location.location_id = person.location_id
        JOIN study_person ON study_person.person_id = person.person_id
        WHERE location.county <> ''
        GROUP BY study_person.ordinal
    """


def plan_home() -> str:
    """Make ``study_home``: the number of the department of each person for whom it is known.

    In: DEPARTMENTS — department, number
    """
    return f"""
        CREATE OR REPLACE TEMP TABLE study_home AS
        SELECT study_person.ordinal, any_value(known.number) AS department
        FROM person
        JOIN location ON location.location_id = person.location_id
        JOIN {DEPARTMENTS} AS known ON known.department = location.county
        JOIN study_person ON study_person.person_id = person.person_id
        GROUP BY study_person.ordinal
    """


def plan_person_numbers() -> str:
    """The person number of each ordinal, in order."""
    return "SELECT CAST(person_id AS BIGINT) AS person_id FROM study_person ORDER BY ordinal"


def plan_drops() -> Iterable[str]:
    """Drop whatever a study has made in the bucket."""
    return [f"DROP TABLE IF EXISTS {name}" for name in TEMPORARY_TABLES]
