"""PAYER_PLAN_PERIOD: who insured a person, and who complements the insurance.

* Scheme (rule ``payer-1``): each line of care names the scheme that pays (RGM_GRG_COD; AME where RGM_COD is 95 or 96).
  A scheme lasts from the first care that it pays to the day before another scheme pays; the first one from the start of
  the observation period, the last one to its end. Without a line that names a scheme there is no period.
* Complementary cover (IR_ORC_R) keeps its own dates: BEN_CTA_TYP 89 is C2S (CMU-C before November 2019). A contract
  without an end, or to 2099, lasts to the end of the observation period. BEN_CMU_TOP is not used: it is 0 on lines of
  long-term illness whatever the rights are.

Source: facts on the SNDS, trap 17.
"""

from __future__ import annotations

from enclos.warehouse.plans.parts import Part
from enclos.warehouse.plans.traps import KEPT, NO_PERSON, Trap, known_date_sql, no_date, verdict_sql

RULE = "payer-1"
COVER_TRAPS: tuple[Trap, ...] = (no_date("MLL_CTA_DSD"), NO_PERSON)
_C2S = 89
_PAYER = "CASE WHEN RGM_COD IN (95, 96) THEN 'AME' ELSE CAST(RGM_GRG_COD AS VARCHAR) END"


def schemes_sql(prs: str) -> str:
    """The schemes of each person, in turn.

    Out: person_id, payer, since (first day of care that it pays).
    """
    return f"""
        WITH named AS (
            SELECT person_id, EXE_SOI_DTD AS day, {_PAYER} AS payer FROM {prs}
            WHERE (RGM_GRG_COD IS NOT NULL OR RGM_COD IN (95, 96)) AND EXE_SOI_DTD >= DATE '1900-01-01'
        ),
        found AS (
            SELECT person_id, min(payer) AS payer, min(day) AS since, min(payer) <> max(payer) AS changes
            FROM named GROUP BY person_id
        ),
        days AS (
            SELECT n.person_id, n.day, max(n.payer) AS payer
            FROM named AS n SEMI JOIN (SELECT person_id FROM found WHERE changes) AS c ON c.person_id = n.person_id
            GROUP BY n.person_id, n.day
        ),
        turns AS (
            SELECT *, lag(payer) OVER (PARTITION BY person_id ORDER BY day) IS DISTINCT FROM payer AS starts FROM days
        )
        SELECT person_id, payer, since FROM found WHERE NOT changes
        UNION ALL SELECT person_id, payer, day FROM turns WHERE starts
    """


def scheme_part() -> Part:
    """The periods of schemes, from the staged schemes and observation periods."""
    return Part(
        {
            "person_id": "person_id",
            "payer_plan_period_start_date": "start_on",
            "payer_plan_period_end_date": "end_on",
            "payer_concept_id": "0",
            "payer_source_value": "payer",
            "payer_source_concept_id": "0",
        },
        """FROM (SELECT s.person_id, s.payer, p.first_on, p.last_on,
                        CASE WHEN row_number() OVER in_turn = 1 THEN p.first_on
                             ELSE greatest(s.since, p.first_on) END AS start_on,
                        least(coalesce(lead(s.since) OVER in_turn - 1, p.last_on), p.last_on) AS end_on
                 FROM stage_schemes AS s
                 JOIN (SELECT person_id, min(observation_period_start_date) AS first_on,
                              max(observation_period_end_date) AS last_on
                       FROM stage_periods GROUP BY person_id) AS p USING (person_id)
                 WINDOW in_turn AS (PARTITION BY s.person_id ORDER BY s.since))
           WHERE start_on <= end_on""",
        "hash('scheme', payer)",
    )


def cover_lines_sql(orc: str) -> str:
    """Contracts of complementary cover with the verdict on each."""
    return f"""
        SELECT verdict, person_id, MLL_CTA_DSD AS start_on,
               CASE WHEN {known_date_sql("MLL_CTA_DSF")} < DATE '2099-01-01' THEN MLL_CTA_DSF END AS end_on,
               CASE WHEN BEN_CTA_TYP = {_C2S} THEN 'C2S' ELSE CAST(BEN_CTA_TYP AS VARCHAR) END AS plan,
               1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, {verdict_sql(COVER_TRAPS)} AS verdict FROM {orc})
    """


def cover_part() -> Part:
    """The periods of complementary cover, from the staged contracts and observation periods."""
    return Part(
        {
            "person_id": "c.person_id",
            "payer_plan_period_start_date": "c.start_on",
            "payer_plan_period_end_date": "greatest(c.start_on, coalesce(c.end_on, p.last_on, c.start_on))",
            "plan_concept_id": "0",
            "plan_source_value": "c.plan",
            "plan_source_concept_id": "0",
        },
        f"""FROM (SELECT * FROM stage_orc WHERE verdict = {KEPT}) AS c
            LEFT JOIN (SELECT person_id, max(observation_period_end_date) AS last_on
                       FROM stage_periods GROUP BY person_id) AS p ON p.person_id = c.person_id""",
        "hash('cover', c.plan, c.end_on)",
    )
