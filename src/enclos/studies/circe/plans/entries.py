"""What the definitions are asked of a bucket: entry events, occurrences around them, and what can end a cohort."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from enclos.studies.circe.domains import DOMAINS, CountColumn, Domain
from enclos.studies.circe.model import Criterion, DrugEraEnd
from enclos.studies.circe.outline import Pick, is_plain, pick_of, read_for
from enclos.studies.circe.plans.concepts import numbers_sql
from enclos.studies.circe.plans.criteria import counted_name, events_of, plan_events
from enclos.studies.circe.plans.records import Reading, labelled, records_of

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


def plan_visits() -> str:
    """What filters read of the visits of records.

    Out: one row per visit, in order of their numbers: visit_occurrence_id, person_id, concept_id
    """
    return (
        "SELECT CAST(visit_occurrence_id AS BIGINT) AS visit_occurrence_id, CAST(person_id AS BIGINT) AS person_id, "
        "visit_concept_id AS concept_id FROM visit_occurrence ORDER BY visit_occurrence_id"
    )


def plan_kept(criterion: Criterion, reading: Reading) -> str:
    """Make the table of a kept criterion's events."""
    name = f"circe_kept_{reading.outline.kept[criterion]}"
    events = plan_events(criterion, reading, reading.outline.counted.get(criterion, ()))
    return f"CREATE OR REPLACE TEMP TABLE {name} AS {events}"


def plan_entries(reading: Reading, wanted: Mapping[int, Sequence[int]], *, numbered: bool, placed: bool) -> str:
    """The entry events of some definitions, before the criteria that correlate with them.

    In: wanted — by the definitions' numbers, the places of those of their criteria that may have events; numbered —
        whether something orders the events; placed — whether something asks which criterion they are of
    Out: one row per event, in order of persons: person_id, start_date, and what ``asked`` says; cohort where there are
        several, place where one has several criteria
    """
    definitions = reading.outline.definitions
    labels = {
        "cohort": len(wanted) > 1,
        "place": (placed or len(wanted) == 1) and any(len(definitions[number].criteria) > 1 for number in wanted),
    }
    told = [
        (
            read_for(criterion),
            tuple(
                value
                for value, is_told in zip((number, place_of(criterion.domain, position)), labels.values(), strict=True)
                if is_told
            ),
        )
        for number, positions in wanted.items()
        for position in positions
        for criterion in (definitions[number].criteria[position],)
    ]
    parts = _parts(
        told, [name for name in labels if labels[name]], asked(reading, numbered=numbered), reading, at_once=True
    )
    return f"{' UNION ALL '.join(parts)} ORDER BY person_id"


def asked(reading: Reading, *, numbered: bool) -> list[str]:
    """The columns of events that somebody looks at.

    In: numbered — whether it is asked which of a person's events is taken
    """
    outline = reading.outline
    optional = {
        "end_date": outline.asks_ends,
        "event_id": numbered and outline.tells_apart,
        "sort_date": numbered and outline.moves_days,
        "visit_occurrence_id": outline.asks_visits,
    }
    return ["person_id", "start_date", *(name for name in optional if optional[name])]


def _parts(
    told: Sequence[tuple[Criterion, tuple[int, ...]]],
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
    for criterion, label in told:
        if is_plain(criterion) and (at_once or pick_of(criterion) not in reading.outline.stored):
            plain.setdefault(criterion.domain, []).append((pick_of(criterion), label))
        else:
            listed = [labelled(value, name) for value, name in zip(label, labels, strict=True)]
            parts.append(f"SELECT {', '.join((*listed, *names))} FROM {events_of(criterion, reading)} AS event")
    for domain, picks in plain.items():
        parts += records_of(domain, picks, labels, names, reading)
    return parts


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
    Out: one row per event, in order of persons: person_id, start_date, and what ``asked`` says; part (the criterion's
        place) where there are several; each counted column as counted_NAME
    """
    columns = list(dict.fromkeys(column for some in criteria.values() for column in some))
    names = asked(reading, numbered=numbered)
    labels = ["part"] if len(criteria) > 1 else []
    bare = [(each, (at,) if labels else ()) for at, (each, some) in enumerate(criteria.items()) if not some]
    parts = _parts(bare, labels, names, reading, at_once=False)
    if columns:
        absent = "".join(f", NULL AS {counted_name(column)}" for column in columns)
        parts = [f"SELECT *{absent} FROM ({part}) AS event" for part in parts]
    for at, (criterion, some) in enumerate(criteria.items()):
        if some:
            told = [counted_name(each) if each in some else f"NULL AS {counted_name(each)}" for each in columns]
            listed = [*(labelled(at, name) for name in labels), *names, *told]
            parts.append(f"SELECT {', '.join(listed)} FROM {events_of(criterion, reading, some)} AS event")
    if persons is not None:
        parts = [f"(FROM ({part}) {_of(persons)})" for part in parts]
    return f"{' UNION ALL '.join(parts)} ORDER BY person_id"


def plan_exposures(
    ends: Mapping[int, DrugEraEnd], entered: Collection[int], reading: Reading, persons: Collection[int] | None
) -> str:
    """The exposures that make the eras by which cohorts end.

    In: entered — cohorts that need those by source concept only, since their entry events are those by concept; some of
        these are told again, which changes no era; persons — only theirs, when they are few
    Out: one row per exposure and cohort, in order of persons: cohort, person_id, start_date, end_date
    """
    table = DOMAINS[Domain.DRUG_EXPOSURE]
    parts = []
    for number, end in ends.items():
        by_concept, by_source = (
            reading.within(f"d.{column}", end.concept_set) for column in (table.concept, table.source_concept)
        )
        other = f"d.{table.source_concept} IS DISTINCT FROM d.{table.concept}"  # to ask for other sets takes longer
        held = f"{by_source} AND {other}" if number in entered else f"({by_concept} OR {by_source})"
        parts.append(
            f"SELECT {labelled(number, 'cohort')}, CAST(d.person_id AS BIGINT) AS person_id, "
            f"{table.start} AS start_date, {table.end} AS end_date "
            f"FROM {table.table} AS d WHERE {held} AND {table.start} IS NOT NULL"
            f"{'' if persons is None else f' AND d.person_id IN {numbers_sql(persons)}'}"
        )
    return f"{' UNION ALL '.join(parts)} ORDER BY person_id"


def _of(persons: Collection[int]) -> str:
    return f"WHERE person_id IN {numbers_sql(persons)}"
