"""From entry events to cohort rows: limits, rules, exits and eras, for all definitions together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from enclos.studies.circe.domains import Domain
from enclos.studies.circe.model import Criterion, DateOffset, Definition, DrugEraEnd, Limit
from enclos.studies.circe.outline import Outline, era_picks, is_plain
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
        f"{_limit(each.qualified_limit)}, {_limit(each.expression_limit)}, {each.additional is not None}, "
        f"{len(each.rules)}, {_offset(each)}, {each.era_pad_days}, {_day(each.censor_from)}, {_day(each.censor_until)})"
        for number, each in enumerate(definitions)
    )
    names = (
        "cohort, prior_days, post_days, primary_limit, qualified_limit, expression_limit, has_additional, n_rules, "
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


def plan_entries(outline: Outline) -> str:
    """Make ``circe_entry``: the primary events of all definitions."""
    plain: dict[Domain, list[str]] = {}
    parts = []
    for number, definition in enumerate(outline.definitions):
        for position, criterion in enumerate(definition.criteria):
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
    return f"CREATE OR REPLACE TEMP TABLE circe_entry AS {' UNION ALL '.join(parts)}"


def plan_primary() -> str:
    """Make ``circe_primary``: entry events with their observation period, numbered by person.

    Ties are ordered by the record's number, then domain, then place in the definition, so that the same data give the
    same cohort; Circe leaves them to the engine.
    """
    return """
        CREATE OR REPLACE TEMP TABLE circe_primary AS
        SELECT * RENAME (ordinal AS event_id) FROM (SELECT
            cohort, entry.person_id, start_date, end_date, visit_occurrence_id,
            observation_period_start_date AS op_start_date, observation_period_end_date AS op_end_date,
            row_number() OVER (
                PARTITION BY cohort, entry.person_id
                ORDER BY
                    (sort_date - DATE '1970-01-01') * CASE WHEN primary_limit < 0 THEN -1 ELSE 1 END,
                    entry.event_id, place, start_date, end_date, observation_period_start_date
            ) AS ordinal
        FROM circe_entry AS entry
        JOIN circe_cohort USING (cohort)
        JOIN observation_period AS period
            ON period.person_id = entry.person_id
            AND start_date >= observation_period_start_date + prior_days
            AND start_date + post_days <= observation_period_end_date
        WHERE start_date BETWEEN observation_period_start_date AND observation_period_end_date
        QUALIFY primary_limit = 0 OR ordinal = 1)
    """


def plan_qualified(outline: Outline) -> Iterator[str]:
    """Make ``circe_qualified``: primary events for which the additional criteria hold, limited."""
    yield "CREATE OR REPLACE TEMP TABLE circe_additional (cohort INTEGER, person_id BIGINT, event_id BIGINT)"
    for number, definition in enumerate(outline.definitions):
        if definition.additional is not None:
            held = plan_group(definition.additional, "event", outline)
            yield (
                f"INSERT INTO circe_additional WITH event AS "
                f"(SELECT {_EVENT} FROM circe_primary WHERE cohort = {number}) "
                f"SELECT {number}, person_id, event_id FROM ({held})"
            )
    yield f"""
        CREATE OR REPLACE TEMP TABLE circe_qualified AS
        SELECT cohort, {_EVENT}
        FROM (
            SELECT primary_event.* FROM circe_primary AS primary_event
            JOIN circe_cohort USING (cohort) WHERE NOT has_additional
            UNION ALL
            FROM circe_primary SEMI JOIN circe_additional USING (cohort, person_id, event_id)
        )
        JOIN circe_cohort USING (cohort)
        QUALIFY qualified_limit = 0 OR {_first_of("qualified_limit")}
    """


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


def plan_included() -> str:
    """Make ``circe_included``: events that fulfil every rule, limited."""
    return f"""
        CREATE OR REPLACE TEMP TABLE circe_included AS
        SELECT cohort, {_EVENT}
        FROM (
            SELECT qualified.* FROM circe_qualified AS qualified
            JOIN circe_cohort USING (cohort) WHERE n_rules = 0
            UNION ALL
            FROM circe_qualified SEMI JOIN (
                SELECT cohort, person_id, event_id
                FROM circe_fulfilled JOIN circe_cohort USING (cohort)
                GROUP BY cohort, person_id, event_id, n_rules HAVING count(*) = n_rules
            ) AS whole USING (cohort, person_id, event_id)
        )
        JOIN circe_cohort USING (cohort)
        QUALIFY expression_limit = 0 OR {_first_of("expression_limit")}
    """


def plan_ends(outline: Outline) -> Iterator[str]:
    """Make ``circe_end``: the days on which an included event may end."""
    yield """
        CREATE OR REPLACE TEMP TABLE circe_end AS
        SELECT
            cohort, person_id, event_id,
            CASE
                WHEN offset_days IS NULL THEN op_end_date
                ELSE least(CASE WHEN from_end THEN end_date ELSE start_date END + offset_days, op_end_date)
            END AS end_date
        FROM circe_included JOIN circe_cohort USING (cohort)
    """
    for number, definition in enumerate(outline.definitions):
        if isinstance(definition.end, DrugEraEnd):
            yield _plan_drug_eras(number, definition.end, outline)
        for criterion in definition.censoring:
            yield f"""
                INSERT INTO circe_end
                SELECT {number}, event.person_id, event.event_id, min(censor.start_date)
                FROM circe_included AS event
                JOIN {events_of(criterion, outline)} AS censor
                    ON censor.person_id = event.person_id
                    AND censor.start_date BETWEEN event.start_date AND event.op_end_date
                WHERE event.cohort = {number}
                GROUP BY event.person_id, event.event_id
            """


def _plan_drug_eras(number: int, end: DrugEraEnd, outline: Outline) -> str:
    """Eras of exposure: exposures apart by no more than the gap make one; it lasts some days after the last."""
    picks = ", ".join(str(outline.picks[pick]) for pick in era_picks(end))
    last_day = "end_date" if end.days_supply is None else f"start_date + {end.days_supply}"
    return f"""
        INSERT INTO circe_end
        WITH exposure AS (
            SELECT person_id, start_date, {last_day} + ({end.gap_days + end.offset_days}) AS end_date
            FROM {record_table(Domain.DRUG_EXPOSURE)}
            SEMI JOIN (SELECT DISTINCT person_id FROM circe_included WHERE cohort = {number}) AS member
                USING (person_id)
            WHERE pick IN ({picks})
        ),
        era AS ({_eras("exposure", "person_id")})
        SELECT {number}, event.person_id, event.event_id, era.end_date - {end.gap_days}
        FROM circe_included AS event
        JOIN era
            ON era.person_id = event.person_id
            AND event.start_date BETWEEN era.start_date AND era.end_date - {end.gap_days}
        WHERE event.cohort = {number}
    """


def _eras(relation: str, by: str) -> str:
    """Stretches that share a day become one.

    Out: one row per era: the columns of ``by``, start_date, end_date
    """
    return f"""
        SELECT {by}, min(start_date) AS start_date, max(end_date) AS end_date
        FROM (
            SELECT {by}, start_date, end_date,
                sum(is_start) OVER (
                    PARTITION BY {by} ORDER BY start_date, end_date, is_start DESC ROWS UNBOUNDED PRECEDING
                ) AS era
            FROM (
                SELECT {by}, start_date, end_date,
                    CASE WHEN max(end_date) OVER (
                        PARTITION BY {by} ORDER BY start_date, end_date
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ) >= start_date THEN 0 ELSE 1 END AS is_start
                FROM {relation}
            )
        )
        GROUP BY {by}, era
    """


def plan_rows() -> str:
    """The rows of every cohort: each event until its first possible end, joined into eras, cut by the censor window.

    Out: one row per stretch: cohort, subject_id, cohort_start_date, cohort_end_date
    """
    return f"""
        WITH stretch AS (
            SELECT cohort, event.person_id, any_value(event.start_date) AS start_date,
                min(possible.end_date) + any_value(era_pad_days) AS end_date
            FROM circe_included AS event
            JOIN circe_cohort USING (cohort)
            JOIN circe_end AS possible
                USING (cohort, person_id, event_id)
            WHERE possible.end_date >= event.start_date
            GROUP BY cohort, event.person_id, event.event_id
        ),
        era AS ({_eras("stretch", "cohort, person_id")})
        SELECT CAST(cohort AS INTEGER) AS cohort, CAST(person_id AS BIGINT) AS subject_id,
            greatest(start_date, censor_from) AS cohort_start_date,
            least(end_date - era_pad_days, censor_until) AS cohort_end_date
        FROM era
        JOIN circe_cohort USING (cohort)
        WHERE (censor_from IS NULL AND censor_until IS NULL)
            OR greatest(start_date, censor_from) <= least(end_date - era_pad_days, censor_until)
    """


def plan_row_table() -> str:
    """Make ``circe_row`` of ``plan_rows``, so that what asks for the rows is short."""
    return f"CREATE OR REPLACE TEMP TABLE circe_row AS {plan_rows()}"


def plan_row_query() -> str:
    """The rows of ``circe_row``."""
    return "SELECT cohort, subject_id, cohort_start_date, cohort_end_date FROM circe_row"


def plan_left() -> str:
    """Make ``circe_left``: how many rules, from the first on, some event of a person fulfils together.

    Out: one row per cohort and person with an event that the rules look at: cohort, person_id, n_rules
    """
    return """
        CREATE OR REPLACE TEMP TABLE circe_left AS
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
            CAST(coalesce(max(n_rules), 0) AS INTEGER) AS n_rules
        FROM circe_qualified
        LEFT JOIN counted USING (cohort, person_id, event_id)
        GROUP BY cohort, person_id
    """


def plan_left_query() -> str:
    """The rows of ``circe_left``."""
    return "SELECT cohort, person_id, n_rules FROM circe_left"


def plan_drops(outline: Outline) -> list[str]:
    """Drop whatever the cohorts have made in the bucket."""
    names = [
        "circe_code",
        "circe_person",
        "circe_cohort",
        "circe_entry",
        "circe_primary",
        "circe_additional",
        "circe_qualified",
        "circe_fulfilled",
        "circe_included",
        "circe_end",
        "circe_row",
        "circe_left",
        *dict.fromkeys(record_table(pick.domain) for pick in outline.picks),
        *(f"circe_kept_{number}" for number in outline.kept.values()),
    ]
    return [f"DROP TABLE IF EXISTS {name}" for name in names]
