"""What a national copy should be near to: person-time, stays, boxes, long-term illness, deaths and ages.

Source: data/france.csv names the source of each published figure; concept ids are those that the build writes.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.quality.plans.rows import Shapes

_PERSON_YEARS = (
    "(SELECT sum(date_diff('day', observation_period_start_date, observation_period_end_date) + 1) / 365.25"
    " FROM {observation_period})"
)
_PERSONS = "(SELECT nullif(count(*), 0) FROM {person})"
_LAST_YEAR = "(SELECT year(max(observation_period_end_date)) FROM {observation_period})"
_LIVING = (
    f"(SELECT {_LAST_YEAR} - year_of_birth AS age FROM {{person}}"
    " WHERE person_id NOT IN (SELECT person_id FROM {death} WHERE person_id IS NOT NULL))"
)
"""Ages of who is not known to have died: the published shares are of inhabitants."""
_SHARE_OF_WOMEN = (
    f"100.0 * count(*) FILTER (WHERE gender_concept_id = {concepts.FEMALE})"
    f" / nullif(count(*) FILTER (WHERE gender_concept_id IN ({concepts.MALE}, {concepts.FEMALE})), 0)"
)
_ENTITLED = (
    f"SELECT person_id FROM {{condition_occurrence}} WHERE condition_type_concept_id = {concepts.TYPE_ENROLMENT}"
    " AND left(condition_status_source_value, 2) IN ('41', '43', '45')"
)
"""Long-term illness by its nature (IMB_ETM_NAT): accidents at work, occupational disease and invalidity (11 to 13) are
entitlements of the same type."""
_WITH_AGES = ("person", "observation_period", "death")


def _share_of_age(asked: str) -> str:
    return f"(SELECT 100.0 * count(*) FILTER (WHERE age {asked}) / nullif(count(*), 0) FROM {_LIVING})"


_STAYS = f"SELECT * FROM {{visit_occurrence}} WHERE visit_type_concept_id = {concepts.TYPE_INPATIENT_CLAIM_HEADER}"
_MCO_WITHOUT_SESSIONS = "regexp_matches(visit_source_value, '^[0-9]{{2}}[A-Z]') AND visit_source_value NOT LIKE '28%'"
"""By the group (GHM) of the stay, which other fields of the PMSI have none of; those of a day count, as published."""
_MEASURES: dict[str, tuple[tuple[str, ...], str]] = {
    "stays_per_1000_person_years": (
        ("visit_occurrence", "observation_period"),
        f"1000 * (SELECT count(*) FROM ({_STAYS}) WHERE {_MCO_WITHOUT_SESSIONS}) / " + _PERSON_YEARS,
    ),
    "boxes_of_30_days_per_person_year": (
        ("drug_exposure", "observation_period"),
        "(SELECT sum(greatest(1, round(coalesce(days_supply, 30) / 30))) FROM {drug_exposure}"
        f" WHERE drug_type_concept_id = {concepts.TYPE_PHARMACY_CLAIM}) / " + _PERSON_YEARS,
    ),
    "share_with_long_term_illness": (
        ("condition_occurrence", "person"),
        f"100.0 * (SELECT count(DISTINCT person_id) FROM ({_ENTITLED})) / " + _PERSONS,
    ),
    "deaths_per_1000_person_years": (
        ("death", "observation_period"),
        "1000 * (SELECT count(*) FROM {death}) / " + _PERSON_YEARS,
    ),
    "share_age_65_or_more": (
        _WITH_AGES,
        _share_of_age(">= 65"),
    ),
    "share_age_75_or_more": (
        _WITH_AGES,
        _share_of_age(">= 75"),
    ),
    "share_women": (("person",), f"(SELECT {_SHARE_OF_WOMEN} FROM {{person}})"),
    "share_women_with_long_term_illness": (
        ("condition_occurrence", "person"),
        f"(SELECT {_SHARE_OF_WOMEN} FROM {{person}} WHERE person_id IN ({_ENTITLED}))",
    ),
    "hospitalised_persons_per_1000_person_years": (
        ("visit_occurrence", "observation_period"),
        f"1000 * (SELECT count(*) FROM (SELECT DISTINCT person_id, year(visit_start_date) FROM ({_STAYS}))) / "
        + _PERSON_YEARS,
    ),
    "share_age_under_20": (
        _WITH_AGES,
        _share_of_age("< 20"),
    ),
}


def plan_marginal(name: str, shapes: Shapes) -> str | None:
    """SQL of one measured figure: one row, one number, NULL without person-time; None when a table is absent."""
    tables, expression = _MEASURES[name]
    if any(table not in shapes for table in tables):
        return None
    return "SELECT CAST(" + expression.format(**{table: shapes[table].relation for table in tables}) + " AS DOUBLE)"


def measures() -> tuple[str, ...]:
    """The names of the figures that can be measured."""
    return tuple(_MEASURES)
