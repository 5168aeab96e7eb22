"""COST: what a visit cost, one row per visit, under the visit's own number.

Amounts are those of the prestations themselves (PRS_PAI_MNT, BSE_REM_MNT, CPL_REM_MNT), taken before any affined table
is joined: a prestation with three packs is paid once. All lines of the visit are summed, cancelling ones with their
negative amounts, and charges that are no act (majorations, complements) with theirs; lines for information, and those
that the PMSI has too, are not. What neither scheme paid may be the patient's or a complementary insurer's: nobody
says which, so ``paid_by_patient`` is empty.

Source: facts on the SNDS, § 1.2 (affined joins duplicate prestations).
"""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.omop import omop_tables, table_of_domain_sql
from enclos.warehouse import concepts
from enclos.warehouse.model import Fate
from enclos.warehouse.plans.links import OMOP
from enclos.warehouse.plans.relations import everything, key_sql, numbered_sql
from enclos.warehouse.plans.traps import KEPT, Trap
from enclos.warehouse.plans.visit_details import STAY_LINE_TRAPS, stay_line_verdict_sql
from enclos.warehouse.plans.visits import visits_before

NO_AMOUNT = Trap("no_amount", "MNT_TOT_AM IS NULL", Fate.REJECTED, "a valued stay without its value")
STAY_AMOUNT_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, NO_AMOUNT)


def town_amounts_sql() -> str:
    """What visits in town cost.

    In: the staged prestations and visits.
    Out: one row per visit: person_id, visit_occurrence_id, type_concept_id, charged, primary_paid, payer_paid (cents).
    Other sources of amounts, such as stays, give the same columns.
    """
    return f"""
        SELECT v.person_id, v.visit_occurrence_id,
               CASE v.visit_concept_id WHEN {concepts.PHARMACY_VISIT} THEN {concepts.TYPE_PHARMACY_CLAIM}
                   ELSE {concepts.TYPE_OUTPATIENT_CLAIM} END AS type_concept_id, p.charged, p.primary_paid, p.payer_paid
        FROM stage_care_visits AS v
        JOIN (SELECT person_id, key, CAST(sum(charged) AS BIGINT) AS charged,
                     CAST(sum(primary_paid) AS BIGINT) AS primary_paid, CAST(sum(payer_paid) AS BIGINT) AS payer_paid
              FROM stage_prs WHERE key IS NOT NULL GROUP BY person_id, key) AS p
          ON p.person_id = v.person_id AND p.key = v.key
        WHERE p.charged IS NOT NULL OR p.payer_paid IS NOT NULL
    """


def stay_amount_lines_sql(mco_valo: str) -> str:
    """Valued stays with the verdict on each line."""
    return f"""
        SELECT *, 1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT {stay_line_verdict_sql(NO_AMOUNT)} AS verdict, a.person_id, s.key,
                     CAST(round(a.MNT_TOT_AM * 100) AS BIGINT) AS paid,
                     CAST(round(a.MNT_TOT_BR * 100) AS BIGINT) AS charged
              FROM {mco_valo} AS a LEFT JOIN stage_mco_b AS s
                ON s.person_id = a.person_id AND s.stay_key = a.stay_key AND s.n_before = 0)
    """


def stay_amounts_sql() -> str:
    """What stays of public hospitals cost the sickness insurance (T_MCOaaVALO); the tariff is what was charged.

    In: the staged lines (``mco_valo``) and visits.
    """
    return f"""
        SELECT v.person_id, v.visit_occurrence_id, {concepts.TYPE_INPATIENT_CLAIM_HEADER} AS type_concept_id,
               a.charged, a.paid AS primary_paid, a.paid AS payer_paid
        FROM stage_stay_visits AS v
        JOIN (SELECT person_id, key, CAST(sum(charged) AS BIGINT) AS charged, CAST(sum(paid) AS BIGINT) AS paid
              FROM stage_mco_valo WHERE verdict = {KEPT} GROUP BY person_id, key) AS a
          ON a.person_id = v.person_id AND a.key = v.key
    """


def delivered_costs_sql(omop_cost: str) -> str:
    """What an OMOP delivery says that its visits and other rows cost, copied; many costs may be of one row.

    In: the staged named rows.
    Out: the columns of ``cost``, under numbers of the block of delivered visits, and person_id.
    """
    values = {
        "cost_id": numbered_sql(
            "c.person_id", f"v.id, c.cost_id, v.place, hash({everything('omop_cost', 'c')})", after=visits_before(OMOP)
        ),
        "cost_event_id": "v.id",
        "payer_plan_period_id": "y.id",
    }
    listed = ", ".join(
        f'CAST({values.get(column.name, f"""c."{column.name}" """)} AS {column.sql_type}) AS "{column.name}"'
        for column in omop_tables()["cost"]
    )
    return (
        f"SELECT c.person_id, {listed} FROM {omop_cost} AS c JOIN stage_omop_named_cost AS v "
        f"ON v.person_id = c.person_id AND v.key = {key_sql('c.source', 'c.cost_event_id')} "
        f"AND v.place = {table_of_domain_sql('c.cost_domain_id')} "
        "LEFT JOIN stage_omop_named_cost AS y ON y.person_id = c.person_id AND y.place = 'payer_plan_period' "
        f"AND y.key = {key_sql('c.source', 'c.payer_plan_period_id')}"
    )


def cost_rows_sql(amounts: Sequence[str], delivered: Sequence[str], bucket: str) -> str:
    """The ``cost`` rows of some buckets.

    In: amounts — of visits; delivered — whole rows; bucket — of a person, as SQL; it stands first.
    """
    values = {
        "cost_id": "visit_occurrence_id",
        "cost_event_id": "visit_occurrence_id",
        "cost_domain_id": "'Visit'",
        "cost_type_concept_id": "type_concept_id",
        "currency_concept_id": str(concepts.EURO),
        "total_charge": "charged / 100",
        "total_paid": "charged / 100",
        "paid_by_payer": "payer_paid / 100",
        "paid_by_primary": "primary_paid / 100",
    }
    listed = ", ".join(
        f'CAST({values.get(column.name, "NULL")} AS {column.sql_type}) AS "{column.name}"'
        for column in omop_tables()["cost"]
    )
    made = [f"SELECT person_id, {listed} FROM ({' UNION ALL '.join(amounts)})"] if amounts else []
    rows = " UNION ALL ".join([*made, *delivered])
    return f"SELECT {bucket} AS bucket, * EXCLUDE (person_id) FROM ({rows}) ORDER BY bucket, cost_id"
