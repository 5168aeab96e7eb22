"""A view computed the slow way: plain Python over lists of rows, no SQL, no rule file of the engine.

What may be shown of a column is decided here from its name and type alone, so that a wrong line in the engine's
table of columns shows as a difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from enclos.contracts.omop import END_DATES, PERSON_TABLES, START_DATES, foreign_keys, omop_tables, primary_keys
from enclos.contracts.view import (
    FromSource,
    Population,
    PotentialIdentifier,
    RandomSample,
    Residents,
    ViewTerms,
    WholeBase,
    WithConcept,
    WithControls,
)
from factories.cdm import place_number

Row = dict[str, Any]
Base = Mapping[str, Sequence[Row]]

_SPANS = {"observation_period", "payer_plan_period"}
_NEVER = {
    "provider_name",
    "npi",
    "dea",
    "provider_source_value",
    "care_site_name",
    "care_site_source_value",
    "place_of_service_source_value",
    "person_source_value",
    "stop_reason",
    "sig",
    "lot_number",
    "unique_device_id",
    "production_id",
    "specimen_source_id",
    "specimen_source_value",
    "anatomic_site_source_value",
    "disease_status_source_value",
    "value_as_string",
    "value_source_value",
    "measurement_time",
    "family_source_value",
    "address_1",
    "address_2",
    "latitude",
    "longitude",
    "country_source_value",
}
_OF_A_PROFESSIONAL = {"year_of_birth", "gender_concept_id", "gender_source_value", "gender_source_concept_id"}
_SHARED = {"location", "care_site", "provider"}
_ERA_COUNTS = {"drug_exposure_count", "gap_days", "condition_occurrence_count"}


def _spread(text: str) -> int:
    """The number that stands for a text: the first 13 hexadecimal digits of its MD5."""
    return int(hashlib.md5(text.encode()).hexdigest()[:13], 16)  # noqa: S324 - a spread, not a secret


def members(base: Base, terms: ViewTerms, sources: Mapping[int, set[str]], opted_out: set[int]) -> set[int]:
    """The persons whom the permit lets in."""
    if not isinstance(terms.population, WithControls):
        return _chosen(base, terms.population, terms, sources, opted_out)
    cases = _chosen(base, terms.population.cases, terms, sources, opted_out)
    others = sorted(
        _chosen(base, WholeBase(), terms, sources, opted_out) - cases,
        key=lambda person: (_spread(f"{terms.population.seed}:{person}"), person),
    )
    alike = {
        row["person_id"]: (row["year_of_birth"], row["gender_concept_id"], _county(base, row)) for row in base["person"]
    }
    drawn = set(cases)
    for kind in {alike[case] for case in cases}:
        n_wanted = terms.population.per_case * sum(alike[case] == kind for case in cases)
        drawn |= set([other for other in others if alike[other] == kind][:n_wanted])
    return drawn


def _county(base: Base, person: Row) -> Any:
    return next(
        (place["county"] for place in base.get("location", []) if place["location_id"] == person["location_id"]), None
    )


def _chosen(
    base: Base, population: Population, terms: ViewTerms, sources: Mapping[int, set[str]], opted_out: set[int]
) -> set[int]:
    start, end = terms.period.start_on, terms.period.end_on
    chosen: set[int] = set()
    for row in base["person"]:
        person = row["person_id"]
        match population:
            case FromSource(source):
                belongs = source in sources.get(person, set())
            case RandomSample(percent, seed):
                belongs = _spread(f"{seed}:{person}") % 1_000_000 < int(percent * 10_000)
            case Residents(departments):
                belongs = _county(base, row) in departments
            case WithConcept("drug", concepts, False):
                belongs = any(
                    drug["person_id"] == person
                    and drug["drug_concept_id"] in concepts
                    and start <= drug["drug_exposure_start_date"] < end
                    for drug in base["drug_exposure"]
                )
            case WholeBase():
                belongs = True
            case _:
                raise NotImplementedError
        observed = any(
            period["person_id"] == person
            and period["observation_period_start_date"] < end
            and period["observation_period_end_date"] >= start
            for period in base["observation_period"]
        )
        if belongs and observed and person not in opted_out:
            chosen.add(person)
    return chosen


def view(base: Base, table: str, terms: ViewTerms, numbers: Mapping[int, int], *, for_person: bool) -> list[Row]:
    """The rows of a granted table as the permit shows them; ``numbers`` are the permit's numbers of its members."""
    grant = terms.grant(table)
    assert grant is not None
    if table in _SHARED:
        rows = _led_to(base, table, terms, numbers)
        shown = [_shown_row(base, table, row, terms, numbers, for_person=for_person) for row in rows]
        return list({tuple(sorted(row.items(), key=str)): row for row in shown}.values())
    if table == "cost":  # its number says whose it is, its visit says when it was
        begun = {row["visit_occurrence_id"]: row for row in base.get("visit_occurrence", [])}
        owned = [{**row, "person_id": row["cost_id"] // 2**20} for row in base.get(table, [])]
        rows = [
            row
            for row in owned
            if row["person_id"] in numbers
            and row["cost_domain_id"] == "Visit"
            and (visit := begun.get(row["cost_event_id"])) is not None
            and visit["person_id"] == row["person_id"]
            and _in_period("visit_occurrence", visit, terms)
        ]
        return [_shown_row(base, table, row, terms, numbers, for_person=for_person) for row in rows]
    if table == "fact_relationship":  # two persons, both in, whoever's bucket the row stands in
        return [
            _shown_row(base, table, row, terms, numbers, for_person=for_person)
            for row in base.get(table, [])
            if row["domain_concept_id_1"] == row["domain_concept_id_2"] == 56
            and {row["fact_id_1"], row["fact_id_2"]} <= numbers.keys()
        ]
    rows = [row for row in base.get(table, []) if row["person_id"] in numbers and _in_period(table, row, terms)]
    return [_shown_row(base, table, row, terms, numbers, for_person=for_person) for row in rows]


def _led_to(base: Base, table: str, terms: ViewTerms, numbers: Mapping[int, int]) -> list[Row]:
    """The rows that the rows of the permit's persons name, by columns which the permit shows."""
    key = f"{table}_id"
    wanted = set()
    if table == "location":
        wanted |= {row[key] for row in base["person"] if row["person_id"] in numbers}
    else:
        for other in PERSON_TABLES:
            if (grant := terms.grant(other)) is not None and key in omop_tables()[other].names and grant.shows(key):
                wanted |= {
                    row[key]
                    for row in base.get(other, [])
                    if row["person_id"] in numbers and _in_period(other, row, terms)
                }
    for other, follows in (("care_site", "location"), ("provider", "care_site")):
        grant = terms.grant(other)
        if follows == table and grant is not None and grant.shows(key):
            wanted |= {row[key] for row in _led_to(base, other, terms, numbers)}
    return [row for row in base.get(table, []) if row[key] in wanted]


def _in_period(table: str, row: Row, terms: ViewTerms) -> bool:
    if table not in START_DATES:
        return True
    first = row[START_DATES[table]]
    last = row[END_DATES[table]] if table in _SPANS else first
    return bool(first < terms.period.end_on and last >= terms.period.start_on)


def _shown_row(
    base: Base, table: str, row: Row, terms: ViewTerms, numbers: Mapping[int, int], *, for_person: bool
) -> Row:
    grant = terms.grant(table)
    assert grant is not None
    shown: Row = {}
    for column in omop_tables()[table]:
        granted = (
            grant.shows(column.name)
            or (column.name == "person_id" and table in PERSON_TABLES)
            or (table in _SHARED and column.name == f"{table}_id")
        )
        if granted:
            shown[column.name] = _shown_value(base, table, row, column.name, terms, numbers, for_person=for_person)
        elif not for_person and not column.required:
            shown[column.name] = None
    return shown


def _shown_value(  # noqa: C901, PLR0911, PLR0912 - one long list of cases is what this is
    base: Base, table: str, row: Row, column: str, terms: ViewTerms, numbers: Mapping[int, int], *, for_person: bool
) -> Any:
    value = row[column]
    listed = terms.identifiers
    opens_days = PotentialIdentifier.DEATH_DATE if table == "death" else PotentialIdentifier.EXACT_DATES
    exact_days = not for_person or opens_days in listed
    if value is None or column in _NEVER or (table == "provider" and column in _OF_A_PROFESSIONAL):
        return None
    if column in {"provider_id", "care_site_id"}:
        return place_number(column.removesuffix("_id"), value)
    if table == "location":
        return _shown_place(row, column, terms)
    if column == "location_id":
        home = next((place for place in base.get("location", []) if place["location_id"] == value), None)
        return _shown_place(home, column, terms) if home else None
    if table in _SHARED:
        return value if not column.endswith("_source_value") or row["specialty_source_concept_id"] else None
    if column in {"fact_id_1", "fact_id_2"}:
        return numbers[value]
    if table == "fact_relationship":
        return value
    person = row["person_id"]
    if column == "person_id":
        return numbers[person]
    if column == primary_keys().get(table):
        return numbers[person] * 2**20 + value % 2**20
    if (
        column.endswith("_event_id")
        or column in {"payer_plan_period_id", "episode_parent_id"}
        or foreign_keys().get((table, column)) in PERSON_TABLES
    ):
        return numbers[person] * 2**20 + value % 2**20 if value // 2**20 == person else None
    if column in {"day_of_birth", "birth_datetime"}:
        return None if for_person else value
    if column == "month_of_birth":
        return value if not for_person or PotentialIdentifier.BIRTH_MONTH in listed else None
    if isinstance(value, datetime):
        inside = terms.period.start_on <= value.date() < terms.period.end_on
        return value if inside and exact_days else None
    if isinstance(value, date):
        cut = min(max(value, terms.period.start_on), terms.period.end_on - timedelta(days=1))
        return cut if exact_days else max(cut.replace(day=1), terms.period.start_on)
    if column in _ERA_COUNTS:
        return value if row[END_DATES[table]] < terms.period.end_on else None
    if column.endswith("_source_value"):
        beside = "_concept_id" if table == "cost" else "_source_concept_id"  # costs have one concept, not two
        return value if row.get(column.replace("_source_value", beside)) else None
    return value


def _shown_place(place: Row, column: str, terms: ViewTerms) -> Any:
    commune = PotentialIdentifier.COMMUNE in terms.identifiers
    if column == "location_id":
        department = "|".join("" if place[name] is None else str(place[name]) for name in _DEPARTMENT)
        return _spread(f"{terms.permit_id}|{place['location_id'] if commune else department}")
    if column in {"city", "zip", "location_source_value"}:
        return place[column] if commune else None
    return place[column]


_DEPARTMENT = ("country_concept_id", "state", "county")
