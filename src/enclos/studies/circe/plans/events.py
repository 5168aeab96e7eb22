"""From records to the events of cohorts: entry, limits and rules, for all definitions together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from enclos.studies.circe.domains import Domain
from enclos.studies.circe.model import Criterion, DateOffset, Definition, Limit
from enclos.studies.circe.outline import Outline, is_plain
from enclos.studies.circe.plans.criteria import day_sql, events_of, plan_events
from enclos.studies.circe.plans.groups import plan_group
from enclos.studies.circe.plans.records import record_table

_DOMAIN_PLACE = {domain: place for place, domain in enumerate(Domain)}
_PLACES_PER_DOMAIN = 10_000
_EVENT = "person_id, event_id, start_date, end_date, visit_occurrence_id, op_start_date, op_end_date"


def plan_kept(criterion: Criterion, outline: Outline) -> str:
    """Make the table of a kept criterion's events; those that it rests on must be made."""
    name = f"circe_kept_{outline.kept[criterion]}"
    events = plan_events(criterion, outline, outline.counted.get(criterion, ()))
    if criterion.correlated is None:
        return f"CREATE OR REPLACE TEMP TABLE {name} AS {events}"
    group = plan_group(criterion.correlated, "indexed", outline)
    return f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        WITH event AS ({events}),
        indexed AS (
            SELECT event.person_id, event_id, start_date, end_date, visit_occurrence_id,
                observation_period_start_date AS op_start_date, observation_period_end_date AS op_end_date
            FROM event
            JOIN observation_period AS period
                ON period.person_id = event.person_id
                AND start_date BETWEEN observation_period_start_date AND observation_period_end_date
        )
        FROM event SEMI JOIN ({group}) AS held USING (person_id, event_id)
    """


def plan_cohorts(definitions: Iterable[Definition]) -> str:
    """Make ``circe_cohort``."""
    rows = ", ".join(
        f"({number}, {each.prior_days}, {each.post_days}, {_limit(each.primary_limit)}, "
        f"{_limit(each.qualified_limit)}, {_limit(each.expression_limit)}, "
        f"{len(each.rules)}, {_offset(each)}, {each.era_pad_days}, {_day(each.censor_from)}, {_day(each.censor_until)})"
        for number, each in enumerate(definitions)
    )
    names = (
        "cohort, prior_days, post_days, primary_limit, qualified_limit, expression_limit, n_rules, "
        "offset_days, from_end, era_pad_days, censor_from, censor_until"
    )
    return f"CREATE OR REPLACE TEMP TABLE circe_cohort AS FROM (VALUES {rows}) AS t({names})"


def _limit(limit: Limit) -> int:
    """0: all; 1: the first; -1: the last. The sign orders."""
    return {Limit.ALL: 0, Limit.FIRST: 1, Limit.LAST: -1}[limit]


def _offset(definition: Definition) -> str:
    if isinstance(definition.end, DateOffset):
        return f"{definition.end.days}, {definition.end.from_end}"
    return "NULL::INTEGER, FALSE"


def _day(day: date | None) -> str:
    return day_sql(day) if day is not None else "NULL::DATE"


def entries_of(outline: Outline, numbers: Collection[int]) -> str:
    """The primary events of some definitions.

    Out: one row per event: cohort, place, person_id, event_id, start_date, end_date, visit_occurrence_id, sort_date
    """
    plain: dict[Domain, list[str]] = {}
    parts = []
    for number in numbers:
        for position, criterion in enumerate(outline.definitions[number].criteria):
            place = _DOMAIN_PLACE[criterion.domain] * _PLACES_PER_DOMAIN + position
            if is_plain(criterion):
                plain.setdefault(criterion.domain, []).append(f"({number}, {place}, {outline.pick(criterion)})")
            else:
                parts.append(
                    f"SELECT {number} AS cohort, {place} AS place, person_id, event_id, start_date, end_date, "
                    f"visit_occurrence_id, sort_date FROM {events_of(criterion, outline)} AS event"
                )
    for domain, rows in plain.items():
        parts.append(
            f"SELECT picked.cohort, picked.place, person_id, event_id, start_date, end_date, visit_occurrence_id, "
            f"start_date AS sort_date FROM {record_table(domain)} "
            f"JOIN (VALUES {', '.join(rows)}) AS picked(cohort, place, pick) USING (pick)"
        )
    return " UNION ALL ".join(parts)


OBSERVED = """
    JOIN observation_period AS period
        ON period.person_id = entry.person_id
        AND start_date >= observation_period_start_date + prior_days
        AND start_date + post_days <= observation_period_end_date
        AND start_date BETWEEN observation_period_start_date AND observation_period_end_date
