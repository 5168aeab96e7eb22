"""Every quality check, one at a time, in plain Python over lists of rows. Slow on purpose.

Reads the check lists as data; shares no code with the scans.
Source: OHDSI DataQualityDashboard 2.x, check type definitions (docs/warehouse.md says where we deviate).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any

Row = dict[str, Any]
Cdm = dict[str, list[Row]]
Key = tuple[str, str, str, str]
Counts = dict[Key, tuple[int, int]]


def check_list(name: str) -> list[dict[str, str]]:
    text = resources.files("enclos.warehouse.quality").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def later(one: date | None, other: date | None) -> bool:
    return one is not None and other is not None and one > other


def joined(rows: list[Row], others: list[Row], key: str) -> Iterator[tuple[Row, Row]]:
    for row in rows:
        for other in others:
            if row.get(key) is not None and row[key] == other.get(key):
                yield row, other


def born(person: Row, *, unknown: str) -> date | None:
    if day(person["birth_datetime"]) is not None:
        return day(person["birth_datetime"])
    if person["year_of_birth"] is None:
        return None
    if unknown == "june":
        return date(person["year_of_birth"], 6, 1)
    month = 1 if person["month_of_birth"] is None else person["month_of_birth"]
    day_of_month = 1 if person["day_of_birth"] is None else person["day_of_birth"]
    try:
        return date(person["year_of_birth"], month, day_of_month)
    except ValueError:
        return None


def count_all(cdm: Cdm, version: str, checked_on: date) -> Counts:
    """Violated rows and denominator of every check whose table and field the CDM has."""
    counts: Counts = {}
    tables = [row for row in check_list("tables.csv") if row["cdm_version"] == version]
    for table in tables:
        counts |= table_checks(cdm, table)
    for spec in check_list(f"fields_{version}.csv"):
        name, field = spec["table"], spec["field"]
        absent = name not in cdm or field not in columns(cdm, name)
        counts["cdmField", name, field, ""] = (int(absent), 1)
        if not absent:
            for check, value in field_checks(cdm, spec, checked_on):
                counts[check, name, field, ""] = value
    for spec in check_list("concepts.csv"):
        key = (spec["check"], spec["table"], spec["field"], spec["concepts"])
        if spec["table"] in cdm and spec["field"] in columns(cdm, spec["table"]):
            counts[key] = concept_check(cdm, spec)
    return counts


def columns(cdm: Cdm, table: str) -> set[str]:
    """The columns of a table; tables of tests are given at least one row, or say ``_columns``."""
    return set(cdm[table][0]) if cdm[table] else set()


def table_checks(cdm: Cdm, table: dict[str, str]) -> Counts:
    name = table["table"]
    counts: Counts = {("cdmTable", name, "", ""): (int(name not in cdm), 1)}
    if name not in cdm:
        return counts
    rows = cdm[name]
    if table["persons_threshold"]:
        known = {row["person_id"] for row in rows}
        without = [p for p in cdm["person"] if p["person_id"] is None or p["person_id"] not in known]
        counts["measurePersonCompleteness", name, "", ""] = (len(without), len(cdm["person"]))
    if table["eras_threshold"]:
        ill = {row["person_id"] for row in cdm["condition_occurrence"]} - {None}
        built = {row["person_id"] for row in rows}
        counts["measureConditionEraCompleteness", name, "", ""] = (len(ill - built), len(ill))
    if table["overlap_threshold"]:
        counts["measureObservationPeriodOverlap", name, "", ""] = (
            len({a["person_id"] for a in rows for b in rows if overlap(a, b)}),
            len({row["person_id"] for row in rows} - {None}),
        )
    return counts


def overlap(a: Row, b: Row) -> bool:
    ids = a["observation_period_id"], b["observation_period_id"]
    if a["person_id"] is None or a["person_id"] != b["person_id"] or None in ids or ids[0] == ids[1]:
        return False
    start_a, end_a = day(a["observation_period_start_date"]), day(a["observation_period_end_date"])
    start_b, end_b = day(b["observation_period_start_date"]), day(b["observation_period_end_date"])
    meet = None not in (start_a, end_a, start_b, end_b) and start_a <= end_b and end_a >= start_b
    touch = (end_a is not None and end_a + timedelta(days=1) == start_b) or (
        end_b is not None and end_b + timedelta(days=1) == start_a
    )
    return meet or touch


def field_checks(cdm: Cdm, spec: dict[str, str], checked_on: date) -> Iterator[tuple[str, tuple[int, int]]]:
    rows, field = cdm[spec["table"]], spec["field"]
    values = [row[field] for row in rows]
    filled = [value for value in values if value is not None]
    n = len(rows)
    if spec["required"] == "1":
        yield "isRequired", (n - len(filled), n)
    if spec["filled_threshold"]:
        yield "measureValueCompleteness", (n - len(filled), n)
    if spec["integer"] == "1":
        yield "cdmDatatype", (sum(not str(value).isdigit() for value in filled), n)
    if spec["primary_key"] == "1":
        yield "isPrimaryKey", (sum(times for times in Counter(filled).values() if times > 1), n)
    if spec["foreign_table"]:
        known = {row.get(spec["foreign_field"]) for row in cdm.get(spec["foreign_table"], [])}
        yield "isForeignKey", (sum(value not in known for value in filled), n)
    yield from vocabulary_checks(cdm, spec, filled, n)
    zeros = sum(value == 0 for value in filled)
    if spec["standard_mapped_threshold"]:
        yield "standardConceptRecordCompleteness", (zeros, n)
    if spec["source_mapped_threshold"]:
        yield "sourceConceptRecordCompleteness", (zeros, n)
    if spec["values_mapped_threshold"]:
        unmapped = {row[field] for row in rows if row[spec["values_mapped_by"]] == 0}
        yield "sourceValueCompleteness", (len(unmapped), len(set(values)))
    yield from bound_checks(spec, filled, checked_on)
    yield from order_checks(cdm, spec)


def vocabulary_checks(
    cdm: Cdm, spec: dict[str, str], filled: list[Any], n: int
) -> Iterator[tuple[str, tuple[int, int]]]:
    concepts = [
        concept
        for value in filled
        for concept in cdm.get("concept", [])
        if concept["concept_id"] == value and value != 0
    ]
    if spec["domain"]:
        yield (
            "fkDomain",
            (sum(c["domain_id"] is not None and c["domain_id"] != spec["domain"] for c in concepts), n),
        )
    if spec["concept_class"]:
        other = sum(
            c["concept_class_id"] is not None and c["concept_class_id"] != spec["concept_class"] for c in concepts
        )
        yield "fkClass", (other, n)
    if spec["standard"] == "1":
        wrong = sum(c["standard_concept"] != "S" or c["invalid_reason"] is not None for c in concepts)
        yield "isStandardValidConcept", (wrong, n)


def bound_checks(spec: dict[str, str], filled: list[Any], checked_on: date) -> Iterator[tuple[str, tuple[int, int]]]:
    dated = spec["type"] in {"date", "datetime"}
    if spec["low"]:
        low: Any = date.fromisoformat(spec["low"]) if dated else float(spec["low"])
        yield "plausibleValueLow", (sum((day(value) if dated else value) < low for value in filled), len(filled))
    if spec["high"]:
        named = {"tomorrow": checked_on + timedelta(days=1), "next year": checked_on.year + 1}
        high: Any = named.get(spec["high"])
        if high is None:
            high = float(spec["high"])
        yield "plausibleValueHigh", (sum((day(value) if dated else value) > high for value in filled), len(filled))


def order_checks(cdm: Cdm, spec: dict[str, str]) -> Iterator[tuple[str, tuple[int, int]]]:
    rows, field = cdm[spec["table"]], spec["field"]
    filled = [row for row in rows if row[field] is not None]
    if spec["after"] == "person.birth_datetime":
        early = sum(
            later(born(person, unknown="june"), day(row[field]))
            for row, person in joined(rows, cdm["person"], "person_id")
        )
        yield "plausibleTemporalAfter", (early, len(rows))
    elif spec["after"]:
        yield "plausibleTemporalAfter", (sum(later(day(r[spec["after"]]), day(r[field])) for r in rows), len(rows))
    if spec["before_end"]:
        both = [row for row in filled if row[spec["before_end"]] is not None]
        wrong = sum(later(day(row[field]), day(row[spec["before_end"]])) for row in both)
        yield "plausibleStartBeforeEnd", (wrong, len(both))
    if spec["after_birth"] == "1":
        early = sum(
            later(born(person, unknown="january"), day(row[field]))
            for row, person in joined(rows, cdm["person"], "person_id")
        )
        yield "plausibleAfterBirth", (early, len(filled))
    deaths = list(joined(rows, cdm["death"], "person_id"))
    late = sum(
        death["death_date"] is not None and later(day(row[field]), day(death["death_date"]) + timedelta(days=60))  # type: ignore[operator]
        for row, death in deaths
    )
    if spec["before_death"] == "1":
        yield "plausibleBeforeDeath", (late, sum(row[field] is not None for row, _ in deaths))
    if spec["during_life"] == "1":
        dead = {death["person_id"] for death in cdm["death"]} - {None}
        yield "plausibleDuringLife", (late, sum(row["person_id"] in dead for row in rows))
    if spec["within_visit_threshold"]:
        visits = list(joined(rows, cdm["visit_occurrence"], "visit_occurrence_id"))
        yield "withinVisitDates", (sum(outside(row[field], visit) for row, visit in visits), len(visits))


def outside(value: Any, visit: Row) -> bool:
    start, end = day(visit["visit_start_date"]), day(visit["visit_end_date"])
    week = timedelta(days=7)
    return (start is not None and later(start - week, day(value))) or (
        end is not None and later(day(value), end + week)
    )


def concept_check(cdm: Cdm, spec: dict[str, str]) -> tuple[int, int]:
    wanted = [int(concept) for concept in spec["concepts"].split()]
    rows = cdm[spec["table"]]
    if spec["check"] == "plausibleUnitConceptIds":
        units = {int(unit) for unit in spec["units"].split()}
        here = [
            row
            for row in rows
            if row[spec["field"]] in wanted
            and row["value_as_number"] is not None
            and row["unit_source_value"] is not None
        ]
        return sum((-1 if r["unit_concept_id"] is None else r["unit_concept_id"]) not in units for r in here), len(here)
    if spec["check"] == "plausibleGenderUseDescendants":
        wanted = [
            link["descendant_concept_id"]
            for link in cdm.get("concept_ancestor", [])
            if link["ancestor_concept_id"] in wanted
        ]
    here = [row for row in rows for concept in wanted if row[spec["field"]] == concept]
    sex = {"Male": 8507, "Female": 8532}[spec["gender"]]
    wrong = sum(
        person["gender_concept_id"] is not None and person["gender_concept_id"] != sex
        for _, person in joined(here, cdm["person"], "person_id")
    )
    return wrong, len(here)
