"""What the definitions are asked of a bucket: entry events, conditions, and what can end a cohort."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from enclos.studies.circe.domains import Domain
from enclos.studies.circe.model import Criterion, Definition, DrugEraEnd
from enclos.studies.circe.outline import Pick, era_picks, is_plain, pick_of
from enclos.studies.circe.plans.criteria import events_of, plan_events
from enclos.studies.circe.plans.groups import plan_group
from enclos.studies.circe.plans.records import Reading, records_of

_DOMAIN_PLACE = {domain: place for place, domain in enumerate(Domain)}
_PLACES_PER_DOMAIN = 10_000
EVENTS = "circe_event"
"""The index events of one cohort, lent while its conditions are asked."""

_OBSERVED = """
    JOIN observation_period AS period
        ON period.person_id = {event}.person_id
        AND start_date BETWEEN observation_period_start_date AND observation_period_end_date
"""


def plan_kept(criterion: Criterion, reading: Reading) -> str:
    """Make the table of a kept criterion's events; those that it rests on must be made."""
    name = f"circe_kept_{reading.outline.kept[criterion]}"
    events = plan_events(criterion, reading, reading.outline.counted.get(criterion, ()))
    if criterion.correlated is None:
        return f"CREATE OR REPLACE TEMP TABLE {name} AS {events}"
    group = plan_group(criterion.correlated, "indexed", reading)
    return f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        WITH event AS ({events}),
        indexed AS (
            SELECT event.person_id, event_id, start_date, end_date, visit_occurrence_id,
                observation_period_start_date AS op_start_date, observation_period_end_date AS op_end_date
            FROM event {_OBSERVED.format(event="event")}
        )
        FROM event SEMI JOIN ({group}) AS held USING (person_id, event_id)
    """


def plan_entries(reading: Reading, numbers: Collection[int], *, ordered: bool) -> str:
    """The entry events of some definitions, with the observation period that each is in.

    In: ordered — with what orders the events of a person and what conditions ask of them
    Out: one row per event and period: cohort, person_id, start_date, end_date, op_start_date, op_end_date; and
         event_id, place, sort_date, visit_occurrence_id
    """
    plain: dict[Domain, list[tuple[Pick, tuple[int, int]]]] = {}
    parts = []
    names = "person_id, event_id, start_date, end_date, visit_occurrence_id"
    for number in numbers:
        for position, criterion in enumerate(reading.outline.definitions[number].criteria):
            place = _DOMAIN_PLACE[criterion.domain] * _PLACES_PER_DOMAIN + position
            if is_plain(criterion):
                plain.setdefault(criterion.domain, []).append((pick_of(criterion), (number, place)))
            else:
                parts.append(
                    f"SELECT {number} AS cohort, {place} AS place, {names}, sort_date "
                    f"FROM {events_of(criterion, reading)} AS event"
                )
    for domain, picks in plain.items():
        parts += [
            f"SELECT cohort, place, {names}, start_date AS sort_date FROM ({sql}) AS event"
            for sql in records_of(domain, picks, ("cohort", "place"), reading, bare=True)
        ]
    more = ", event_id, place, sort_date, visit_occurrence_id" if ordered else ""
    return f"""
        SELECT CAST(cohort AS USMALLINT) AS cohort, CAST(entry.person_id AS BIGINT) AS person_id, start_date, end_date,
            observation_period_start_date AS op_start_date, observation_period_end_date AS op_end_date{more}
        FROM ({" UNION ALL ".join(parts)}) AS entry {_OBSERVED.format(event="entry")}
    """


def plan_conditions(definition: Definition, reading: Reading) -> str:
    """Which index events fulfil which condition of a definition: its rules by their place, the additional one as -1.

    Out: one row per condition and event that fulfils it: condition, event_id
    """
    groups = [(place, rule.group) for place, rule in enumerate(definition.rules)]
    if definition.additional is not None:
        groups.append((-1, definition.additional))
    return " UNION ALL ".join(
        f"SELECT {place} AS condition, event_id FROM ({plan_group(group, EVENTS, reading)}) AS held"
        for place, group in groups
    )


def plan_exposures(ends: Mapping[int, DrugEraEnd], reading: Reading) -> str:
    """The exposures that make the eras by which cohorts end.

    Out: one row per exposure and cohort: cohort, person_id, start_date, end_date
    """
    picks = [(pick, (number,)) for number, end in ends.items() for pick in era_picks(end)]
    parts = records_of(Domain.DRUG_EXPOSURE, picks, ("cohort",), reading, bare=True)
    return f"""
        SELECT CAST(cohort AS USMALLINT) AS cohort, CAST(person_id AS BIGINT) AS person_id, start_date, end_date
        FROM ({" UNION ALL ".join(parts)}) AS exposure
        WHERE start_date IS NOT NULL
    """


def plan_censors(criterion: Criterion, reading: Reading) -> str:
    """The events of a criterion that ends a cohort.

    Out: one row per event: person_id, start_date
    """
    return (
        f"SELECT CAST(person_id AS BIGINT) AS person_id, start_date FROM {events_of(criterion, reading)} AS censor "
        "WHERE start_date IS NOT NULL"
    )
