"""Time at risk of an outcome."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.rules.outline import Pair


def plan_gaps() -> str:
    """Make ``study_gap``: for each cohort and person with events, the times before, between and after them.

    ``previous_last_day`` is NULL before the first event, ``until_day`` after the last.
    """
    return """
        CREATE OR REPLACE TEMP TABLE study_gap AS
        SELECT
            cohort, ordinal,
            lag(last_day) OVER (PARTITION BY cohort, ordinal ORDER BY first_day) AS previous_last_day,
            first_day AS until_day
        FROM study_event
        UNION ALL
        SELECT cohort, ordinal, max(last_day), NULL FROM study_event GROUP BY cohort, ordinal
    """


def plan_at_risk(
    pairs: Sequence[Pair], washout_days: int | None, *, repeated_events: bool, censor: int | None = None
) -> str:
    """The stretches in which persons of a denominator are at risk of an outcome, each ending at an event or without.

    After an event a person is at risk again when the event's last day and the washout have passed; never, when the
    washout is all time. The day of the event is a day at risk. Events outside the denominator's time count for the
    washout. Without repeated events nothing after a person's first event at risk is kept. Nor is anything after the
    first day of the censor cohort. A stratum is judged with the pair that it is a part of: an event in another of the
    person's stays ends time at risk in it too.

    In:     pairs — no stratum without its whole; censor — the index of the censor cohort
    Out:    one row per stretch: pair, ordinal, first_day, last_day, has_event (0 or 1, on last_day)
    Source: IncidencePrevalence 1.2, estimateIncidence and getIncidence. Where a person has several observation
            periods, finite washout and no repeated events, the peer keeps only the person's first stretch even when
            it has no event, and so loses the event in a later period; here it is counted.
    """
    values = ", ".join(f"({pair.number}, {pair.denominator}, {pair.cohort}, {pair.whole_pair})" for pair in pairs)
    wanted = f"(VALUES {values}) AS wanted(pair, denominator, cohort, whole)"
    stays = "study_denominator" if censor is None else f"({_plan_uncensored(censor)})"
    if washout_days is None:
        return f"""
            SELECT
                CAST(wanted.pair AS USMALLINT) AS pair,
                stay.ordinal,
                stay.first_day,
                least(stay.last_day, first_event.day) AS last_day,
                CAST(coalesce(first_event.day <= stay.last_day, FALSE) AS UTINYINT) AS has_event
            FROM {stays} AS stay
            JOIN {wanted} ON wanted.denominator = stay.denominator
            LEFT JOIN (SELECT cohort, ordinal, min(first_day) AS day FROM study_event GROUP BY ALL) AS first_event
                ON first_event.ordinal = stay.ordinal AND first_event.cohort = wanted.cohort
            WHERE coalesce(first_event.day >= stay.first_day, TRUE)
        """
    at_risk = f"""
        SELECT
            wanted.whole,
            CAST(wanted.pair AS USMALLINT) AS pair,
            stay.ordinal,
            greatest(stay.first_day, gap.previous_last_day + {washout_days + 1}) AS first_day,
            least(stay.last_day, gap.until_day) AS last_day,
            CAST(coalesce(gap.until_day <= stay.last_day, FALSE) AS UTINYINT) AS has_event
        FROM {stays} AS stay
        JOIN {wanted} ON wanted.denominator = stay.denominator
        LEFT JOIN study_gap AS gap ON gap.ordinal = stay.ordinal AND gap.cohort = wanted.cohort
        WHERE greatest(stay.first_day, gap.previous_last_day + {washout_days + 1})
            <= least(stay.last_day, gap.until_day)
    """
    if repeated_events:
        return at_risk
    return f"""
        SELECT pair, ordinal, first_day, last_day, has_event
        FROM ({at_risk})
        QUALIFY coalesce(
            first_day <= min(CASE WHEN has_event = 1 THEN last_day END) OVER (PARTITION BY whole, ordinal), TRUE
        )
    """


def _plan_uncensored(censor: int) -> str:
    """The stays up to the first day of the censor cohort, whoever entered it before left out."""
    return f"""
        SELECT denominator, ordinal, first_day, least(last_day, coalesce(censored.day, last_day)) AS last_day
        FROM study_denominator
        LEFT JOIN (
            SELECT ordinal, min(first_day) AS day FROM study_event WHERE cohort = {censor} GROUP BY ordinal
        ) AS censored USING (ordinal)
        WHERE coalesce(censored.day >= first_day, TRUE)
    """
