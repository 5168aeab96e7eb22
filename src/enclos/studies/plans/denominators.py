"""Who is at risk, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enclos.studies.model import Population, Sex
from enclos.studies.plans.people import day_number
from enclos.studies.rules.calendar import day_of
from enclos.studies.rules.outline import Denominator


def _birthday(years: int) -> str:
    return f"birthday_{years}"


def _birthdays(denominator: Denominator) -> list[int]:
    groups = [group for group in (denominator.age_group, denominator.part.age_group) if group is not None]
    return [age for group in groups for age in (group.min_years, group.max_years + 1)]


def plan_base(denominators: Sequence[Denominator]) -> str:
    """Make ``study_base``: each observation period of a person of known sex and birth, with the birthdays that matter.

    Source: a birthday on 29 February is kept on the 28th in other years, as DuckDB adds years (and so the peer on it).
    """
    years = sorted({age for each in denominators for age in _birthdays(each)})
    birthdays = ", ".join(
        f"{day_number(f'CAST(study_person.born_on + to_years({age}) AS DATE)')} AS {_birthday(age)}" for age in years
    )
    home = ("", "")
    if any(each.part.department is not None for each in denominators):
        home = (", study_home.department", "LEFT JOIN study_home USING (ordinal)")
    return f"""
        CREATE OR REPLACE TEMP TABLE study_base AS
        SELECT
            study_observed.ordinal, study_observed.first_day, study_observed.last_day, study_person.sex,
            {birthdays}{home[0]}
        FROM study_observed
        JOIN study_person USING (ordinal) {home[1]}
        WHERE study_person.born_on IS NOT NULL AND study_person.sex IS NOT NULL
    """


def plan_denominators(denominators: Sequence[Denominator], places: Mapping[str, int]) -> str:
    """Make ``study_denominator``: from the last of the requirements met to the first of them lost.

    A person is at risk from the latest of: observed for the days required, the first birthday of the age group, the
    start of the study; to the earliest of: end of observation, the day before leaving the age group, end of study.
    In a target cohort also within each of its entries and the window after it; where requirements hold at entry, an
    entry on whose first day one of them does not is left out. A stratum by age holds the stays that start in it.

    In:     places — the index of each target cohort in ``study_event``
    Source: IncidencePrevalence, generateDenominatorCohortSet and generateTargetDenominatorCohortSet. The peer drops a
            person of the highest age when the last year of it began before the study; here the person stays until the
            birthday.
    """
    parts: dict[tuple[object, ...], list[tuple[int, Denominator]]] = {}
    for index, each in enumerate(denominators):
        asked = (each.target, each.window, each.requirements_at_entry)
        key = (each.age_group, each.date_range, *asked, each.part.age_group, each.part.department is None)
        parts.setdefault(key, []).append((index, each))
    return "CREATE OR REPLACE TEMP TABLE study_denominator AS " + " UNION ALL ".join(
        _plan_part(members, places) for members in parts.values()
    )


def _plan_part(members: Sequence[tuple[int, Denominator]], places: Mapping[str, int]) -> str:
    first = members[0][1]
    age_group, date_range = first.age_group, first.date_range
    values = ", ".join(
        f"({index}, {_sex(each.part.sex or each.sex)}, {each.days_prior_observation}, {each.part.department or 0})"
        for index, each in members
    )
    starts = [f"base.first_day + wanted.days_prior, base.{_birthday(age_group.min_years)}"]
    ends = [f"base.last_day, base.{_birthday(age_group.max_years + 1)} - 1"]
    if date_range.start_on is not None:
        starts.append(str(day_of(date_range.start_on)))
    if date_range.end_on is not None:
        ends.append(str(day_of(date_range.end_on)))
    entries, asked_at_entry = "", ""
    if first.target is not None:
        entries = f"""
        JOIN study_event AS entry
            ON entry.ordinal = base.ordinal
            AND entry.cohort = {places[first.target]}
            AND entry.first_day BETWEEN base.first_day AND base.last_day"""
        if first.requirements_at_entry:
            asked_at_entry = f"AND entry.first_day BETWEEN greatest({', '.join(starts)}) AND least({', '.join(ends)})"
            starts = []
        starts.append(f"entry.first_day + {first.window.from_day or 0}")
        ends.append("entry.last_day")
        if first.window.to_day is not None:
            ends.append(f"entry.first_day + {first.window.to_day}")
    at_home = "" if first.part.department is None else "AND wanted.department = base.department"
    of_age = ""
    if (group := first.part.age_group) is not None:
        of_age = (
            f"AND greatest({', '.join(starts)}) >= base.{_birthday(group.min_years)} "
            f"AND greatest({', '.join(starts)}) < base.{_birthday(group.max_years + 1)}"
        )
    return f"""
        SELECT
            CAST(wanted.denominator AS USMALLINT) AS denominator,
            base.ordinal,
            greatest({", ".join(starts)}) AS first_day,
            least({", ".join(ends)}) AS last_day
        FROM study_base AS base
        JOIN (VALUES {values}) AS wanted(denominator, sex, days_prior, department)
            ON (wanted.sex IS NULL OR wanted.sex = base.sex) {at_home}{entries}
        WHERE greatest({", ".join(starts)}) <= least({", ".join(ends)}) {asked_at_entry} {of_age}
    """


def _sex(sex: Sex) -> str:
    return "CAST(NULL AS VARCHAR)" if sex is Sex.BOTH else f"'{sex.value}'"


def plan_denominator_counts() -> str:
    """How many stretches and persons each denominator has, and its days.

    Out: one row per denominator that has any: denominator, n_records, n_subjects, first_day, last_day
    """
    return """
        SELECT
            CAST(denominator AS INTEGER) AS denominator,
            CAST(sum(n) AS BIGINT) AS n_records,
            count(*) AS n_subjects,
            min(first_day) AS first_day,
            max(last_day) AS last_day
        FROM (
            SELECT denominator, ordinal, count(*) AS n, min(first_day) AS first_day, max(last_day) AS last_day
            FROM study_denominator
            GROUP BY denominator, ordinal
        )
        GROUP BY denominator
        ORDER BY denominator
    """


def plan_denominator_rows() -> str:
    """The rows of every denominator.

    Out: one row per stretch: denominator (index), subject_id, cohort_start_date, cohort_end_date
    """
    return """
        SELECT
            CAST(denominator AS INTEGER) AS denominator,
            CAST(study_person.person_id AS BIGINT) AS subject_id,
            DATE '1970-01-01' + first_day AS cohort_start_date,
            DATE '1970-01-01' + last_day AS cohort_end_date
        FROM study_denominator
        JOIN study_person USING (ordinal)
        ORDER BY ALL
    """


ATTRITION_STEPS: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
"""The reasons that a population's combinations share; see ``rules/attrition.py`` for their words."""