"""
"""Joins ``entry``, with the days of its cohort, to the observation period that it is in."""


def plan_primary(outline: Outline, numbers: Collection[int]) -> str:
    """Make ``circe_primary``: entry events of some cohorts with their observation period, numbered by person.

    Ties are ordered by the record's number, then domain, then place in the definition, so that the same data give the
    same cohort; Circe leaves them to the engine.
    """
    return f"""
        CREATE OR REPLACE TEMP TABLE circe_primary AS
        SELECT * RENAME (ordinal AS event_id) FROM (
            SELECT
                cohort, entry.person_id, start_date, end_date, visit_occurrence_id,
                observation_period_start_date AS op_start_date, observation_period_end_date AS op_end_date,
                row_number() OVER (
                    PARTITION BY cohort, entry.person_id
                    ORDER BY
                        (sort_date - DATE '1970-01-01') * CASE WHEN primary_limit < 0 THEN -1 ELSE 1 END,
                        entry.event_id, place, start_date, end_date, observation_period_start_date
                ) AS ordinal
            FROM ({entries_of(outline, numbers)}) AS entry
            JOIN circe_cohort USING (cohort)
            {OBSERVED}
            QUALIFY primary_limit = 0 OR ordinal = 1
        )
    """


def keeps_all_primary(outline: Outline) -> bool:
    """Whether every primary event is qualified: ``circe_qualified`` is a view then."""
    return all(each.additional is None and each.qualified_limit is Limit.ALL for each in outline.definitions)


def includes_all_qualified(outline: Outline) -> bool:
    """Whether every qualified event is included: ``circe_included`` is a view then."""
    return not _ruled(outline) and not _limited(outline)


def _ruled(outline: Outline) -> set[int]:
    return {number for number, each in enumerate(outline.definitions) if each.rules}


def _limited(outline: Outline) -> set[int]:
    """A cohort whose entry is limited to one event has no more than that to limit."""
    return {
        number
        for number, each in enumerate(outline.definitions)
        if each.expression_limit is not Limit.ALL and each.primary_limit is Limit.ALL
    }


def plan_qualified(outline: Outline) -> Iterator[str]:
    """Make ``circe_qualified``: primary events for which the additional criteria hold, limited."""
    if keeps_all_primary(outline):
        yield f"CREATE OR REPLACE TEMP VIEW circe_qualified AS SELECT cohort, {_EVENT} FROM circe_primary"
        return
    asked = [number for number, each in enumerate(outline.definitions) if each.additional is not None]
    limited = [number for number, each in enumerate(outline.definitions) if each.qualified_limit is not Limit.ALL]
    yield "CREATE OR REPLACE TEMP TABLE circe_additional (cohort INTEGER, person_id BIGINT, event_id BIGINT)"
    for number in asked:
        definition = outline.definitions[number]
        if definition.additional is not None:
            held = plan_group(definition.additional, "event", outline)
            yield (
                f"INSERT INTO circe_additional WITH event AS "
                f"(SELECT {_EVENT} FROM circe_primary WHERE cohort = {number}) "
                f"SELECT {number}, person_id, event_id FROM ({held})"
            )
    within = "SEMI JOIN circe_additional USING (cohort, person_id, event_id)"
    parts = [
        f"SELECT cohort, {_EVENT} FROM circe_primary WHERE {_among(asked, limited, outline)}",
        f"SELECT cohort, {_EVENT} FROM (FROM circe_primary {within}) WHERE {_in(set(asked) - set(limited))}",
        f"""
        SELECT cohort, {_EVENT}
        FROM (
            (FROM circe_primary WHERE {_in(set(limited) - set(asked))})
            UNION ALL (FROM circe_primary {within} WHERE {_in(set(limited) & set(asked))})
        )
        JOIN circe_cohort USING (cohort)
        QUALIFY {_first_of("qualified_limit")}
        """,
    ]
    yield f"CREATE OR REPLACE TEMP TABLE circe_qualified AS {' UNION ALL '.join(parts)}"


def _among(asked: Collection[int], limited: Collection[int], outline: Outline) -> str:
    """Cohorts that are neither."""
    return _in(set(range(len(outline.definitions))) - set(asked) - set(limited))


def _in(numbers: Collection[int]) -> str:
    return f"cohort IN ({', '.join(map(str, sorted(numbers)))})" if numbers else "FALSE"


def _first_of(limit: str) -> str:
    return (
        "row_number() OVER (PARTITION BY cohort, person_id ORDER BY "
        f"(start_date - DATE '1970-01-01') * CASE WHEN {limit} < 0 THEN -1 ELSE 1 END, event_id) = 1"
    )


def plan_fulfilled(outline: Outline) -> Iterator[str]:
    """Make ``circe_fulfilled``: which events fulfil which rule."""
    yield (
        "CREATE OR REPLACE TEMP TABLE circe_fulfilled (cohort INTEGER, rule INTEGER, person_id BIGINT, event_id BIGINT)"
    )
    for number, definition in enumerate(outline.definitions):
        if definition.rules:
            held = " UNION ALL ".join(
                f"(SELECT {number}, {place}, person_id, event_id FROM ({plan_group(rule.group, 'event', outline)}))"
                for place, rule in enumerate(definition.rules)
            )
            yield (
                f"INSERT INTO circe_fulfilled WITH event AS "
                f"(SELECT {_EVENT} FROM circe_qualified WHERE cohort = {number}) {held}"
            )


def plan_included(outline: Outline) -> str:
    """Make ``circe_included``: events that fulfil every rule, limited."""
    ruled, limited = _ruled(outline), _limited(outline)
    if includes_all_qualified(outline):
        return f"CREATE OR REPLACE TEMP VIEW circe_included AS SELECT cohort, {_EVENT} FROM circe_qualified"
    fulfilling = """
        circe_qualified SEMI JOIN (
            SELECT cohort, person_id, event_id
            FROM circe_fulfilled JOIN circe_cohort USING (cohort)
            GROUP BY cohort, person_id, event_id, n_rules HAVING count(*) = n_rules
        ) AS whole USING (cohort, person_id, event_id)
    """
    parts = [f"SELECT cohort, {_EVENT} FROM circe_qualified WHERE {_among(ruled, limited, outline)}"]
    if ruled - limited:
        parts.append(f"SELECT cohort, {_EVENT} FROM (FROM {fulfilling}) WHERE {_in(ruled - limited)}")
    if limited:
        both = f"UNION ALL (FROM {fulfilling} WHERE {_in(limited & ruled)})" if limited & ruled else ""
        parts.append(f"""
            SELECT cohort, {_EVENT}
            FROM ((FROM circe_qualified WHERE {_in(limited - ruled)}) {both})
            JOIN circe_cohort USING (cohort)
            QUALIFY {_first_of("expression_limit")}
        """)
    return f"CREATE OR REPLACE TEMP TABLE circe_included AS {' UNION ALL '.join(parts)}"


def plan_left() -> str:
    """Make ``circe_left``: how many rules, from the first on, some event of a person fulfils together.

    Out: one row per cohort and person with an event that the rules look at: cohort, person_id, n_rules
    """
    return f"""
        CREATE OR REPLACE TEMP TABLE circe_left AS
        SELECT cohort, person_id, max(n_rules) AS n_rules FROM ({plan_events_left()}) GROUP BY cohort, person_id
    """


def plan_events_left() -> str:
    """How many rules, from the first on, each event that the rules look at fulfils.

    Out: one row per event: cohort, person_id, n_rules
    """
    return """
        WITH counted AS (
            SELECT cohort, person_id, event_id, max(place) AS n_rules
            FROM (
                SELECT cohort, person_id, event_id, rule,
                    row_number() OVER (PARTITION BY cohort, person_id, event_id ORDER BY rule) AS place
                FROM circe_fulfilled
            )
            WHERE rule = place - 1
            GROUP BY ALL
        )
        SELECT CAST(cohort AS INTEGER) AS cohort, CAST(person_id AS BIGINT) AS person_id,
            CAST(coalesce(n_rules, 0) AS INTEGER) AS n_rules
        FROM circe_qualified
        LEFT JOIN counted USING (cohort, person_id, event_id)
    """


def plan_left_query() -> str:
    """The rows of ``circe_left``."""
    return "SELECT cohort, person_id, n_rules FROM circe_left"
