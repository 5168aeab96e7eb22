"""SQL of a comparison: entries, outcomes, and what covariates are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enclos.contracts.omop import END_DATES, START_DATES
from enclos.studies.compare.model import Lookback, Source
from enclos.studies.plans.people import day_number

CANDIDATE = "study_candidate"


@dataclass(frozen=True, slots=True)
class DomainAnalysis:
    """How a domain becomes covariates: its table, and the analysis id of each window.

    An id of a covariate is its concept's id times 1000, plus the id of the analysis.
    Source: FeatureExtraction 3, PrespecAnalyses.csv.
    """

    table: str
    concept: str
    ids: tuple[int, int, int, int]
    """Of any time, long, medium and short term."""
    groups: bool
    """Whether a record counts for its concept's ancestors as well."""

    def id_of(self, lookback: Lookback) -> int:
        """The analysis id of a window."""
        return self.ids[list(Lookback).index(lookback)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""
        ends = (END_DATES[self.table],) if self.groups else ()
        return ("person_id", self.concept, START_DATES[self.table], *ends)


DOMAINS: dict[Source, DomainAnalysis] = {
    Source.CONDITION: DomainAnalysis("condition_occurrence", "condition_concept_id", (209, 210, 211, 212), groups=True),
    Source.DRUG: DomainAnalysis("drug_exposure", "drug_concept_id", (409, 410, 411, 412), groups=True),
    Source.PROCEDURE: DomainAnalysis(
        "procedure_occurrence", "procedure_concept_id", (501, 502, 503, 504), groups=False
    ),
    Source.DEVICE: DomainAnalysis("device_exposure", "device_concept_id", (601, 602, 603, 604), groups=False),
    Source.MEASUREMENT: DomainAnalysis("measurement", "measurement_concept_id", (701, 702, 703, 704), groups=False),
    Source.OBSERVATION: DomainAnalysis("observation", "observation_concept_id", (801, 802, 803, 804), groups=False),
}


def plan_rows() -> str:
    """The entries of ``study_entry`` in the order of their numbers.

    Out: one row per entry: entry, cohort, ordinal, person_id, first_day, last_day, observed_first, observed_last, age
         (-1 where the birth is not known), sex
    """
    return """
        SELECT
            entry.entry, entry.cohort, entry.ordinal, CAST(person.person_id AS BIGINT) AS person_id,
            entry.first_day, entry.last_day, entry.observed_first, entry.observed_last,
            coalesce(entry.age, -1) AS age, entry.sex
        FROM study_entry AS entry
        JOIN study_person AS person USING (ordinal)
        ORDER BY entry.entry
    """


def plan_outcomes(cohorts: Sequence[int]) -> str:
    """The outcomes of the entries' persons, before and after entry.

    Out: one row per entry and stretch of an outcome: entry, cohort, days (from entry to the stretch's first day)
    """
    wanted = ", ".join(str(int(cohort)) for cohort in cohorts)
    return f"""
        SELECT entry.entry, CAST(event.cohort AS INTEGER) AS cohort, event.first_day - entry.first_day AS days
        FROM study_entry AS entry
        JOIN study_event AS event ON event.ordinal = entry.ordinal
        WHERE event.cohort IN ({wanted})
        ORDER BY entry.entry, event.cohort, days
    """


def plan_candidates(entries: Sequence[int]) -> str:
    """Make ``study_candidate``: the entries that covariates are made for."""
    numbers = ", ".join(str(int(entry)) for entry in entries)
    return f"""
        CREATE OR REPLACE TEMP TABLE {CANDIDATE} AS
        SELECT entry.entry, person.person_id, entry.first_day, entry.observed_first
        FROM study_entry AS entry
        JOIN study_person AS person USING (ordinal)
        WHERE entry.entry IN (SELECT unnest(CAST([{numbers}] AS INTEGER[])))
    """


def plan_excluded(concepts: Sequence[int], exposures: Sequence[int]) -> str:
    """The concepts whose records are no covariates.

    In:  concepts — those that the study names; exposures — cohorts of concepts in ``study_code``
    """
    parts = ["SELECT CAST(NULL AS BIGINT) AS concept_id WHERE FALSE"]
    if concepts:
        ids = ", ".join(str(int(each)) for each in concepts)
        parts.append(f"SELECT unnest(CAST([{ids}] AS BIGINT[]))")
        parts.append(f"SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id IN ({ids})")
    if exposures:
        cohorts = ", ".join(str(int(each)) for each in exposures)
        parts.append(f"SELECT concept_id FROM study_code WHERE cohort IN ({cohorts})")
    return " UNION ".join(parts)


def plan_concepts(asked: DomainAnalysis, excluded: str) -> str:
    """Every concept that a candidate has on or before the day of entry, and how recently.

    A record counts from its first day; conditions and drugs last to their last day. Records are looked for in the
    observation period of the entry only. Conditions and drugs count for their ancestors too, where the vocabulary
    has them.

    In:     excluded — the query of plan_excluded
    Out:    one row per candidate and concept, in no order: entry, concept_id, days (from the last day that counts to
            entry, 0 where it lasts until then)
    Source: FeatureExtraction 3, DomainConcept.sql and DomainConceptGroup.sql; it builds groups from eras, which join
            records that are 30 days apart at most.
    """
    start = day_number(f"record.{START_DATES[asked.table]}")
    end = f"coalesce({day_number(f'record.{END_DATES[asked.table]}')}, {start})" if asked.groups else start
    concept = f"record.{asked.concept}"
    own = f"""
        SELECT
            candidate.entry, CAST({concept} AS BIGINT) AS concept_id,
            min(candidate.first_day - least(greatest({end}, {start}), candidate.first_day)) AS days
        FROM {asked.table} AS record
        JOIN {CANDIDATE} AS candidate ON candidate.person_id = record.person_id
        WHERE {start} BETWEEN candidate.observed_first AND candidate.first_day
            AND {concept} <> 0
            AND {concept} NOT IN ({excluded})
        GROUP BY candidate.entry, {concept}
    """
    if not asked.groups:
        return f"SELECT entry, concept_id, CAST(days AS INTEGER) AS days FROM ({own})"
    return f"""
        WITH own AS ({own})
        SELECT entry, concept_id, CAST(min(days) AS INTEGER) AS days
        FROM (
            SELECT entry, concept_id, days FROM own
            UNION ALL
            SELECT own.entry, CAST(above.ancestor_concept_id AS BIGINT), own.days
            FROM own
            JOIN concept_ancestor AS above ON above.descendant_concept_id = own.concept_id
            WHERE above.ancestor_concept_id <> own.concept_id
        )
        GROUP BY entry, concept_id
    """


COUNTS: dict[str, tuple[tuple[int, int, int], str]] = {
    "condition_occurrence": ((905, 906, 907), "distinct conditions"),
    "drug_exposure": ((908, 909, 910), "distinct drugs"),
    "procedure_occurrence": ((911, 912, 913), "distinct procedures"),
    "visit_occurrence": ((920, 921, 922), "visits"),
}
"""Analysis ids of counts in the long, medium and short term, and what they count.

Source: FeatureExtraction 3, PrespecAnalyses.csv; there the drugs counted are ingredients.
"""
_COUNT_DAYS = (365, 180, 30)
_COUNT_CONCEPTS = {
    "condition_occurrence": "condition_concept_id",
    "drug_exposure": "drug_concept_id",
    "procedure_occurrence": "procedure_concept_id",
    "visit_occurrence": "visit_concept_id",
}


def count_columns(table: str) -> tuple[str, ...]:
    """The columns that a count reads."""
    return ("person_id", _COUNT_CONCEPTS[table], START_DATES[table])


def plan_counts(table: str, excluded: str) -> str:
    """How many different concepts, or visits, a candidate has in each window.

    Out: one row per candidate that has any: entry, n_0, n_1, n_2 (long, medium, short term)
    """
    start, concept = day_number(f"record.{START_DATES[table]}"), f"record.{_COUNT_CONCEPTS[table]}"
    counted = "count(*)" if table == "visit_occurrence" else f"count(DISTINCT {concept})"
    windows = ", ".join(
        f"CAST({counted} FILTER ({start} >= candidate.first_day - {days}) AS INTEGER) AS n_{at}"
        for at, days in enumerate(_COUNT_DAYS)
    )
    return f"""
        SELECT candidate.entry, {windows}
        FROM {table} AS record
        JOIN {CANDIDATE} AS candidate ON candidate.person_id = record.person_id
        WHERE {start} BETWEEN greatest(candidate.observed_first, candidate.first_day - {_COUNT_DAYS[0]})
                AND candidate.first_day
            AND {concept} <> 0
            AND {concept} NOT IN ({excluded})
        GROUP BY candidate.entry
    """
