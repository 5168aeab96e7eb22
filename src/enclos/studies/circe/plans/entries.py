"""What the definitions are asked of a bucket: entry events, occurrences around them, and what can end a cohort."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from enclos.studies.circe.domains import DOMAINS, CountColumn, Domain
from enclos.studies.circe.model import Criterion, DrugEraEnd
from enclos.studies.circe.outline import Pick, is_plain, pick_of, read_for
from enclos.studies.circe.plans.concepts import numbers_sql
from enclos.studies.circe.plans.criteria import counted_name, events_of, plan_events
from enclos.studies.circe.plans.records import Reading, records_of

_DOMAIN_PLACE = {domain: place for place, domain in enumerate(Domain)}
_PLACES_PER_DOMAIN = 10_000


def place_of(domain: Domain, position: int) -> int:
    """The number that orders the entry events of one record's number: by domain, then by place in the definition."""
    return _DOMAIN_PLACE[domain] * _PLACES_PER_DOMAIN + position


def plan_periods() -> str:
    """The observation periods.

    Out: one row per period: person_id, start_date, end_date
    """
    return (
        "SELECT CAST(person_id AS BIGINT) AS person_id, observation_period_start_date AS start_date, "
        "observation_period_end_date AS end_date FROM observation_period"
    )


def plan_told(columns: Sequence[str]) -> str:
    """What demographic criteria read of persons.

    Out: one row per person: person_id, and the columns
    """
    return f"SELECT {', '.join(('CAST(person_id AS BIGINT) AS person_id', *columns))} FROM person"


def plan_kept(criterion: Criterion, reading: Reading) -> str:
    """Make the table of a kept criterion's events."""
    name = f"circe_kept_{reading.outline.kept[criterion]}"
    events = plan_events(criterion, reading, reading.outline.counted.get(criterion, ()))
    return f"CREATE OR REPLACE TEMP TABLE {name} AS {events}"


def plan_entries(reading: Reading, numbers: Collection[int], *, ordered: bool) -> str:
    """The entry events of some definitions, before the criteria that correlate with them.

    In: ordered — with what orders the events of a person and what conditions ask of them
    Out: one row per event, in order of persons: cohort, person_id, start_date, end_date; and place, event_id,
         sort_date, and visit_occurrence_id where it is asked for
    """
    labelled = [
        (read_for(criterion), (number, place_of(criterion.domain, position)))
        for number in numbers
        for position, criterion in enumerate(reading.outline.definitions[number].criteria)
        if reading.may_have_events(criterion)
    ]
    more = ["event_id", "sort_date", *_visit(reading)] if ordered else []
    parts = _parts(labelled, ("cohort", "place"), ["person_id", "start_date", "end_date", *more], reading, at_once=True)
    asked = "".join(f", {name}" for name in ("place", *more)) if ordered else ""
    return f"""
        SELECT CAST(cohort AS USMALLINT) AS cohort, CAST(person_id AS BIGINT) AS person_id, start_date, end_date{asked}
        FROM ({" UNION ALL ".join(parts)}) AS entry ORDER BY person_id
    """


def _parts(
    labelled: Sequence[tuple[Criterion, tuple[int, ...]]],
    labels: Sequence[str],
    names: Sequence[str],
    reading: Reading,
    *,
    at_once: bool,
) -> list[str]:
    """Queries for the events of criteria, with a label each; plain ones read a domain's table together.

    In: at_once — whether they read the table itself also where one holds its records
    """
    plain: dict[Domain, list[tuple[Pick, tuple[int, ...]]]] = {}
    parts = []
    for criterion, label in labelled:
        if is_plain(criterion) and (at_once or pick_of(criterion) not in reading.outline.stored):
            plain.setdefault(criterion.domain, []).append((pick_of(criterion), label))
        else:
            told = ", ".join(f"{value} AS {name}" for value, name in zip(label, labels, strict=True))
            parts.append(f"SELECT {told}, {', '.join(names)} FROM {events_of(criterion, reading)} AS event")
    listed = ", ".join("start_date AS sort_date" if name == "sort_date" else name for name in names)
    for domain, picks in plain.items():
        parts += [
            f"SELECT {', '.join(labels)}, {listed} FROM ({sql}) AS event"
            for sql in records_of(domain, picks, labels, reading, bare=True)
        ]
    return parts


def _visit(reading: Reading) -> list[str]:
    return ["visit_occurrence_id"] if reading.outline.asks_visits else []


def plan_occurrences(
    criteria: Mapping[Criterion, Collection[CountColumn]],
    reading: Reading,
    persons: Collection[int] | None,
    *,
    numbered: bool,
) -> str:
    """The events of criteria, before those that correlate with them, to be counted around others.

    In: criteria — with the columns whose values are counted; persons — only theirs, when they are few; numbered —
        whether some of them have to be the first
    Out: one row per event, in order of persons: part (the criterion's place), person_id, start_date, end_date; where
         they are asked for event_id and visit_occurrence_id; and each counted column as counted_NAME
    """
    columns = list(dict.fromkeys(column for some in criteria.values() for column in some))
    names = ["person_id", "start_date", "end_date", *(["event_id"] if numbered else []), *_visit(reading)]
    bare = [(each, (at,)) for at, (each, some) in enumerate(criteria.items()) if not some]
    parts = [
        f"SELECT *{''.join(f', NULL AS {counted_name(column)}' for column in columns)} FROM ({part}) AS event"
        for part in _parts(bare, ("part",), names, reading, at_once=False)
    ]
    for at, (criterion, some) in enumerate(criteria.items()):
        if some:
            told = [counted_name(each) if each in some else f"NULL AS {counted_name(each)}" for each in columns]
            events = events_of(criterion, reading, some)
            parts.append(f"SELECT {at} AS part, {', '.join((*names, *told))} FROM {events} AS event")
    counted = "".join(f", {counted_name(column)}" for column in columns)
    return f"""
        SELECT CAST(part AS USMALLINT) AS part, CAST(person_id AS BIGINT) AS person_id, {", ".join(names[1:])}{counted}
        FROM ({" UNION ALL ".join(f"(FROM ({part}) {_of(persons)})" for part in parts)}) AS occurrence
        ORDER BY person_id
    """


def plan_exposures(
    ends: Mapping[int, DrugEraEnd], entered: Collection[int], reading: Reading, persons: Collection[int] | None
) -> str:
    """The exposures that make the eras by which cohorts end.

    In: entered — cohorts that need those by source concept only, the others being their entry events; persons — only
        theirs, when they are few
    Out: one row per exposure and cohort, in order of persons: cohort, person_id, start_date, end_date
    """
    table = DOMAINS[Domain.DRUG_EXPOSURE]
    parts = []
    for number, end in ends.items():
        within, by_source = (
            reading.within(f"d.{column}", end.concept_set) for column in (table.concept, table.source_concept)
        )
        held = f"{by_source} AND NOT coalesce({within}, FALSE)" if number in entered else f"{within} OR {by_source}"
        parts.append(
            f"SELECT {number} AS cohort, d.person_id, {table.start} AS start_date, {table.end} AS end_date "
            f"FROM {table.table} AS d WHERE {held}"
        )
    return f"""
        SELECT CAST(cohort AS USMALLINT) AS cohort, CAST(person_id AS BIGINT) AS person_id, start_date, end_date
        FROM ({" UNION ALL ".join(f"(FROM ({part}) {_of(persons)})" for part in parts)}) AS exposure
        WHERE start_date IS NOT NULL ORDER BY person_id
    """


def _of(persons: Collection[int] | None) -> str:
    return "" if persons is None else f"WHERE person_id IN {numbers_sql(persons)}"
