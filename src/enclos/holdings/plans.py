"""SQL that counts a snapshot for its description."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.holdings.rules.counts import AGE_BAND, OLDEST_BAND

CODED_COLUMNS: dict[str, tuple[str, ...]] = {
    "condition_occurrence": ("condition_concept_id", "condition_source_concept_id"),
    "drug_exposure": ("drug_concept_id", "drug_source_concept_id"),
    "procedure_occurrence": ("procedure_concept_id", "procedure_source_concept_id"),
    "device_exposure": ("device_concept_id", "device_source_concept_id"),
    "measurement": ("measurement_concept_id", "measurement_source_concept_id", "unit_concept_id"),
    "observation": ("observation_concept_id", "observation_source_concept_id"),
}
"""The columns whose concepts say what care was given, by table."""


def plan_rows(table: str) -> str:
    """Rows and persons of a table of persons."""
    return f"SELECT count(*), count(DISTINCT person_id) FROM {table} AS t"


def plan_filled(table: str, columns: Sequence[str]) -> str:
    """Persons of whom each column says something, one number a column; concept 0 says nothing.

    Source: OMOP CDM 5.4, concept 0 ("No matching concept").
    """
    counts = ", ".join(
        f'count(nullif("{column}", 0)) AS n_{number}'
        if column.endswith("concept_id")
        else f'count("{column}") AS n_{number}'
        for number, column in enumerate(columns)
    )
    filled = ", ".join(f"count(*) FILTER (WHERE n_{number} > 0)" for number in range(len(columns)))
    return f"SELECT {filled} FROM (SELECT person_id, {counts} FROM {table} AS t GROUP BY person_id)"


def plan_ages(person: str, observation_period: str) -> str:
    """Persons by band of the age that they had in the year when they were last observed."""
    return f"""
        SELECT least({OLDEST_BAND}, {AGE_BAND} * ((last_year - year_of_birth) // {AGE_BAND})) AS band, count(*)
        FROM {person} AS p
        JOIN (SELECT person_id, max(year(observation_period_end_date)) AS last_year
              FROM {observation_period} AS o GROUP BY person_id) AS seen USING (person_id)
        GROUP BY band ORDER BY band
    """


def plan_years(observation_period: str) -> str:
    """Persons by calendar year in which they were observed."""
    return f"""
        SELECT seen_year, count(DISTINCT person_id)
        FROM (SELECT person_id, unnest(range(year(observation_period_start_date),
                                             year(observation_period_end_date) + 1)) AS seen_year
              FROM {observation_period} AS o)
        GROUP BY seen_year ORDER BY seen_year
    """


def plan_until(cdm_source: str) -> str:
    """The last delivered day."""
    return f"SELECT max(source_release_date) FROM {cdm_source} AS s"


def plan_vocabularies(table: str, column: str, concept: str) -> str:
    """Persons by vocabulary of the concepts in a column."""
    return f"""
        SELECT c.vocabulary_id, count(DISTINCT t.person_id)
        FROM {table} AS t JOIN {concept} AS c ON c.concept_id = t.{column}
        WHERE t.{column} <> 0 GROUP BY c.vocabulary_id
    """


def plan_concepts(table: str, column: str) -> str:
    """Persons by concept of a column; concept 0 says nothing."""
    return (
        f'SELECT "{column}", count(DISTINCT person_id) FROM {table} AS t '
        f'WHERE "{column}" IS NOT NULL AND "{column}" <> 0 GROUP BY 1'
    )


def plan_by_year(table: str, column: str) -> str:
    """Persons by calendar year of a day."""
    return (
        f'SELECT year("{column}"), count(DISTINCT person_id) FROM {table} AS t WHERE "{column}" IS NOT NULL GROUP BY 1'
    )


def plan_by_band(table: str, column: str, width: int) -> str:
    """Persons by the first number of a band of so many."""
    return (
        f'SELECT {width} * CAST(floor("{column}" / {width}) AS BIGINT), count(DISTINCT person_id) '
        f'FROM {table} AS t WHERE "{column}" IS NOT NULL GROUP BY 1'
    )
