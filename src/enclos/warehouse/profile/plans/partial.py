"""The profile's own tables: partial counts by bucket, and how they add up.

A bucket holds whole persons, so counts of persons add; a spread is made from how often each value occurs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

COUNTS, VALUES = "profile_counts", "profile_values"
_STRATA = ", ".join(f"s{number}" for number in range(1, 6))
_PERCENTILES = {"median": 50, "p10": 10, "p25": 25, "p75": 75, "p90": 90}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table is read, and the columns it has."""

    relation: str
    columns: frozenset[str]

    def has(self, *names: str) -> bool:
        """Whether all these columns exist."""
        return self.columns.issuperset(names)

    def column(self, name: str) -> str:
        """The column, or NULL where the table lacks it."""
        return f'"{name}"' if name in self.columns else "NULL"


Sources = Mapping[str, Source]


def plan_partial_tables() -> tuple[str, ...]:
    """Empty tables for partial counts and for how often each value occurs."""
    strata = ", ".join(f"s{number} VARCHAR" for number in range(1, 6))
    return (
        f"CREATE OR REPLACE TEMP TABLE {COUNTS} (analysis_id INTEGER, {strata}, n BIGINT)",
        f"CREATE OR REPLACE TEMP TABLE {VALUES} (analysis_id INTEGER, s1 VARCHAR, s2 VARCHAR, value DOUBLE, n BIGINT)",
        "CREATE OR REPLACE TEMP TABLE profile_marks (person_id BIGINT, base INTEGER, inside BOOLEAN, last_on DATE)",
    )


def add_counts(analysis_id: int, strata: Iterable[str], n: str, source: str) -> str:
    """Add counts: ``source`` is a FROM clause with its conditions and without GROUP BY; strata are expressions."""
    keys = list(strata)
    listed = "".join(f", CAST({key} AS VARCHAR)" for key in keys)
    names = "".join(f", s{number}" for number in range(1, len(keys) + 1))
    group = f" GROUP BY {', '.join(keys)}" if keys else ""
    return f"INSERT INTO {COUNTS} (analysis_id{names}, n) SELECT {analysis_id}{listed}, {n} FROM {source}{group}"


def add_values(analysis_id: int, strata: Iterable[str], value: str, source: str, n: str = "count(*)") -> str:
    """Add how often each value occurs. A stratum that is empty has no spread, as with the peer."""
    keys = list(strata)
    listed = "".join(f", CAST({key} AS VARCHAR)" for key in keys)
    names = "".join(f", s{number}" for number in range(1, len(keys) + 1))
    filled = f" WHERE {' AND '.join(f'{key} IS NOT NULL' for key in keys)}" if keys else ""
    groups = ", ".join([*keys, value])
    return (
        f"INSERT INTO {VALUES} (analysis_id{names}, value, n)"
        f" SELECT {analysis_id}{listed}, CAST({value} AS DOUBLE), {n} FROM {source}{filled} GROUP BY {groups}"
    )


def plan_counts() -> str:
    """Sum the partial counts.

    Out: analysis_id, five strata, count. Analyses that end in 91 ask for at least so many: their counts accumulate.
    """
    return (
        f"SELECT analysis_id, {_STRATA}, CAST(CASE WHEN analysis_id % 100 = 91"
        " THEN sum(n) OVER (PARTITION BY analysis_id, s1 ORDER BY TRY_CAST(s2 AS BIGINT) DESC) ELSE n END AS BIGINT)"
        f" FROM (SELECT analysis_id, {_STRATA}, sum(n) AS n FROM {COUNTS} GROUP BY ALL)"
        f" ORDER BY analysis_id, {_STRATA}"
    )


def plan_spreads() -> str:
    """Make spreads from how often each value occurs.

    Out: analysis_id, five strata, count, min, max, mean, standard deviation, median, p10, p25, p75, p90.
    """
    percentiles = ", ".join(
        f"coalesce(min(value) FILTER (WHERE 100 * upto >= {percent} * total), max(value)) AS {name}"
        for name, percent in _PERCENTILES.items()
    )
    return (
        f"WITH values_ AS (SELECT analysis_id, s1, s2, value, sum(n) AS n FROM {VALUES} GROUP BY ALL),"
        " placed AS (SELECT *, sum(n) OVER whole AS total, sum(n) OVER rising AS upto,"
        " sum(n * value) OVER whole / sum(n) FILTER (WHERE value IS NOT NULL) OVER whole AS mean"
        " FROM values_ WINDOW whole AS (PARTITION BY analysis_id, s1, s2),"
        " rising AS (PARTITION BY analysis_id, s1, s2 ORDER BY value NULLS LAST))"
        " SELECT analysis_id, s1, s2, NULL, NULL, NULL, CAST(any_value(total) AS BIGINT), min(value), max(value),"
        " any_value(mean), CASE WHEN sum(n) FILTER (WHERE value IS NOT NULL) > 1 THEN"
        " sqrt(sum(n * (value - mean) * (value - mean))"
        " / (sum(n) FILTER (WHERE value IS NOT NULL) - 1)) END AS stdev,"
        f" {percentiles} FROM placed GROUP BY analysis_id, s1, s2 ORDER BY analysis_id, s1, s2"
    )
