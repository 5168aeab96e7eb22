"""Entries into a target cohort followed to an outcome, a competing outcome or the end of follow-up."""

from __future__ import annotations

from enclos.studies.rules.calendar import day_of
from enclos.studies.survival.model import FollowUp, Washout

CENSORED, OUTCOME, COMPETING = 0, 1, 2
"""How following an entry ended."""
KEPT, AFTER_CENSORING, IN_WASHOUT, TOO_SHORT, IN_COMPETING_WASHOUT, COMPETING_TOO_SHORT = range(6)
"""Why an entry is left out; reasons are tried in this order, ``KEPT`` when none holds."""


def plan_times(
    target: int,
    outcome: int,
    competing: int | None,
    washout: Washout,
    competing_washout: Washout,
    follow_up: FollowUp,
    *,
    at_end: bool = False,
) -> str:
    """How long each entry was followed and how it ended; ``study_entry`` must be made.

    An entry is followed to the end of the observation period that it lies in, or to the first of the other ends asked
    for. An outcome on that last day counts, but not one on the date of censoring. Of an outcome and a competing one on
    the same day the competing one counts. An outcome that began before the washout but lasts into it is in it.

    In:     at_end — whether the outcome is on the last day of an entry into its cohort
    Out:    one row per entry: ordinal, n_days, ending, reason (``KEPT`` or why it is left out), age (-1
            where the birth is not known), sex
    Source: CohortSurvival 1.1.2, addCohortSurvival and estimateCompetingRiskSurvival. The peer follows persons with
            several observation periods to an outcome in a later period; here they are lost at the end of their own.
            With a competing outcome it drops an outcome on the last day of follow-up; here it counts.
    """
    ends = ["entry.observed_last"]
    if follow_up.on_cohort_exit:
        ends.append("entry.last_day")
    if follow_up.n_days is not None:
        ends.append(f"entry.first_day + {follow_up.n_days}")
    censored = None if follow_up.on_date is None else day_of(follow_up.on_date)
    if censored is not None:
        ends.append(str(censored))
    joins = [_plan_first(target, outcome, washout, "first_outcome", "last_day" if at_end else "first_day")]
    if competing is not None:
        joins.append(_plan_first(target, competing, competing_washout, "first_competing", "first_day"))
    before = "" if censored is None else f"AND {{}}.day < {censored}"
    outcome_day = _within_days("first_outcome", before)
    competing_day = "NULL" if competing is None else _within_days("first_competing", before)
    after_censoring = "FALSE" if censored is None else f"entry.first_day > {censored}"
    in_competing_washout = "FALSE" if competing is None else "first_competing.in_washout"
    return f"""
        WITH followed AS (
            SELECT *, least({", ".join(ends)}) AS end_day FROM study_entry AS entry WHERE entry.cohort = {target}
        ),
        timed AS (
            SELECT
                entry.ordinal, entry.age, entry.sex,
                entry.end_day - entry.first_day AS days_to_end,
                {outcome_day} - entry.first_day AS days_to_outcome,
                {competing_day} - entry.first_day AS days_to_competing,
                {after_censoring} AS after_censoring,
                coalesce(first_outcome.in_washout, FALSE) AS in_washout,
                coalesce({in_competing_washout}, FALSE) AS in_competing_washout
            FROM followed AS entry
            {" ".join(joins)}
        )
        SELECT
            ordinal, coalesce(age, -1) AS age, sex,
            CAST(least(days_to_end, days_to_outcome, days_to_competing) AS INTEGER) AS n_days,
            CAST(CASE
                WHEN days_to_competing <= coalesce(days_to_outcome, days_to_competing) THEN {COMPETING}
                WHEN days_to_outcome IS NOT NULL THEN {OUTCOME}
                ELSE {CENSORED}
            END AS TINYINT) AS ending,
            CAST(CASE
                WHEN after_censoring THEN {AFTER_CENSORING}
                WHEN in_washout THEN {IN_WASHOUT}
                WHEN coalesce(days_to_outcome, days_to_end) < {follow_up.minimum_days} THEN {TOO_SHORT}
                WHEN in_competing_washout THEN {IN_COMPETING_WASHOUT}
                WHEN days_to_competing < {follow_up.minimum_days} THEN {COMPETING_TOO_SHORT}
                ELSE {KEPT}
            END AS TINYINT) AS reason
        FROM timed
    """


def _plan_first(target: int, cohort: int, washout: Washout, name: str, day: str) -> str:
    """Join, to each entry, the cohort's first ``day`` from the entry on and whether the cohort lies in the washout."""
    since = "" if washout.n_days is None else f"AND event.last_day >= entry.first_day - {washout.n_days}"
    in_washout = "FALSE" if washout.n_days == 0 else f"bool_or(event.first_day < entry.first_day {since})"
    return f"""
        LEFT JOIN (
            SELECT
                entry.ordinal, entry.first_day,
                min(event.{day}) FILTER (event.{day} >= entry.first_day) AS day,
                {in_washout} AS in_washout
            FROM study_entry AS entry
            JOIN study_event AS event ON event.ordinal = entry.ordinal AND event.cohort = {cohort}
            WHERE entry.cohort = {target}
            GROUP BY entry.ordinal, entry.first_day
        ) AS {name} ON {name}.ordinal = entry.ordinal AND {name}.first_day = entry.first_day
    """


def _within_days(name: str, before: str) -> str:
    return f"CASE WHEN {name}.day <= entry.end_day {before.format(name)} THEN {name}.day END"
