"""Concept sets and the cohorts made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enclos.contracts.durations import DRUG_DURATION, days_of_boxes_sql
from enclos.contracts.omop import END_DATES, START_DATES
from enclos.studies.model import AfterDays, Cohort, ConceptCohort, Domain, Limit, OpenEnd
from enclos.studies.plans.people import day_number


@dataclass(frozen=True, slots=True)
class Stage:
    """A cohort on its way: why entries were taken away, and the SQL of those left, which tells their ordinal."""

    reason: str
    entries: str


DOMAIN_TABLES: dict[Domain, str] = {
    Domain.CONDITION: "condition_occurrence",
    Domain.DRUG: "drug_exposure",
    Domain.PROCEDURE: "procedure_occurrence",
    Domain.MEASUREMENT: "measurement",
    Domain.OBSERVATION: "observation",
    Domain.VISIT: "visit_occurrence",
}

_CONCEPT_COLUMNS: dict[Domain, str] = {domain: f"{domain.value}_concept_id" for domain in Domain}

_LASTING = frozenset({Domain.CONDITION, Domain.DRUG, Domain.VISIT})
"""Domains whose records have a last day; the others last the one day that they are on, as in the peer."""


def columns_read(domain: Domain) -> tuple[str, ...]:
    """The columns of the domain's table that a cohort reads."""
    table = DOMAIN_TABLES[domain]
    ends = (END_DATES[table],) if domain in _LASTING else ()
    return ("person_id", _CONCEPT_COLUMNS[domain], START_DATES[table], *ends)


_DISPENSED = 32869
"""The type of a dispensing ("Pharmacy claim"): a duration rule speaks of these records only."""


def durations_read(cohort: ConceptCohort) -> tuple[str, ...]:
    """The further columns of drug_exposure that a cohort with a duration rule reads."""
    return ("drug_type_concept_id", "drug_source_concept_id", "quantity") if cohort.duration else ()


def plan_known_durations() -> str:
    """The duration rules that the snapshot keeps days of.

    Out: one row per rule: rule
    """
    return f"SELECT DISTINCT rule FROM {DRUG_DURATION.name}"


def plan_known_concepts(concepts: Sequence[int]) -> str:
    """Those of the concepts that the vocabulary has.

    Out: one row per known concept: concept_id
    """
    return (
        f"SELECT DISTINCT CAST(concept_id AS BIGINT) AS concept_id FROM concept WHERE concept_id IN ({_ids(concepts)})"
    )


def plan_descendants(concepts: Sequence[int]) -> str:
    """The descendants of each concept, itself included where the vocabulary says so.

    Out: one row per ancestor and descendant: ancestor_concept_id, descendant_concept_id
    """
    return (
        "SELECT DISTINCT CAST(ancestor_concept_id AS BIGINT) AS ancestor_concept_id, "
        "CAST(descendant_concept_id AS BIGINT) AS descendant_concept_id "
        f"FROM concept_ancestor WHERE ancestor_concept_id IN ({_ids(concepts)})"
    )


def _ids(concepts: Sequence[int]) -> str:
    return ", ".join(str(int(concept)) for concept in concepts)


def plan_codes(cohorts: Sequence[Cohort], concept_sets: Mapping[str, Sequence[int]]) -> str:
    """Make ``study_code``: the resolved concepts of each cohort, with how the cohort starts and ends.

    In: concept_sets — for each cohort's name, its concepts with their descendants
    """
    parts = [
        f"SELECT CAST({index} AS USMALLINT) AS cohort, "
        f"unnest(CAST([{_ids(concept_sets[cohort.name])}] AS BIGINT[])) AS concept_id, "
        f"{'TRUE' if cohort.limit is Limit.FIRST else 'FALSE'} AS first_only, "
        f"CAST({cohort.end.n_days if isinstance(cohort.end, AfterDays) else 'NULL'} AS INTEGER) AS end_days, "
        f"{'TRUE' if cohort.end is OpenEnd.OBSERVATION_END else 'FALSE'} AS to_observation_end, "
        f"CAST({repr(cohort.duration) if cohort.duration else 'NULL'} AS VARCHAR) AS duration, "
        f"CAST({cohort.gap_era_days} AS INTEGER) AS gap_days"
        for index, cohort in enumerate(cohorts)
        if isinstance(cohort, ConceptCohort)
    ]
    return "CREATE OR REPLACE TEMP TABLE study_code AS " + " UNION ALL ".join(parts)


