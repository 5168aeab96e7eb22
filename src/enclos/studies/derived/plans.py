"""The SQL that makes a cohort of other cohorts of the bucket's ``study_event``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enclos.studies.derived.model import Collapse, First, Intersection, Match, Near, Require, Sample, Side, Trait, Union
from enclos.studies.derived.words import CONTROL_REASONS, reason_of
from enclos.studies.model import MAX_AGE_YEARS, AgeGroup, DayWindow, Operation, Sex
from enclos.studies.plans.cohorts import Stage
from enclos.studies.plans.entries import completed_years
from enclos.studies.rules.calendar import day_of

SAMPLE_DIGITS = 12
"""Hexadecimal digits of the hash that a sample looks at."""
ANY_AGE = AgeGroup(0, MAX_AGE_YEARS)
PERSON, FIRST_DAY, LAST_DAY = "person_id", "first_day", "last_day"


def plan_derived(number: int, operation: Operation, numbers: Mapping[str, int]) -> str:
    """Add the entries of a derived cohort to ``study_event``; the cohorts that it is made of must be there.

    In:     number — the cohort's own; numbers — those of the cohorts by name
    Source: CohortConstructor 0.5: unionCohorts, intersectCohorts, requireIsFirstEntry, requireDemographics,
            requireInDateRange, requireCohortIntersect, collapseCohorts. Where the peer looks only at the observation
            period that holds the entry, ``Near`` looks at all of them.
    """
    return f"""
        INSERT INTO study_event
        SELECT CAST({int(number)} AS USMALLINT), ordinal, first_day, last_day
        FROM ({plan_stages(number, operation, numbers)[-1].entries}) AS derived
    """


def plan_stages(number: int, operation: Operation, numbers: Mapping[str, int]) -> list[Stage]:
    """What each requirement of an operation leaves, the last being the cohort.

    Entries of a drawn cohort, which no bucket can make alone, must be in ``study_event`` already.
    In: as ``plan_derived``
    """
    first, *_ = _sources(operation, numbers)
    if isinstance(operation, Require):
        return _required_stages(first, operation)
    if isinstance(operation, Match) and operation.keep is Side.CONTROLS:
        return _control_stages(first, number)
    return [Stage(reason_of(operation), _plan_made(number, operation, numbers))]


def _sources(operation: Operation, numbers: Mapping[str, int]) -> list[str]:
    return [f"cohort = {int(numbers[name])}" for name in operation.sources]


def _plan_made(number: int, operation: Operation, numbers: Mapping[str, int]) -> str:
    """The entries of a cohort that one step makes."""
    first, *others = _sources(operation, numbers)
    entries = f"SELECT ordinal, first_day, last_day FROM study_event WHERE {first}"
    match operation:
        case Union():
            entries = _plan_joined(" OR ".join([first, *others]), 0)
        case Intersection():
            for other in others:
                entries = _plan_shared_days(entries, other)
        case First():
            entries += " QUALIFY row_number() OVER (PARTITION BY ordinal ORDER BY first_day, last_day) = 1"
        case Near():
            entries = _plan_near(entries, numbers[operation.other], operation.window, present=operation.present)
        case Collapse():
            entries = _plan_joined(first, operation.gap_days)
        case Sample() if not operation.is_drawn:
            entries = _plan_sample(first, operation)
        case Sample() | Match():
            entries = _plan_drawn(number)
        case _:
            raise TypeError("no such operation")
    return entries


def _required_stages(where: str, operation: Require) -> list[Stage]:
    conditions = _conditions(operation)
    return [
        Stage(reason, _plan_required(where, [each for _, each in conditions[:n]]))
        for n, (reason, _) in enumerate(conditions, start=1)
    ]


def _control_stages(cases: str, number: int) -> list[Stage]:
    """Who could be a match, who never enters the cohort, and who is drawn for an entry."""
    observed = "SELECT DISTINCT ordinal, 0 AS first_day, 0 AS last_day FROM study_observed"
    others = f"{observed} WHERE ordinal NOT IN (SELECT ordinal FROM study_event WHERE {cases})"
    steps = (observed, others, _plan_drawn(number))
    return [Stage(reason, left) for reason, left in zip(CONTROL_REASONS, steps, strict=True)]


def _plan_drawn(number: int) -> str:
    return f"SELECT ordinal, first_day, last_day FROM study_event WHERE cohort = {int(number)}"


def _plan_joined(where: str, gap_days: int) -> str:
    """Entries of one observation period that share a day, or that a gap of so many days parts, as one."""
    before = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    period = "PARTITION BY event.ordinal, observed.first_day ORDER BY event.first_day, event.last_day"
    return f"""
        SELECT ordinal, min(first_day) AS first_day, max(last_day) AS last_day
        FROM (
            SELECT *, sum(starts) OVER (
                PARTITION BY ordinal, period ORDER BY first_day, last_day ROWS UNBOUNDED PRECEDING
            ) AS stretch
            FROM (
                SELECT
                    event.ordinal, observed.first_day AS period, event.first_day, event.last_day,
                    CAST(coalesce(
                        event.first_day > max(event.last_day) OVER ({period} {before}) + {int(gap_days)}, TRUE
                    ) AS INTEGER) AS starts
                FROM study_event AS event
                JOIN study_observed AS observed
                    ON observed.ordinal = event.ordinal
                    AND event.first_day BETWEEN observed.first_day AND observed.last_day
                WHERE {where}
            )
        )
        GROUP BY ordinal, period, stretch
    """


def _plan_shared_days(entries: str, other: str) -> str:
    return f"""
        SELECT
            mine.ordinal,
            greatest(mine.first_day, other.first_day) AS first_day,
            least(mine.last_day, other.last_day) AS last_day
        FROM ({entries}) AS mine
        JOIN (SELECT ordinal, first_day, last_day FROM study_event WHERE {other}) AS other
            ON other.ordinal = mine.ordinal
            AND other.first_day <= mine.last_day AND other.last_day >= mine.first_day
    """


def _plan_near(entries: str, other: int, window: DayWindow, *, present: bool) -> str:
    held = [f"other.cohort = {int(other)}", "other.ordinal = mine.ordinal"]
    if window.from_day is not None:
        held.append(f"other.last_day >= mine.first_day + {window.from_day}")
    if window.to_day is not None:
        held.append(f"other.first_day <= mine.first_day + {window.to_day}")
    return (
        f"SELECT * FROM ({entries}) AS mine WHERE {'' if present else 'NOT '}"
        f"EXISTS (SELECT 1 FROM study_event AS other WHERE {' AND '.join(held)})"
    )


def _conditions(asked: Require) -> list[tuple[str, str]]:
    """What is required, in the words of the peer's attrition and in SQL, in the peer's order."""
    ages = "TRUE"
    if asked.ages is not None:
        age = completed_years("(DATE '1970-01-01' + event.first_day)", "person.born_on")
        ages = f"{age} BETWEEN {asked.ages.min_years} AND {asked.ages.max_years}"
    sex = "TRUE" if asked.sex is Sex.BOTH else f"person.sex = '{asked.sex.value}'"
    prior, future = asked.n_days_prior_observation, asked.n_days_future_observation
    found = [
        (f"Age requirement: {(asked.ages or ANY_AGE).word}", ages),
        (f"Sex requirement: {asked.sex.word}", sex),
        (f"Prior observation requirement: {prior} days", f"event.first_day - observed.first_day >= {prior}"),
        (f"Future observation requirement: {future} days", f"observed.last_day - event.first_day >= {future}"),
    ]
    start_on, end_on = asked.date_range.start_on, asked.date_range.end_on
    if start_on is not None:
        found.append((f"cohort_start_date after {start_on}", f"event.first_day >= {day_of(start_on)}"))
    if end_on is not None:
        found.append((f"cohort_start_date before {end_on}", f"event.first_day <= {day_of(end_on)}"))
    return found


def _plan_required(where: str, conditions: Sequence[str]) -> str:
    return f"""
        SELECT event.ordinal, event.first_day, event.last_day
        FROM study_event AS event
        JOIN study_person AS person ON person.ordinal = event.ordinal
        JOIN study_observed AS observed
            ON observed.ordinal = event.ordinal
            AND event.first_day BETWEEN observed.first_day AND observed.last_day
        WHERE {" AND ".join([where, *conditions])}
    """


def _plan_sample(where: str, asked: Sample) -> str:
    if asked.share is None:
        raise TypeError("a sample of so many persons is drawn from all buckets")
    bound = f"{int(asked.share * 16**SAMPLE_DIGITS):0{SAMPLE_DIGITS}x}"
    return f"""
        SELECT event.ordinal, event.first_day, event.last_day
        FROM study_event AS event
        JOIN study_person AS person ON person.ordinal = event.ordinal
        WHERE {where} AND {_hash_of(asked.seed)} < '{bound}'
    """


def _hash_of(seed: int) -> str:
    """The hash that a seed gives a person, as text."""
    return f"left(sha256(concat('{int(seed)}:', CAST(person.person_id AS BIGINT))), {SAMPLE_DIGITS})"


def _rank(seed: int) -> str:
    """The same hash as a number."""
    return f"CAST('0x' || {_hash_of(seed)} AS BIGINT)"


_TRAITS: dict[Trait, str] = {
    Trait.SEX: "person.sex",
    Trait.YEAR_OF_BIRTH: "year(person.born_on)",
    Trait.DEPARTMENT: "home.county",
}


def _alike(traits: Sequence[Trait]) -> tuple[str, str]:
    """The text that two persons share when all traits are the same, NULL where one is not known; and its join."""
    if not traits:
        return "''", ""
    home = """
        LEFT JOIN (
            SELECT person.person_id, any_value(location.county) AS county
            FROM person JOIN location ON location.location_id = person.location_id
            GROUP BY person.person_id
        ) AS home ON home.person_id = person.person_id"""
    return " || '|' || ".join(_TRAITS[each] for each in traits), home if Trait.DEPARTMENT in traits else ""


def plan_drawn_entries(cohort: int, seed: int, traits: Sequence[Trait] = ()) -> str:
    """The entries of a cohort, those of persons with an unknown trait left out.

    Out: one row per entry: alike, rank, person_id, first_day, last_day
    """
    alike, join = _alike(traits)
    return f"""
        SELECT
            {alike} AS alike, {_rank(seed)} AS rank, CAST(person.person_id AS BIGINT) AS {PERSON},
            event.first_day AS {FIRST_DAY}, event.last_day AS {LAST_DAY}
        FROM study_event AS event
        JOIN study_person AS person ON person.ordinal = event.ordinal{join}
        WHERE event.cohort = {int(cohort)} AND {alike} IS NOT NULL
    """


def plan_others(cohort: int, seed: int, traits: Sequence[Trait]) -> str:
    """The observation periods of persons without an entry in a cohort, those with an unknown trait left out.

    Out: one row per period: alike, rank, person_id, first_day, last_day
    """
    alike, join = _alike(traits)
    return f"""
        SELECT
            {alike} AS alike, {_rank(seed)} AS rank, CAST(person.person_id AS BIGINT) AS {PERSON},
            observed.first_day AS {FIRST_DAY}, observed.last_day AS {LAST_DAY}
        FROM study_observed AS observed
        JOIN study_person AS person ON person.ordinal = observed.ordinal{join}
        WHERE {alike} IS NOT NULL
            AND NOT EXISTS (
                SELECT 1 FROM study_event AS event
                WHERE event.cohort = {int(cohort)} AND event.ordinal = observed.ordinal
            )
    """


def plan_given(number: int, table: str) -> str:
    """Add the entries of a cohort that were known before to ``study_event``, those of the bucket's persons.

    Each begins within observation and ends with its period at the latest.
    In: table — person_id, first_day, last_day
    """
    return f"""
        INSERT INTO study_event
        SELECT CAST({int(number)} AS USMALLINT), observed.ordinal, given.first_day,
            least(given.last_day, observed.last_day)
        FROM {table} AS given
        JOIN study_observed AS observed
            ON observed.person_id = given.person_id
            AND given.first_day BETWEEN observed.first_day AND observed.last_day
    """
