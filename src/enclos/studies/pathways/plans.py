"""Eras of treatments after an index day."""

from __future__ import annotations

from collections.abc import Sequence

NO_TREATMENT = -1
NO_AGE = -1


def plan_eras(target: int, treatments: Sequence[int], follow_up_days: int | None, min_era_days: int) -> str:
    """The eras of treatments that start between a person's index day and the end of looking.

    The index day is the first day of the person's first entry into the target cohort; ``study_entry`` must be made.

    Out: one row per person of the target and era, in order: ordinal, sex, age (-1 when not known), index_year,
         treatment (cohort; -1 for a person without any), first_day, last_day
    """
    end = "last_day" if follow_up_days is None else f"least(observed_last, first_day + {follow_up_days})"
    wanted = ", ".join(str(int(each)) for each in treatments)
    return f"""
        WITH first_entry AS (
            SELECT ordinal, sex, age, first_day, {end} AS end_day
            FROM study_entry
            WHERE cohort = {target}
            QUALIFY row_number() OVER (PARTITION BY ordinal ORDER BY first_day) = 1
        )
        SELECT
            entry.ordinal, entry.sex,
            coalesce(entry.age, {NO_AGE}) AS age,
            year(DATE '1970-01-01' + entry.first_day) AS index_year,
            CAST(coalesce(era.cohort, {NO_TREATMENT}) AS INTEGER) AS treatment,
            coalesce(era.first_day, 0) AS first_day,
            coalesce(era.last_day, 0) AS last_day
        FROM first_entry AS entry
        LEFT JOIN study_event AS era
            ON era.ordinal = entry.ordinal
            AND era.cohort IN ({wanted})
            AND era.first_day BETWEEN entry.first_day AND entry.end_day
            AND era.last_day - era.first_day >= {min_era_days}
        ORDER BY entry.ordinal, era.first_day, era.last_day, era.cohort
    """