def plan_events(cohorts: Sequence[Cohort]) -> str:
    """Make ``study_event``: the stretches of each cohort of concepts, each domain's table read once.

    A record enters when it starts within an observation period and does not end before it starts; it is cut at the
    end of that period; stretches that share a day become one, and so do those of a drug cohort that a gap of its era
    parts, within one observation period.

    Source: CDMConnector 2, generateConceptCohortSet. Stretches that only touch (end and next start on following
            days) stay apart; an open end is the day after the start for conditions and visits. DrugUtilisation 1.2: an
            exposure that would end the entry and has no end is none; a gap of an era is counted from the last day of
            one to the first day of the next.
    """
    if not any(isinstance(cohort, ConceptCohort) for cohort in cohorts):
        return (
            "CREATE OR REPLACE TEMP TABLE study_event "
            "(cohort USMALLINT, ordinal INTEGER, first_day INTEGER, last_day INTEGER)"
        )
    return f"CREATE OR REPLACE TEMP TABLE study_event AS {_plan_stretches(cohorts)}"


def plan_stretch_counts(cohorts: Sequence[Cohort], wanted: Sequence[int], *, joined: bool) -> str:
    """How many stretches each person has in some cohorts of concepts before only first ones are kept.

    In:  joined — after gaps of eras are bridged, or before
    Out: one row per cohort and person: cohort, ordinal, n
    """
    return f"""
        SELECT cohort, ordinal, CAST(count(*) AS BIGINT) AS n
        FROM ({_plan_stretches(cohorts, wanted, bridge=joined, first=False)})
        GROUP BY cohort, ordinal
    """


def plan_stages(cohorts: Sequence[Cohort], number: int) -> list[Stage]:
    """What each step leaves of the records of a cohort of concepts, from all that have one of its concepts on.

    A record that ends before it starts is taken with those that have no date, as is an exposure without an end that
    would end the entry.
    Source: CohortConstructor 0.5, attrition of conceptCohort; DrugUtilisation 1.2 for gaps between eras.
    """
    cohort = cohorts[number]
    if not isinstance(cohort, ConceptCohort):
        raise TypeError("only a cohort of concepts has records")
    table, start = DOMAIN_TABLES[cohort.domain], f"record.{START_DATES[DOMAIN_TABLES[cohort.domain]]}"
    records = f"""
        SELECT person.ordinal
        FROM {table} AS record
        JOIN study_code ON study_code.concept_id = record.{_CONCEPT_COLUMNS[cohort.domain]}
            AND study_code.cohort = {int(number)}
        JOIN study_person AS person ON person.person_id = record.person_id
    """
    observed = f"""{records}
        JOIN study_observed AS observed ON observed.ordinal = person.ordinal
            AND {day_number(start)} BETWEEN observed.first_day AND observed.last_day
    """
    stages = [
        Stage("Initial qualifying events", records),
        Stage("Record in observation", observed),
        Stage("Not missing record date", _plan_records(cohort.domain, [number], ruled=cohort.duration is not None)),
        Stage("Merge overlapping records", _plan_stretches(cohorts, [number], bridge=False, first=False)),
    ]
    bridged = _plan_stretches(cohorts, [number], first=False)
    if cohort.gap_era_days:
        stages.append(Stage(f"Collapse records separated by {cohort.gap_era_days} or less days", bridged))
    if cohort.limit is Limit.FIRST:
        stages.append(Stage("Restricted to first entry", f"SELECT DISTINCT ordinal FROM ({bridged})"))
    return stages


def _plan_stretches(
    cohorts: Sequence[Cohort], wanted: Sequence[int] | None = None, *, bridge: bool = True, first: bool = True
) -> str:
    of_concepts = {
        at: cohort
        for at, cohort in enumerate(cohorts)
        if isinstance(cohort, ConceptCohort) and (wanted is None or at in wanted)
    }
    records = " UNION ALL ".join(
        _plan_records(
            domain,
            [at for at, cohort in of_concepts.items() if cohort.domain is domain],
            ruled=any(cohort.duration for cohort in of_concepts.values() if cohort.domain is domain),
        )
        for domain in Domain
        if any(cohort.domain is domain for cohort in of_concepts.values())
    )
    only_first = (
        "QUALIFY NOT first_only OR gap_days > 0 OR first_day = min(first_day) OVER (PARTITION BY cohort, ordinal)"
        if first and any(cohort.limit is Limit.FIRST for cohort in of_concepts.values())
        else ""
    )
    only_first_era = (
        "QUALIFY NOT first_only OR gap_days = 0 OR first_day = min(first_day) OVER (PARTITION BY cohort, ordinal)"
        if first and any(cohort.limit is Limit.FIRST and cohort.gap_era_days for cohort in of_concepts.values())
        else ""
    )
    # Eras do not bridge time without observation.
    within = (
        "cohort, ordinal, era_period"
        if any(cohort.gap_era_days for cohort in of_concepts.values())
        else "cohort, ordinal"
    )
    return f"""
        WITH record AS ({records}),
        entry AS (SELECT * FROM record {only_first}),
        marked AS (
            SELECT
                cohort, ordinal, first_only, gap_days, era_period, first_day,
                max(last_day) OVER (
                    PARTITION BY {within} ORDER BY first_day, last_day
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS last_day_before,
                max(last_day) OVER (PARTITION BY {within}) AS last_day_of_all
            FROM entry
        ),
        era AS (
            SELECT
                cohort, ordinal, first_only, gap_days, first_day,
                coalesce(
                    lead(last_day_before) OVER (PARTITION BY {within} ORDER BY first_day), last_day_of_all
                ) AS last_day
            FROM marked
            WHERE last_day_before IS NULL OR first_day > last_day_before + {"gap_days" if bridge else "0"}
        )
        SELECT cohort, ordinal, first_day, last_day FROM era {only_first_era}
    """


