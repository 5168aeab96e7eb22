"""From the events of cohorts to their rows: exits and eras, for all definitions together."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from enclos.studies.circe.domains import Domain, Joined
from enclos.studies.circe.model import DrugEraEnd, Limit
from enclos.studies.circe.outline import Outline, era_picks
from enclos.studies.circe.plans.criteria import events_of
from enclos.studies.circe.plans.events import (
    OBSERVED,
    entries_of,
    includes_all_qualified,
    keeps_all_primary,
)
from enclos.studies.circe.plans.records import record_table


def direct_cohorts(outline: Outline) -> list[int]:
    """Cohorts whose every entry event is a stretch of its own: no limit, no condition, an end that it knows itself."""
    return [
        number
        for number, each in enumerate(outline.definitions)
        if each.primary_limit is Limit.ALL
        and each.additional is None
        and each.qualified_limit is Limit.ALL
        and not each.rules
        and each.expression_limit is Limit.ALL
        and not isinstance(each.end, DrugEraEnd)
        and not each.censoring
    ]


def _ended_by_others(outline: Outline) -> list[int]:
    """Cohorts that other records can end."""
    return [
        number for number, each in enumerate(outline.definitions) if isinstance(each.end, DrugEraEnd) or each.censoring
    ]


_END = """
    CASE
        WHEN offset_days IS NULL THEN {observed}
        ELSE least(CASE WHEN from_end THEN end_date ELSE start_date END + offset_days, {observed})
    END
"""
"""The end that an event knows itself, never after its observation period."""


def plan_ends(outline: Outline) -> Iterator[str]:
    """Make ``circe_end``: the days on which an included event may end, for cohorts that other records can end."""
    if not (numbers := _ended_by_others(outline)):
        return
    yield f"""
        CREATE OR REPLACE TEMP TABLE circe_end AS
        SELECT cohort, person_id, event_id, {_END.format(observed="op_end_date")} AS end_date
        FROM circe_included JOIN circe_cohort USING (cohort)
        WHERE cohort IN ({", ".join(map(str, numbers))})
    """
    eras = {number: each.end for number, each in enumerate(outline.definitions) if isinstance(each.end, DrugEraEnd)}
    if eras:
        yield _plan_drug_eras(eras, outline)
    for number, definition in enumerate(outline.definitions):
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


def _plan_drug_eras(ends: dict[int, DrugEraEnd], outline: Outline) -> str:
    """Eras of exposure: exposures apart by no more than the gap make one; it lasts some days after the last."""
    rows = ", ".join(
        f"({number}, {outline.picks[pick]}, {end.gap_days}, {end.offset_days}, "
        f"{'NULL::INTEGER' if end.days_supply is None else end.days_supply})"
        for number, end in ends.items()
        for pick in era_picks(end)
    )
    return f"""
        INSERT INTO circe_end
        WITH ending AS (FROM (VALUES {rows}) AS t(cohort, pick, gap_days, offset_days, days_supply)),
        exposure AS (
            SELECT cohort, record.person_id, start_date,
                CASE WHEN ending.days_supply IS NULL THEN end_date ELSE start_date + ending.days_supply END
                    + (gap_days + ending.offset_days) AS end_date
            FROM {record_table(Domain.DRUG_EXPOSURE)} AS record
            JOIN ending USING (pick)
            SEMI JOIN circe_included AS member
                ON member.cohort = ending.cohort AND member.person_id = record.person_id
        ),
        era AS ({_eras("exposure", "cohort, person_id")})
        SELECT cohort, event.person_id, event.event_id, era.end_date - gap_days
        FROM circe_included AS event
        JOIN era USING (cohort, person_id)
        JOIN (SELECT DISTINCT cohort, gap_days FROM ending) AS gap USING (cohort)
        WHERE event.start_date BETWEEN era.start_date AND era.end_date - gap_days
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


def plan_stretches(outline: Outline, direct: Collection[int]) -> str:
    """Make ``circe_stretch``: each event until its first possible end, with the days of its cohort's era pad.

    In: direct — cohorts of which no table of events was made
    """
    parts = []
    if direct:
        end = _END.format(observed="observation_period_end_date")
        parts.append(f"""
            SELECT cohort, entry.person_id, start_date, {end} AS end_date, era_pad_days
            FROM ({entries_of(outline, direct)}) AS entry
            JOIN circe_cohort USING (cohort)
            {OBSERVED}
        """)
    others = set(_ended_by_others(outline))
    if own := set(range(len(outline.definitions))) - set(direct) - others:
        parts.append(f"""
            SELECT cohort, person_id, start_date, {_END.format(observed="op_end_date")} AS end_date, era_pad_days
            FROM circe_included JOIN circe_cohort USING (cohort)
            WHERE cohort IN ({", ".join(map(str, sorted(own)))})
        """)
    if others:
        parts.append("""
            SELECT cohort, event.person_id, any_value(event.start_date) AS start_date,
                min(possible.end_date) AS end_date, any_value(era_pad_days) AS era_pad_days
            FROM circe_included AS event
            JOIN circe_cohort USING (cohort)
            JOIN circe_end AS possible USING (cohort, person_id, event_id)
            WHERE possible.end_date >= event.start_date
            GROUP BY cohort, event.person_id, event.event_id
        """)
    return f"""
        CREATE OR REPLACE TEMP TABLE circe_stretch AS
        SELECT cohort, person_id, start_date, end_date + era_pad_days AS end_date
        FROM ({" UNION ALL ".join(parts)})
        WHERE end_date >= start_date
    """


def plan_rows() -> str:
    """The rows of every cohort: stretches joined into eras, cut by the censor window.

    Out: one row per stretch: cohort, subject_id, cohort_start_date, cohort_end_date
    """
    return f"""
        WITH era AS ({_eras("circe_stretch", "cohort, person_id")})
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


def plan_drops(outline: Outline, direct: Collection[int]) -> str:
    """Drop what the cohorts have made in the bucket, at once."""
    views = [
        *(["circe_included"] if includes_all_qualified(outline) else []),
        *(["circe_qualified"] if keeps_all_primary(outline) else []),
    ]
    tables = [
        "circe_code",
        "circe_cohort",
        "circe_stretch",
        "circe_row",
        *(["circe_person"] if Joined.PERSON in outline.beside else []),
        *dict.fromkeys(record_table(pick.domain) for pick in outline.picks),
        *(f"circe_kept_{number}" for number in outline.kept.values()),
    ]
    if len(direct) == len(outline.definitions):
        views = []
    else:
        made = ("circe_primary", "circe_additional", "circe_qualified", "circe_fulfilled", "circe_included")
        tables += [name for name in (*made, "circe_end", "circe_left") if name not in views]
    drops = [("VIEW", name) for name in views] + [("TABLE", name) for name in tables]
    return "; ".join(f"DROP {kind} IF EXISTS {name}" for kind, name in drops)
