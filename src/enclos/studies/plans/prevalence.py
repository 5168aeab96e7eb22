"""Persons present, and outcomes while they are."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.rules.outline import Pair


def plan_stays(denominators: Sequence[int]) -> str:
    """The stretches in which persons are present.

    Out: one row per stretch: denominator, ordinal, first_day, last_day
    """
    wanted = ", ".join(str(denominator) for denominator in denominators)
    return f"SELECT denominator, ordinal, first_day, last_day FROM study_denominator WHERE denominator IN ({wanted})"


def plan_event_counts() -> str:
    """How many stretches of each cohort a person has, at any time.

    Out: one row per cohort and person with any: cohort, ordinal, n_events
    """
    return "SELECT cohort, ordinal, CAST(count(*) AS BIGINT) AS n_events FROM study_event GROUP BY cohort, ordinal"


def plan_cases(pairs: Sequence[Pair]) -> str:
    """Outcomes during stays.

    Out: one row per stay and outcome that share a day: pair, ordinal, stay_first_day, stay_last_day, and the shared
         days first_day to last_day
    """
    values = ", ".join(f"({pair.number}, {pair.denominator}, {pair.cohort})" for pair in pairs)
    return f"""
        SELECT
            CAST(wanted.pair AS USMALLINT) AS pair,
            stay.ordinal,
            stay.first_day AS stay_first_day,
            stay.last_day AS stay_last_day,
            greatest(stay.first_day, event.first_day) AS first_day,
            least(stay.last_day, event.last_day) AS last_day
        FROM study_denominator AS stay
        JOIN (VALUES {values}) AS wanted(pair, denominator, cohort) ON wanted.denominator = stay.denominator
        JOIN study_event AS event
            ON event.ordinal = stay.ordinal
            AND event.cohort = wanted.cohort
            AND event.first_day <= stay.last_day
            AND event.last_day >= stay.first_day
    """