def _plan_records(domain: Domain, cohorts: Sequence[int], *, ruled: bool) -> str:
    table, concept = DOMAIN_TABLES[domain], _CONCEPT_COLUMNS[domain]
    first_day = day_number(f"record.{START_DATES[table]}")
    own_last_day, lasting = first_day, ""
    if domain in _LASTING:
        own_last_day = day_number(f"record.{END_DATES[table]}")
        if domain is not Domain.DRUG:
            own_last_day = f"coalesce({own_last_day}, {first_day} + 1)"
    if ruled:
        own_last_day, lasting = ruled_last_day(first_day, own_last_day)
    known_last_day = own_last_day
    if domain is Domain.DRUG:
        ended = "study_code.end_days IS NOT NULL OR study_code.to_observation_end"
        known_last_day = f"coalesce({own_last_day}, CASE WHEN {ended} THEN {first_day} END)"
    return f"""
        SELECT
            study_code.cohort,
            study_code.first_only,
            study_code.gap_days,
            CASE WHEN study_code.gap_days > 0 THEN study_observed.first_day END AS era_period,
            study_observed.ordinal,
            {first_day} AS first_day,
            least(
                CASE
                    WHEN study_code.end_days IS NOT NULL THEN {first_day} + study_code.end_days
                    WHEN study_code.to_observation_end THEN study_observed.last_day
                    ELSE {own_last_day}
                END,
                study_observed.last_day
            ) AS last_day
        FROM {table} AS record
        JOIN study_code
            ON study_code.concept_id = record.{concept}
            AND study_code.cohort IN ({", ".join(str(cohort) for cohort in cohorts)})
        JOIN study_observed
            ON study_observed.person_id = record.person_id
            AND {first_day} BETWEEN study_observed.first_day AND study_observed.last_day{lasting}
        WHERE {first_day} <= {known_last_day}
    """


def ruled_last_day(first_day: str, own_last_day: str) -> tuple[str, str]:
    """The last day of a dispensing under the rule of ``study_code.duration``, and the join that it needs.

    A pack that the table does not have lasts the same days under every rule: its own end holds.
    """
    days = days_of_boxes_sql("record.quantity / lasting.units", "lasting.days_per_box")
    ruled = f"{first_day} + CAST({days} - 1 AS INTEGER)"
    return (
        f"CASE WHEN lasting.rule IS NOT NULL AND record.quantity > 0 THEN {ruled} ELSE {own_last_day} END",
        f"""
        LEFT JOIN {DRUG_DURATION.name} AS lasting
            ON lasting.drug_source_concept_id = record.drug_source_concept_id
            AND lasting.rule = study_code.duration
            AND record.drug_type_concept_id = {_DISPENSED}""",
    )


def plan_circe_events(numbers: Sequence[int], rows: str) -> str:
    """Add the stretches of cohorts of Circe to ``study_event``.

    In: numbers — the index of each cohort, in the order of its number in the rows; rows — the table that holds them
    """
    places = ", ".join(f"({number}, {index})" for number, index in enumerate(numbers))
    return f"""
        INSERT INTO study_event
        SELECT
            CAST(place.index AS USMALLINT),
            study_person.ordinal,
            {day_number("made.cohort_start_date")},
            {day_number("made.cohort_end_date")}
        FROM {rows} AS made
        JOIN (VALUES {places}) AS place(cohort, index) ON place.cohort = made.cohort
        JOIN study_person ON study_person.person_id = made.subject_id
    """


def plan_cohort_rows() -> str:
    """The rows of every outcome cohort.

    Out: one row per stretch: cohort (index), subject_id, cohort_start_date, cohort_end_date
    """
    return """
        SELECT
            CAST(cohort AS INTEGER) AS cohort,
            CAST(study_person.person_id AS BIGINT) AS subject_id,
            DATE '1970-01-01' + first_day AS cohort_start_date,
            DATE '1970-01-01' + last_day AS cohort_end_date
        FROM study_event
        JOIN study_person USING (ordinal)
        ORDER BY ALL
    """
