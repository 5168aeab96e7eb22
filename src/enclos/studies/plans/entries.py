"""Entries: the stretches of the cohorts that an analysis follows, and what is known of the person on the first day."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.model import DayWindow

NO_SEX, MALE, FEMALE = 0, 1, 2
"""How ``study_entry`` says a person's sex."""

FAR = 10_000_000
"""Days beyond any date."""


def plan_entries(cohorts: Sequence[int]) -> str:
    """Make ``study_entry`` of the stretches of some cohorts.

    ``age`` is completed years on the first day, NULL where the birth is not known; ``next_day`` is the first day of the
    person's next stretch in the same cohort.

    Source: PatientProfiles 1.5, addDemographics: born on 29 February, a person turns a year older on 1 March.
    """
    wanted = ", ".join(str(int(cohort)) for cohort in cohorts)
    day = "(DATE '1970-01-01' + event.first_day)"
    return f"""
        CREATE OR REPLACE TEMP TABLE study_entry AS
        SELECT
            CAST(row_number() OVER (ORDER BY event.cohort, event.ordinal, event.first_day) - 1 AS INTEGER) AS entry,
            event.cohort, event.ordinal, event.first_day, event.last_day,
            observed.first_day AS observed_first,
            observed.last_day AS observed_last,
            {completed_years(day, "person.born_on")} AS age,
            CASE person.sex WHEN 'male' THEN {MALE} WHEN 'female' THEN {FEMALE} ELSE {NO_SEX} END AS sex,
            lead(event.first_day) OVER (PARTITION BY event.cohort, event.ordinal ORDER BY event.first_day) AS next_day
        FROM study_event AS event
        JOIN study_observed AS observed
            ON observed.ordinal = event.ordinal AND event.first_day BETWEEN observed.first_day AND observed.last_day
        JOIN study_person AS person ON person.ordinal = event.ordinal
        WHERE event.cohort IN ({wanted})
    """


def completed_years(day: str, born_on: str) -> str:
    """The SQL of a person's age on a day; NULL where the birth is not known."""
    return f"CAST(floor(({_as_number(day)} - {_as_number(born_on)}) / 10000) AS INTEGER)"


def _as_number(day: str) -> str:
    """Year, month and day as one number, so that a difference of 10 000 is a completed year."""
    return f"(year({day}) * 10000 + month({day}) * 100 + day({day}))"


def plan_entry_rows() -> str:
    """The entries in the order of their numbers.

    Out: one row per entry: the columns of ``study_entry``; age and next_day can be NULL
    """
    return "SELECT * FROM study_entry ORDER BY entry"


def plan_intersections(wanted: Sequence[tuple[int, DayWindow]]) -> str:
    """The stretches of other cohorts around each entry, within the observation period of its first day.

    In:     wanted — cohort and window of each number
    Out:    one row per number and entry that has any: number, entry, n, first_day (of the first of them)
    Source: PatientProfiles 1.5, addCohortIntersect with ``inObservation``.
    """
    rows = ", ".join(
        f"({number}, {cohort}, {from_day(window)}, {to_day(window)})" for number, (cohort, window) in enumerate(wanted)
    )
    return f"""
        SELECT
            wanted.number, entry.entry,
            CAST(count(*) AS BIGINT) AS n,
            CAST(min(target.first_day) AS BIGINT) AS first_day
        FROM study_entry AS entry
        JOIN study_event AS target
            ON target.ordinal = entry.ordinal
            AND target.first_day <= entry.observed_last AND target.last_day >= entry.observed_first
        JOIN (SELECT * FROM (VALUES {rows}) AS given(number, cohort, from_day, to_day)) AS wanted
            ON wanted.cohort = target.cohort
            AND target.last_day >= entry.first_day + wanted.from_day
            AND target.first_day <= entry.first_day + wanted.to_day
        GROUP BY wanted.number, entry.entry
    """


def plan_windows(windows: Sequence[DayWindow]) -> str:
    """Windows by their number; an open end is further away than any day.

    Out: one row per window: number, from_day, to_day
    """
    rows = ", ".join(f"({at}, {from_day(each)}, {to_day(each)})" for at, each in enumerate(windows))
    return f"(SELECT * FROM (VALUES {rows}) AS given(number, from_day, to_day))"


def from_day(window: DayWindow) -> int:
    """The first day of a window as a number."""
    return -FAR if window.from_day is None else window.from_day


def to_day(window: DayWindow) -> int:
    """The last day of a window as a number."""
    return FAR if window.to_day is None else window.to_day
