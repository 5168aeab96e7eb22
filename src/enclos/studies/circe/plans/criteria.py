"""The events of a criterion."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from enclos.studies.circe.domains import DOMAINS, CountColumn, Joined
from enclos.studies.circe.model import (
    AbnormalTest,
    Comparison,
    ConceptSetTest,
    ConceptsTest,
    Criterion,
    DayTest,
    Filter,
    NumberTest,
    Test,
    TextTest,
)
from enclos.studies.circe.outline import is_plain, pick_of
from enclos.studies.circe.plans.records import Reading, names_of, picked

_HIGH, _LOW = 4155142, 4155143
"""The concepts of a measured value judged abnormal, as in Circe."""

_JOINS = {
    Joined.PERSON: "JOIN {person} AS p ON p.person_id = c.person_id",
    Joined.PROVIDER: "LEFT JOIN provider AS pr ON pr.provider_id = c.provider_id",
    Joined.VISIT: "JOIN visit_occurrence AS v ON v.visit_occurrence_id = c.visit_occurrence_id "
    "AND v.person_id = c.person_id",
    Joined.CARE_SITE: "JOIN care_site AS cs ON cs.care_site_id = c.care_site_id",
}


def events_of(criterion: Criterion, reading: Reading, columns: Collection[CountColumn] = ()) -> str:
    """The relation of a criterion's events: its kept table, or a query in brackets.

    Out: one row per event: person_id, event_id, start_date, end_date, visit_occurrence_id, sort_date, and each counted
         column as counted_NAME
    """
    if criterion in reading.outline.kept:
        return f"circe_kept_{reading.outline.kept[criterion]}"
    return f"({plan_events(criterion, reading, columns)})"


def counted_name(column: CountColumn) -> str:
    """The name of a counted column."""
    return f"counted_{column.name.lower()}"


def plan_events(criterion: Criterion, reading: Reading, columns: Collection[CountColumn]) -> str:
    """The events of a criterion, before its correlated criteria; the records of a plain one, first or not."""
    table = DOMAINS[criterion.domain]
    records, names = picked(pick_of(criterion), reading), names_of(criterion.domain, reading.outline)
    if criterion.first and not is_plain(criterion):
        records = (
            f"(SELECT {', '.join(names)} FROM {records} AS d "
            "QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY start_date, event_id) = 1)"
        )
    if (shift := criterion.adjustment) is not None:
        start, end = (
            "end_date" if from_end else "start_date" for from_end in (shift.start_with_end, shift.end_with_end)
        )
        shifted = {
            "start_date": f"d.{start} + ({shift.start_days}) AS start_date",
            "end_date": f"d.{end} + ({shift.end_days}) AS end_date",
        }
        records = f"(SELECT {', '.join(shifted.get(name, name) for name in names)} FROM {records} AS d)"
    tests = [filter_sql(each, reading) for each in criterion.filters]
    joins = joins_of((each.target.joined for each in criterion.filters), reading)
    given = [day_sql(day) for day in (criterion.period_start, criterion.period_end) if day is not None]
    tests += [f"c.start_date <= {day} AND c.end_date >= {day}" for day in given]
    if criterion.location_set is not None:
        tests.append(_in_location(reading.within("location.region_concept_id", criterion.location_set)))
    start = day_sql(criterion.period_start) if criterion.period_start else "c.start_date"
    end = day_sql(criterion.period_end) if criterion.period_end else "c.end_date"
    counted = "".join(
        f", {_replaced(table.counted[column].sql, start, end)} AS {counted_name(column)}" for column in columns
    )
    where = f"WHERE {' AND '.join(f'({test})' for test in tests)}" if tests else ""
    return (
        f"SELECT c.person_id, c.event_id, {start} AS start_date, {end} AS end_date, c.visit_occurrence_id, "
        f"c.start_date AS sort_date{counted} FROM {records} AS c {joins} {where}"
    )


def _replaced(sql: str, start: str, end: str) -> str:
    return sql.replace("c.start_date", start).replace("c.end_date", end)


def joins_of(joined: Iterable[Joined], reading: Reading) -> str:
    """The joins that filters need, each once."""
    person = "circe_person" if reading.outline.keeps_persons else "person"
    return " ".join(_JOINS[each].format(person=person) for each in dict.fromkeys(joined) if each is not Joined.NONE)


def _in_location(in_region: str) -> str:
    return (
        "c.care_site_id IN (SELECT history.entity_id FROM location_history AS history "
        "JOIN location ON location.location_id = history.location_id "
        "WHERE history.domain_id = 'CARE_SITE' "
        f"AND {in_region} "
        "AND c.start_date >= history.start_date "
        "AND c.end_date <= coalesce(history.end_date, DATE '2099-12-31'))"
    )


def filter_sql(each: Filter, reading: Reading) -> str:
    """The SQL of a filter."""
    return _test_sql(each.target.sql, each.test, reading)


def _test_sql(sql: str, test: Test, reading: Reading) -> str:
    match test:
        case NumberTest():
            return _range(sql, test.comparison, test.value, test.extent)
        case DayTest():
            extent = day_sql(test.extent) if test.extent is not None else None
            return _range(sql, test.comparison, day_sql(test.value), extent)
        case TextTest():
            return f"{sql} {'NOT ' if test.negated else ''}LIKE {text_sql(test.pattern)}"
        case ConceptsTest():
            return f"{sql} {'NOT ' if test.negated else ''}IN ({', '.join(map(str, test.concepts))})"
        case ConceptSetTest():
            return reading.within(sql, test.concept_set, negated=test.negated)
        case AbnormalTest():
            return (
                "c.value_as_number < c.range_low OR c.value_as_number > c.range_high "
                f"OR c.value_as_concept_id IN ({_HIGH}, {_LOW})"
            )


def _range(sql: str, comparison: Comparison, value: str, extent: str | None) -> str:
    if extent is None:
        return f"({sql}) {comparison.value} {value}"
    within = f"({sql}) >= {value} AND ({sql}) <= {extent}"
    return within if comparison is Comparison.BETWEEN else f"NOT ({within})"


def day_sql(day: date) -> str:
    """The SQL of a day."""
    return f"DATE '{day.isoformat()}'"


def text_sql(text: str) -> str:
    """The SQL of a text."""
    return "'" + text.replace("'", "''") + "'"
