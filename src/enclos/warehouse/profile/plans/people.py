"""Persons and the spans in which they are observed or insured.

Source: OHDSI Achilles 1.8, analyses 1–119 and 1406–1425, as definitions.
"""

from __future__ import annotations

from collections.abc import Iterator

from enclos.warehouse.profile.plans.partial import Source, add_counts, add_values

PERSONS, PERIODS = "profile_persons", "profile_periods"
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
"""The years for which observation by month (117) is counted."""


def month_key(day: str) -> str:
    """The calendar month of a day as yyyymm."""
    return f"(year({day}) * 100 + month({day}))"


def decile(year: str) -> str:
    """Tens of years since the year of birth, rounded down."""
    return f"CAST(floor(({year} - p.year_of_birth) / 10) AS BIGINT)"


def plan_persons(person: Source) -> tuple[str, ...]:
    """The bucket's persons, once each, with what the analyses group by."""
    columns = ", ".join(f"{person.column(name)} AS {name}" for name in ("gender_concept_id", "year_of_birth"))
    return (f"CREATE OR REPLACE TEMP TABLE {PERSONS} AS SELECT DISTINCT person_id, {columns} FROM {person.relation}",)


def count_persons(person: Source, death: Source | None) -> Iterator[str]:
    """Persons by what describes them (1–12)."""
    n = "count(DISTINCT person_id)"
    source = person.relation
    yield add_counts(1, (), n, source)
    by = {2: "gender_concept_id", 3: "year_of_birth", 4: "race_concept_id", 5: "ethnicity_concept_id"}
    for analysis, name in by.items():
        yield add_counts(analysis, (person.column(name),), n, source)
    birth_and_sex = (person.column("year_of_birth"), person.column("gender_concept_id"))
    yield add_counts(10, birth_and_sex, n, source)
    if death is not None:
        dead = f"SELECT person_id FROM {death.relation} WHERE person_id IS NOT NULL"
        yield add_counts(11, birth_and_sex, n, f"{source} WHERE person_id NOT IN ({dead})")
    yield add_counts(12, (person.column("race_concept_id"), person.column("ethnicity_concept_id")), n, source)


def plan_periods(periods: Source) -> tuple[str, ...]:
    """The bucket's observation periods, a row a person: the first, and the others as a list."""
    start, end = "observation_period_start_date", "observation_period_end_date"
    span = f"{{'a': CAST({start} AS DATE), 'b': CAST({end} AS DATE)}}"
    spans = (
        f"SELECT person_id, list({span} ORDER BY {start}, {end}) AS spans, count({start}) AS n_periods"
        f" FROM {periods.relation} GROUP BY person_id"
    )
    rows = (
        "SELECT person_id, spans[1].a AS first_on, spans[1].b AS last_on, n_periods,"
        f" CASE WHEN len(spans) > 1 THEN spans[2:] END AS more FROM ({spans})"
    )
    return (f"CREATE OR REPLACE TEMP TABLE {PERIODS} AS {rows}",)


def count_periods(periods: Source) -> Iterator[str]:
    """Observation: age at its beginning, length, months, number (101–119)."""
    joined = f"{PERIODS} AS o JOIN {PERSONS} AS p ON o.person_id = p.person_id"
    age, length = "(year(o.first_on) - p.year_of_birth)", "date_diff('day', o.first_on, o.last_on)"
    sex = "p.gender_concept_id"
    yield add_counts(101, (age,), "count(*)", joined)
    yield add_counts(102, (sex, age), "count(*)", joined)
    yield add_values(103, (), age, joined)
    yield add_values(104, (sex,), age, joined)
    yield add_values(105, (), length, f"{PERIODS} AS o")
    yield add_values(106, (sex,), length, joined)
    yield add_values(107, (decile("year(o.first_on)"),), length, joined)
    yield add_counts(108, (f"({length} // 30)",), "count(DISTINCT o.person_id)", joined)
    start, end = "observation_period_start_date", "observation_period_end_date"
    yield add_counts(111, (month_key(start),), "count(DISTINCT person_id)", periods.relation)
    yield add_counts(112, (month_key(end),), "count(DISTINCT person_id)", periods.relation)
    yield add_counts(113, ("o.n_periods",), "count(o.person_id)", f"{PERIODS} AS o")
    early = f"{joined} WHERE p.year_of_birth > year(o.first_on)"
    yield add_counts(114, (), "count(DISTINCT p.person_id)", early)
    yield add_counts(115, (), "count(person_id)", f"{periods.relation} WHERE {end} < {start}")
    unknown = f"{periods.relation} AS o WHERE o.person_id NOT IN (SELECT person_id FROM {PERSONS})"
    yield add_counts(118, (), "count(o.person_id)", unknown)
    yield add_counts(119, (periods.column("period_type_concept_id"),), "count(*)", periods.relation)


def plan_starts(periods: Source, start: str, prefix: str) -> tuple[str, ...]:
    """The years and months in which some period starts, of all persons: the peer asks only of these."""
    months = (
        f"SELECT DISTINCT year({start}) * 12 + month({start}) - 1 AS k"
        f" FROM {periods.relation} WHERE {start} IS NOT NULL"
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE {prefix}_months AS {months}",
        f"CREATE OR REPLACE TEMP TABLE {prefix}_years AS SELECT DISTINCT k // 12 AS k FROM {prefix}_months",
    )


