"""SQL of characterisations: what happens around each entry, each table read once."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.model import DayWindow, Domain
from enclos.studies.plans import cohorts
from enclos.studies.plans.entries import plan_windows
from enclos.studies.plans.people import day_number


def plan_large_scale(domain: Domain, windows: Sequence[DayWindow], *, episodes: bool) -> str:
    """Every concept that an entry has in each window, records without a concept left out.

    Out:    one row per window, concept and entry, in that order: number (of the window), concept_id, entry
    Source: CohortCharacteristics 1.1, summariseLargeScaleCharacteristics: a record counts when it shares a day with the
            observation period of the entry's first day; an open end is the first day.
    """
    _, concept, start, *end = cohorts.columns_read(domain)
    concept, first_day = f"record.{concept}", day_number(f"record.{start}")
    last_day = f"coalesce({day_number(f'record.{end[0]}')}, {first_day})" if end else first_day
    end_in_window = "happened.last_day" if episodes else "happened.first_day"
    return f"""
        WITH happened AS (
            SELECT DISTINCT
                person.ordinal, CAST({concept} AS BIGINT) AS concept_id,
                {first_day} AS first_day, {last_day} AS last_day
            FROM {cohorts.DOMAIN_TABLES[domain]} AS record
            JOIN study_person AS person ON person.person_id = record.person_id
            WHERE {concept} <> 0
        )
        SELECT DISTINCT given.number, happened.concept_id, entry.entry
        FROM happened
        JOIN study_entry AS entry
            ON entry.ordinal = happened.ordinal
            AND happened.last_day >= entry.observed_first AND happened.first_day <= entry.observed_last
        JOIN {plan_windows(windows)} AS given
            ON {end_in_window} >= entry.first_day + given.from_day
            AND happened.first_day <= entry.first_day + given.to_day
        ORDER BY given.number, happened.concept_id, entry.entry
    """


def plan_timing(*, first_only: bool) -> str:
    """Days between entries of one person into two cohorts.

    Out: one row per pair of entries: reference, comparator (cohorts), ordinal, n_days (from reference to comparator)
    """
    entry = "(SELECT cohort, ordinal, first_day FROM study_entry)"
    if first_only:
        entry = "(SELECT cohort, ordinal, min(first_day) AS first_day FROM study_entry GROUP BY cohort, ordinal)"
    return f"""
        WITH entry AS {entry}
        SELECT
            reference.cohort AS reference, comparator.cohort AS comparator, reference.ordinal,
            comparator.first_day - reference.first_day AS n_days
        FROM entry AS reference
        JOIN entry AS comparator
            ON comparator.ordinal = reference.ordinal AND comparator.cohort <> reference.cohort
    """


def plan_concept_names(concepts: Sequence[int]) -> str:
    """The names of concepts that the vocabulary has.

    Out: one row per concept: concept_id, concept_name
    """
    wanted = ", ".join(str(int(concept)) for concept in concepts)
    return (
        "SELECT CAST(concept_id AS BIGINT) AS concept_id, any_value(concept_name) AS concept_name "
        f"FROM concept WHERE concept_id IN ({wanted}) GROUP BY concept_id"
    )
