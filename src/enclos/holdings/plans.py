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


def plan_filled(table: str, columns: Sequence[str]) -> str:
    """Rows and persons of a table of persons, then persons of whom each column says something; concept 0 says nothing.

    Source: OMOP CDM 5.4, concept 0 ("No matching concept").
    """
    counts = ", ".join(f"count({_said(column)}) AS n_{number}" for number, column in enumerate(columns))
    filled = ", ".join(f"count(*) FILTER (WHERE n_{number} > 0)" for number in range(len(columns)))
    return (
        f"SELECT CAST(coalesce(sum(n_rows), 0) AS BIGINT), count(*), {filled} "
        f"FROM (SELECT person_id, count(*) AS n_rows, {counts} FROM {table} AS t GROUP BY person_id)"
    )


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


def plan_spreads(table: str, values: Sequence[str]) -> str:
    """Persons by each value of several columns, in one statement: its column's place, the value, their number.

    What a statement costs before it reads a row is more than to read the rows of some ten thousand persons.
    In: values — of each column a number: ``concept_of``, ``year_of`` or ``band_of``
    """
    which = " ".join(f"WHEN GROUPING({value}) = 0 THEN {place}" for place, value in enumerate(values))
    sets = ", ".join(f"({value})" for value in values)
    return (
        f"SELECT CASE {which} END AS place, coalesce({', '.join(values)}) AS said, count(DISTINCT person_id) "
        f"FROM {table} AS t GROUP BY GROUPING SETS ({sets}) HAVING coalesce({', '.join(values)}) IS NOT NULL"
    )


def concept_of(column: str) -> str:
    """A concept; 0 says nothing."""
    return f"CAST({_said(column)} AS BIGINT)"


def year_of(column: str) -> str:
    """The calendar year of a day."""
    return f'CAST(year("{column}") AS BIGINT)'


def band_of(column: str, width: int) -> str:
    """The first number of a band of so many."""
    return f'{width} * CAST(floor("{column}" / {width}) AS BIGINT)'


def _said(column: str) -> str:
    return f'nullif("{column}", 0)' if column.endswith("concept_id") else f'"{column}"'
