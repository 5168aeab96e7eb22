"""Exposures with time around them, outcomes with the time before them, and who could be compared."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.cases.model import SelfControlledCohort
from enclos.studies.plans.entries import FEMALE, MALE, NO_SEX, from_day, to_day
from enclos.studies.plans.people import day_number

NEVER = 10_000_000
"""The day of an outcome that does not come, and of a birth that is not known."""


def plan_windows(exposure: int, outcome: int, asked: SelfControlledCohort) -> str:
    """The time after and before each exposure, with the outcomes in it.

    An exposure counts when some time of both windows is observed.

    Out:    one row per exposure: ordinal, n_risk_days, n_control_days, n_risk, n_control (outcomes)
    Source: SelfControlledCohort 1.6, ComputeSccRiskWindows.sql and Scc.sql. Where a window lies wholly outside the
            observation period, the peer counts the period's first or last day as the window; here there is none.
    """
    length = "(entry.last_day - entry.first_day)" if asked.add_exposure_days else "0"
    first_exposure = "QUALIFY row_number() OVER (PARTITION BY ordinal ORDER BY first_day) = 1"
    first_outcome = "QUALIFY row_number() OVER (PARTITION BY ordinal ORDER BY first_day) = 1"
    full = "AND risk_last <= observed_last AND control_first >= observed_first" if asked.full_windows else ""
    return f"""
        WITH entry AS (
            SELECT ordinal, first_day, last_day FROM study_event WHERE cohort = {exposure}
            {first_exposure if asked.first_exposure_only else ""}
        ),
        outcome AS (
            SELECT ordinal, first_day FROM study_event WHERE cohort = {outcome}
            {first_outcome if asked.first_outcome_only else ""}
        ),
        around AS (
            SELECT
                entry.ordinal, entry.first_day,
                observed.first_day AS observed_first, observed.last_day AS observed_last,
                entry.first_day + {from_day(asked.risk_window)} AS risk_first,
                entry.first_day + {to_day(asked.risk_window)} + {length} AS risk_last,
                entry.first_day + {from_day(asked.control_window)} - {length} AS control_first,
                entry.first_day + {to_day(asked.control_window)} AS control_last
            FROM entry
            JOIN study_observed AS observed
                ON observed.ordinal = entry.ordinal
                AND entry.first_day BETWEEN observed.first_day AND observed.last_day
        ),
        kept AS (
            SELECT
                row_number() OVER (ORDER BY ordinal, first_day) AS number, ordinal,
                greatest(risk_first, observed_first) AS risk_first, least(risk_last, observed_last) AS risk_last,
                greatest(control_first, observed_first) AS control_first,
                least(control_last, observed_last) AS control_last
            FROM around
            WHERE risk_first <= observed_last AND risk_last >= risk_first
                AND control_last >= observed_first AND control_last >= control_first
                AND first_day - observed_first >= {asked.days_prior_observation}
                AND observed_last - first_day >= {asked.follow_up_days} {full}
        )
        SELECT
            any_value(kept.ordinal) AS ordinal,
            any_value(risk_last - risk_first + 1) AS n_risk_days,
            any_value(control_last - control_first + 1) AS n_control_days,
            count(*) FILTER (outcome.first_day BETWEEN risk_first AND risk_last) AS n_risk,
            count(*) FILTER (outcome.first_day BETWEEN control_first AND control_last) AS n_control
        FROM kept
        LEFT JOIN outcome ON outcome.ordinal = kept.ordinal
        GROUP BY kept.number
        ORDER BY kept.number
    """


def plan_index(outcome: int, within: int | None, days_prior: int, *, first_only: bool) -> str:
    """Make ``study_index``: the outcomes of cases with enough time before them.

    Which outcome is the first is asked before time is.

    In: within — the cohort that time is counted in; None: observation
    """
    first = "QUALIFY row_number() OVER (PARTITION BY ordinal ORDER BY first_day) = 1" if first_only else ""
    return f"""
        CREATE OR REPLACE TEMP TABLE study_index AS
        WITH outcome AS (SELECT ordinal, first_day AS day FROM study_event WHERE cohort = {outcome} {first})
        SELECT outcome.ordinal, outcome.day, stay.first_day AS entry_day
        FROM outcome
        JOIN ({_stays(within)}) AS stay
            ON stay.ordinal = outcome.ordinal AND outcome.day BETWEEN stay.first_day AND stay.last_day
        WHERE outcome.day - stay.first_day >= {days_prior}
    """


def _stays(within: int | None) -> str:
    if within is None:
        return "SELECT ordinal, first_day, last_day FROM study_observed"
    return f"SELECT ordinal, first_day, last_day FROM study_event WHERE cohort = {within}"


def plan_n_outcomes(outcome: int) -> str:
    """The outcomes of each person who has any.

    Out: one row per person: ordinal, n_outcomes
    """
    counted = "CAST(count(*) AS BIGINT) AS n_outcomes"
    return f"SELECT ordinal, {counted} FROM study_event WHERE cohort = {outcome} GROUP BY ordinal"


def plan_index_rows() -> str:
    """The cases' outcomes.

    Out: one row per outcome, in order: ordinal, person_id, day, entry_day
    """
    return """
        SELECT own.ordinal, CAST(person.person_id AS BIGINT) AS person_id, own.day, own.entry_day
        FROM study_index AS own
        JOIN study_person AS person ON person.ordinal = own.ordinal
        ORDER BY own.ordinal, own.day
    """


def plan_exposures(cohorts: Sequence[int], *, of_cases: bool) -> str:
    """The stretches of exposures, of cases or of all.

    Out: one row per stretch: ordinal, cohort, first_day, last_day
    """
    wanted = ", ".join(str(int(cohort)) for cohort in cohorts)
    among = "AND ordinal IN (SELECT ordinal FROM study_index)" if of_cases else ""
    return f"SELECT ordinal, cohort, first_day, last_day FROM study_event WHERE cohort IN ({wanted}) {among}"


def plan_stays(outcome: int, within: int | None) -> str:
    """The time in which persons can be compared.

    Out: one row per stretch: ordinal, person_id, sex, born_day, first_day, last_day, outcome_day (of the person's first
         outcome); NEVER where there is no such day
    """
    return f"""
        SELECT
            stay.ordinal, CAST(person.person_id AS BIGINT) AS person_id,
            CASE person.sex WHEN 'male' THEN {MALE} WHEN 'female' THEN {FEMALE} ELSE {NO_SEX} END AS sex,
            coalesce({day_number("person.born_on")}, {NEVER}) AS born_day,
            stay.first_day, stay.last_day,
            coalesce(outcome.day, {NEVER}) AS outcome_day
        FROM ({_stays(within)}) AS stay
        JOIN study_person AS person ON person.ordinal = stay.ordinal
        LEFT JOIN (
            SELECT ordinal, min(first_day) AS day FROM study_event WHERE cohort = {outcome} GROUP BY ordinal
        ) AS outcome ON outcome.ordinal = stay.ordinal
    """
