"""SQL of utilisation: exposures of each entry, and what surrounds it."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.model import DayWindow, Domain
from enclos.studies.plans import cohorts
from enclos.studies.plans.entries import plan_windows
from enclos.studies.plans.people import day_number
from enclos.studies.utilisation.model import Until
from enclos.studies.utilisation.strengths import plan_strengths

_DAILY_DOSE = """
            CASE WHEN exposure.quantity > 0 THEN coalesce(
                strength.per_day,
                strength.per_piece * exposure.quantity / (exposure.last_day - exposure.first_day + 1)
            ) END"""
"""Of an ``exposure`` and the ``strength`` of its drug; NULL where none follows."""


def plan_exposures(
    drugs: Sequence[int],
    until: Until,
    *,
    ruled: bool,
    incident: bool,
    ingredient: int | None = None,
    n_days: int | None = None,
) -> str:
    """Make ``study_exposure``: the exposures to each cohort's drugs during each entry.

    Columns: entry, drug (the cohort whose concepts it is of), first_day, last_day (its own), from_day, to_day (of it in
    the entry), quantity, dose and unit of a day.

    In:     n_days — exposures count no longer than so many days, the first day of the entry among them
    Source: DrugUtilisation 1.2, addDrugUtilisation: an exposure that ends before it starts is none; a dose needs a
            quantity above nought. One without an end is none either, as in generateDrugUtilisationCohortSet;
            addDrugUtilisation gives it a day.
    """
    first_day = day_number("record.drug_exposure_start_date")
    last_day, lasting = day_number("record.drug_exposure_end_date"), ""
    if ruled:
        last_day, lasting = cohorts.ruled_last_day(first_day, last_day)
    end = "entry.last_day" if until is Until.COHORT_END else "entry.observed_last"
    if n_days is not None:
        end = f"least({end}, entry.first_day + {int(n_days)} - 1)"
    start = "entry.first_day" if incident else "-10000000"
    dose, strength = "CAST(NULL AS DOUBLE) AS dose, CAST(NULL AS VARCHAR) AS unit", ""
    if ingredient is not None:
        dose = f"{_DAILY_DOSE} AS dose, strength.unit"
        strength = f"LEFT JOIN ({plan_strengths(ingredient)}) AS strength USING (drug_concept_id)"
    return f"""
        CREATE OR REPLACE TEMP TABLE study_exposure AS
        WITH exposure AS (
            SELECT
                study_code.cohort AS drug, study_person.ordinal, record.drug_concept_id,
                {first_day} AS first_day, {last_day} AS last_day, record.quantity
            FROM drug_exposure AS record
            JOIN study_code
                ON study_code.concept_id = record.drug_concept_id
                AND study_code.cohort IN ({", ".join(str(int(drug)) for drug in drugs)})
            JOIN study_person ON study_person.person_id = record.person_id{lasting}
        )
        SELECT
            entry.entry, exposure.drug, exposure.first_day, exposure.last_day,
            greatest(exposure.first_day, entry.first_day) AS from_day,
            least(exposure.last_day, {end}) AS to_day,
            CAST(exposure.quantity AS DOUBLE) AS quantity, {dose}
        FROM exposure
        JOIN study_entry AS entry
            ON entry.ordinal = exposure.ordinal
            AND exposure.first_day <= {end} AND exposure.first_day >= {start}
            AND exposure.last_day >= entry.first_day
        {strength}
        WHERE exposure.first_day <= exposure.last_day
    """


def plan_use(gap_days: int) -> str:
    """The use of each drug during each entry.

    Out: one row per entry and drug with an exposure: entry, drug, n_exposures, n_eras, days_to_exposure, days_exposed,
         days_prescribed, days_supplied (also those after the last that counts), initial_days, initial_quantity,
         quantity
    """
    return f"""
        WITH marked AS (
            SELECT
                *,
                min(exposure.first_day) OVER (PARTITION BY entry, drug) AS initial_day,
                max(last_day) OVER (
                    PARTITION BY entry, drug ORDER BY exposure.first_day, last_day
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS last_day_before
            FROM study_exposure AS exposure
        ),
        used AS (
            SELECT
                marked.entry, drug,
                CAST(count(*) AS BIGINT) AS n_exposures,
                CAST(count(*) FILTER (
                    last_day_before IS NULL OR first_day - last_day_before > {int(gap_days)}
                ) AS BIGINT) AS n_eras,
                min(first_day) AS first_used_day,
                CAST(coalesce(sum(first_day - last_day_before - 1) FILTER (
                    first_day - last_day_before > {int(gap_days)}
                ), 0) AS BIGINT) AS days_between,
                min(from_day) AS from_day, max(to_day) AS to_day,
                CAST(sum(to_day - from_day + 1) AS BIGINT) AS days_prescribed,
                CAST(sum(last_day - from_day + 1) AS BIGINT) AS days_supplied,
                CAST(max(last_day - first_day + 1) FILTER (first_day = initial_day) AS BIGINT) AS initial_days,
                coalesce(sum(quantity) FILTER (first_day = initial_day), 0.0) AS initial_quantity,
                coalesce(sum(quantity), 0.0) AS quantity
            FROM marked
            GROUP BY marked.entry, drug
        )
        SELECT
            used.entry, drug, n_exposures, n_eras,
            CAST(greatest(used.first_used_day - entry.first_day, 0) AS BIGINT) AS days_to_exposure,
            CAST(used.to_day - used.from_day + 1 - days_between AS BIGINT) AS days_exposed,
            days_prescribed, days_supplied, initial_days, initial_quantity, quantity
        FROM used
        JOIN study_entry AS entry ON entry.entry = used.entry
    """


def plan_doses() -> str:
    """Initial and cumulative dose of each drug during each entry, where a strength is understood.

    Out: one row per entry, drug and unit: entry, drug, unit, initial_dose (a day's), dose
    """
    return """
        SELECT
            exposure.entry, drug, unit,
            coalesce(sum(dose) FILTER (exposure.first_day = initial_day OR exposure.first_day <= entry.first_day), 0.0)
                AS initial_dose,
            sum(dose * (to_day - from_day + 1)) AS dose
        FROM (
            SELECT *, min(first_day) OVER (PARTITION BY entry, drug) AS initial_day
            FROM study_exposure WHERE dose IS NOT NULL
        ) AS exposure
        JOIN study_entry AS entry ON entry.entry = exposure.entry
        GROUP BY exposure.entry, drug, unit
    """


def plan_any_record(domain: Domain, windows: Sequence[DayWindow]) -> str:
    """The entries with any record of a table that starts in a window, within the observation period of the entry.

    Out: one row per window and entry: number (of the window), entry
    """
    _, _, start, *end = cohorts.columns_read(domain)
    first_day = day_number(f"record.{start}")
    last_day = f"coalesce({day_number(f'record.{end[0]}')}, {first_day})" if end else first_day
    return f"""
        WITH happened AS (
            SELECT DISTINCT person.ordinal, {first_day} AS first_day, {last_day} AS last_day
            FROM {cohorts.DOMAIN_TABLES[domain]} AS record
            JOIN study_person AS person ON person.person_id = record.person_id
        )
        SELECT DISTINCT given.number, entry.entry
        FROM happened
        JOIN study_entry AS entry
            ON entry.ordinal = happened.ordinal
            AND happened.last_day >= entry.observed_first AND happened.first_day <= entry.observed_last
        JOIN {plan_windows(windows)} AS given
            ON happened.first_day BETWEEN entry.first_day + given.from_day AND entry.first_day + given.to_day
    """


def plan_switches(switch: Sequence[int], *, incident: bool) -> str:
    """Days from the last day of each entry to the start of other cohorts.

    Out:    one row per entry that has any: entry, n_days
    Source: DrugUtilisation 1.2, addDrugRestart.
    """
    incident_only = "AND target.first_day >= entry.last_day" if incident else ""
    return f"""
        SELECT entry.entry, CAST(min(target.first_day) - any_value(entry.last_day) AS BIGINT) AS n_days
        FROM study_entry AS entry
        JOIN study_event AS target
            ON target.ordinal = entry.ordinal AND target.last_day >= entry.last_day {incident_only}
            AND target.cohort IN ({", ".join(str(int(cohort)) for cohort in switch)})
        GROUP BY entry.entry
    """


def plan_concept_names(concepts: Sequence[int]) -> str:
    """The names of some concepts.

    Out: one row per known concept: concept_id, concept_name
    """
    listed = ", ".join(str(int(concept)) for concept in concepts)
    return f"SELECT concept_id, concept_name FROM concept WHERE concept_id IN ({listed})"


def plan_dose_coverage(ingredient: int) -> str:
    """Every exposure to a drug with the ingredient, whenever it is; one that ends before it starts has no dose.

    Without an end there is a dose only where it does not rest on how long an exposure lasts, as in the package.


    Out: one row per exposure: ordinal, route, unit, pattern, dose (a day's); all but the first can be NULL
    """
    first_day = day_number("record.drug_exposure_start_date")
    return f"""
        WITH exposure AS (
            SELECT
                study_person.ordinal, record.drug_concept_id, record.route_concept_id,
                {first_day} AS first_day,
                {day_number("record.drug_exposure_end_date")} AS last_day,
                record.quantity
            FROM drug_exposure AS record
            JOIN study_person ON study_person.person_id = record.person_id
            WHERE record.drug_concept_id IN (
                SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = {int(ingredient)}
            )
        )
        SELECT
            exposure.ordinal, route.concept_name AS route, strength.unit, strength.pattern,
            CAST(
                CASE WHEN coalesce(exposure.first_day <= exposure.last_day, TRUE) THEN {_DAILY_DOSE} END AS DOUBLE
            ) AS dose
        FROM exposure
        LEFT JOIN ({plan_strengths(ingredient)}) AS strength USING (drug_concept_id)
        LEFT JOIN concept AS route ON route.concept_id = exposure.route_concept_id AND route.concept_id <> 0
    """