def plan_attrition(population: Population, first_day: int, last_day: int) -> str:
    """Records and persons left after each requirement that the combinations of a population share.

    In:  first_day, last_day — the days that the study looks at
    Out: one row: r1, s1, r2, s2 … r7, s7 (records, subjects), and r8_male, s8_male, r8_female, s8_female
    """
    lowest = min(group.min_years for group in population.age_groups)
    highest = max(group.max_years for group in population.age_groups)
    least_prior = min(population.days_prior_observation)
    first_birthday = day_number(f"CAST(born_on + to_years({lowest}) AS DATE)")
    last_birthday = day_number(f"CAST(born_on + to_years({highest + 1}) AS DATE)")
    requirements = (
        "TRUE",
        "born_on IS NOT NULL",
        "sex IS NOT NULL",
        f"{first_birthday} <= {last_day} AND {last_birthday} > {first_day}",
        f"first_day <= {last_day} AND last_day >= {first_day}",
        "TRUE",
        f"first_day + {least_prior} <= least({last_day}, last_day)",
    )
    flags = ",\n".join(
        f"coalesce({' AND '.join(f'({each})' for each in requirements[:step])}, FALSE) AS ok{step}"
        for step in ATTRITION_STEPS
    )
    per_person = ", ".join(f"count(*) FILTER (ok{step}) AS n{step}" for step in ATTRITION_STEPS)
    counts = [
        f"CAST(coalesce(sum(n{step}), 0) AS BIGINT) AS r{step}, count(*) FILTER (n{step} > 0) AS s{step}"
        for step in ATTRITION_STEPS
    ]
    last = ATTRITION_STEPS[-1]
    counts += [
        f"CAST(coalesce(sum(n{last}) FILTER (sex = '{sex}'), 0) AS BIGINT) AS r8_{sex}, "
        f"count(*) FILTER (n{last} > 0 AND sex = '{sex}') AS s8_{sex}"
        for sex in ("male", "female")
    ]
    return f"""
        WITH step AS (
            SELECT study_person.ordinal, study_person.sex, {flags}
            FROM study_person
            LEFT JOIN study_observed USING (ordinal)
        ),
        person_steps AS (SELECT ordinal, any_value(sex) AS sex, {per_person} FROM step GROUP BY ordinal)
        SELECT {", ".join(counts)} FROM person_steps
    """