def _covered(
    analysis_id: int,
    periods: Source,
    columns: tuple[str, str],
    bounds: tuple[str, str],
    among: str,
    key: str,
    strata: tuple[str, ...] = (),
    *,
    persons: bool = False,
) -> str:
    """Count persons in each step of a calendar that a period covers, each person once a step.

    In: bounds — the first and last step that a span a to b covers; among — the steps asked of; key — their text.
    """
    start, end = columns
    joined = f" JOIN {PERSONS} AS p ON t.person_id = p.person_id" if persons else ""
    kept = ", p.gender_concept_id, p.year_of_birth" if persons else ""
    spans = (
        f"SELECT t.person_id, {bounds[0]} AS k_first, {bounds[1]} AS k_last,"
        f" count(*) OVER (PARTITION BY t.person_id) = 1 AS alone{kept}"
        f" FROM (SELECT person_id, CAST({start} AS DATE) AS a, CAST({end} AS DATE) AS b FROM {periods.relation}"
        f" WHERE person_id IS NOT NULL) AS t{joined}"
    )
    group = ", gender_concept_id, year_of_birth" if persons else ""
    # A person with one period is in each step once: such periods are added up before they are spread over the steps.
    single = f"SELECT k_first, k_last{group}, count(*) AS n FROM spans WHERE alone GROUP BY ALL"
    several = (
        f"SELECT DISTINCT person_id, k{group}, 1 AS n"
        " FROM spans JOIN among ON k BETWEEN k_first AND k_last WHERE NOT alone"
    )
    steps = (
        f"SELECT k{group}, n FROM ({single}) JOIN among ON k BETWEEN k_first AND k_last"
        f" UNION ALL SELECT k{group}, n FROM ({several})"
    )
    source = f"(WITH spans AS ({spans}), among AS ({among}) {steps}) AS p"
    return add_counts(analysis_id, (key, *strata), "sum(n)", source)


_MONTH_TEXT, _YEAR_TEXT = "((k // 12) * 100 + k % 12 + 1)", "k"
_MONTHS = ("(year(a) * 12 + month(a) - 1)", "(year(b) * 12 + month(b) - 1)")
_WHOLE_MONTHS = (
    "(year(a) * 12 + month(a) - 1 + CASE WHEN day(a) > 1 THEN 1 ELSE 0 END)",
    "(year(b) * 12 + month(b) - 1 - CASE WHEN b < last_day(b) THEN 1 ELSE 0 END)",
)
_WHOLE_YEARS = (
    "(year(a) + CASE WHEN dayofyear(a) > 1 THEN 1 ELSE 0 END)",
    "(year(b) - CASE WHEN month(b) < 12 OR day(b) < 31 THEN 1 ELSE 0 END)",
)
_YEARS = ("year(a)", "year(b)")


def count_coverage(periods: Source) -> Iterator[str]:
    """Persons observed in each year and month, through the whole of it or on a day of it (109, 110, 116, 117)."""
    columns = ("observation_period_start_date", "observation_period_end_date")
    first, last = (f"(SELECT {one}(k) FROM profile_start_years)" for one in ("min", "max"))
    every_year = f"SELECT unnest(range({first}, {last} + 1)) AS k"
    every_month = f"SELECT unnest(range({_FIRST_YEAR * 12}, {(_LAST_YEAR + 1) * 12})) AS k"
    yield _covered(109, periods, columns, _WHOLE_YEARS, every_year, _YEAR_TEXT)
    yield _covered(110, periods, columns, _WHOLE_MONTHS, "SELECT k FROM profile_start_months", _MONTH_TEXT)
    strata = ("gender_concept_id", decile("k"))
    yield _covered(116, periods, columns, _YEARS, "SELECT k FROM profile_start_years", _YEAR_TEXT, strata, persons=True)
    yield _covered(117, periods, columns, _MONTHS, every_month, _MONTH_TEXT)


def count_plans(plans: Source) -> Iterator[str]:
    """Payer plan periods, of persons who exist (1406–1425).

    The peer's months of start and end (1411, 1412) both take the start; here the end is the end.
    """
    start, end = "payer_plan_period_start_date", "payer_plan_period_end_date"
    first = (
        f"(SELECT person_id, min({start}) AS first_on, arg_min({end}, {start}) AS last_on, count({start}) AS n_periods"
        f" FROM {plans.relation} GROUP BY person_id) AS o JOIN {PERSONS} AS p ON o.person_id = p.person_id"
    )
    length = "date_diff('day', o.first_on, o.last_on)"
    yield add_values(1406, ("p.gender_concept_id",), length, first)
    yield add_values(1407, (decile("year(o.first_on)"),), length, first)
    yield add_counts(1408, (f"({length} // 30)",), "count(DISTINCT p.person_id)", first)
    columns = (start, end)
    yield _covered(1409, plans, columns, _YEARS, "SELECT k FROM profile_plan_years", _YEAR_TEXT, persons=True)
    yield _covered(1410, plans, columns, _WHOLE_MONTHS, "SELECT k FROM profile_plan_months", _MONTH_TEXT, persons=True)
    joined = f"{plans.relation} AS t JOIN {PERSONS} AS p ON t.person_id = p.person_id"
    for analysis, day in ((1411, f"t.{start}"), (1412, f"t.{end}")):
        yield add_counts(
            analysis, (f"CAST(date_trunc('month', {day}) AS DATE)",), "count(DISTINCT p.person_id)", joined
        )
    yield add_counts(1413, ("o.n_periods",), "count(DISTINCT p.person_id)", first)
    yield add_counts(1425, (plans.column("payer_source_concept_id"),), "count(*)", plans.relation)
