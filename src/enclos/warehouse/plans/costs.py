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

from enclos.contracts.omop import omop_tables
from enclos.warehouse import concepts


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


def cost_rows_sql(amounts: Sequence[str], bucket: str) -> str:
    """The ``cost`` rows of some buckets.

    In: bucket — of a person, as SQL; it stands first.
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
    return f"SELECT {bucket} AS bucket, {listed} FROM ({' UNION ALL '.join(amounts)}) ORDER BY bucket, cost_id"
