"""DRUG_ERA and CONDITION_ERA: the stretches in which a person was under an ingredient, or had a condition.

* Drugs are taken at the level of their ingredients, conditions at that of their standard concept; concept 0 makes none.
* Records of a person and concept make one era as long as a record starts at most 30 days after the last day so far.
* ``gap_days`` are the days of an era that no record covers.
* A record without a last day lasts to the day after its first (a drug: its days of supply, where they are told).
* Eras are made for everybody but persons known from one OMOP delivery only that brought eras of theirs: these are kept.

Source: OHDSI's convention for eras (persistence window of 30 days; ``coalesce(end, start + 1)``).
"""

from __future__ import annotations

from enclos.warehouse.model import Fate
from enclos.warehouse.plans.events import delivered_part
from enclos.warehouse.plans.parts import Part
from enclos.warehouse.plans.traps import KEPT, Trap

RULE = "gap-30-1"
PERSISTENCE_DAYS = 30
ERA_TABLES: dict[str, str] = {"drug_era": "drug_exposure", "condition_era": "condition_occurrence"}
"""Each table of eras and the table whose records make them."""
REBUILT: tuple[Trap, ...] = (
    Trap(
        "eras_rebuilt",
        "person_id IN (SELECT person_id FROM stage_era_persons)",
        Fate.FILTERED,
        "the person's records of all sources make the eras",
    ),
)

_COLUMNS = {
    "drug_era": {
        "drug_concept_id": "concept_id",
        "drug_era_start_date": "start_on",
        "drug_era_end_date": "end_on",
        "drug_exposure_count": "n_records",
        "gap_days": "gap_days",
    },
    "condition_era": {
        "condition_concept_id": "concept_id",
        "condition_era_start_date": "start_on",
        "condition_era_end_date": "end_on",
        "condition_occurrence_count": "n_records",
    },
}


def ingredients_sql(concept: str, concept_ancestor: str, drug_strength: str) -> str:
    """The ingredients of each drug: those above it in CONCEPT_ANCESTOR; of a drug without one, those of its strength.

    Out: one row per drug and ingredient: drug_concept_id, ingredient_concept_id.
    """
    return f"""
        WITH ingredient AS (
            SELECT concept_id FROM {concept}
            WHERE concept_class_id = 'Ingredient' AND standard_concept = 'S' AND domain_id = 'Drug'
        ),
        above AS (
            SELECT a.descendant_concept_id AS drug_concept_id, i.concept_id AS ingredient_concept_id
            FROM {concept_ancestor} AS a JOIN ingredient AS i ON i.concept_id = a.ancestor_concept_id
            UNION SELECT concept_id, concept_id FROM ingredient
        )
        FROM above UNION
        SELECT s.drug_concept_id, s.ingredient_concept_id
        FROM {drug_strength} AS s JOIN ingredient AS i ON i.concept_id = s.ingredient_concept_id
        WHERE coalesce(s.invalid_reason, '') = '' AND s.drug_concept_id NOT IN (SELECT drug_concept_id FROM above)
    """


def era_persons_sql(sources: str, delivered: list[str]) -> str:
    """The persons whose eras are made here.

    In: the staged persons; sources — (person_id, source) of each; delivered — the relations of delivered eras.
    """
    brought = " UNION ALL ".join(f"SELECT person_id FROM {relation}" for relation in delivered)
    return f"""
        SELECT p.person_id FROM stage_persons AS p
        WHERE p.known_by_snds OR p.person_id NOT IN ({brought})
           OR p.person_id IN (SELECT person_id FROM ({sources}) GROUP BY person_id HAVING count(DISTINCT source) > 1)
    """


def records_sql(table: str, records: str) -> str:
    """The records that make the eras of a table.

    In: records — rows of drug_exposure or condition_occurrence.
    Out: person_id, concept_id, start_on, end_on (inclusive), id (the record's own).
    """
    if table == "drug_era":
        last = (
            "coalesce(drug_exposure_end_date, drug_exposure_start_date + CAST(nullif(days_supply, 0) AS INTEGER) - 1, "
        )
        last += "drug_exposure_start_date + 1)"
        return f"""
            SELECT r.person_id, i.ingredient_concept_id AS concept_id, r.drug_exposure_start_date AS start_on,
                   greatest(r.drug_exposure_start_date, {last}) AS end_on, r.drug_exposure_id AS id
            FROM {records} AS r JOIN stage_ingredients AS i USING (drug_concept_id)
        """
    last = "coalesce(condition_end_date, condition_start_date + 1)"
    return f"""
        SELECT person_id, condition_concept_id AS concept_id, condition_start_date AS start_on,
               greatest(condition_start_date, {last}) AS end_on, condition_occurrence_id AS id
        FROM {records} AS r WHERE condition_concept_id <> 0
    """


def eras_sql(records: str) -> str:
    """Records joined into eras.

    In: records — as ``records_sql``
    Out: person_id, concept_id, start_on, end_on (inclusive), n_records, gap_days.
    """
    # The id makes both passes see records of the same days in the same order; else one era may come out as two.
    window = "OVER (PARTITION BY person_id, concept_id ORDER BY start_on, end_on, id"
    anew = f"before IS NULL OR start_on > before + {PERSISTENCE_DAYS}"
    return f"""
        WITH record AS ({records}),
        marked AS (
            SELECT *, max(end_on) {window} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM record
        ),
        numbered AS (
            SELECT *, count(*) FILTER (WHERE {anew}) {window} ROWS UNBOUNDED PRECEDING) AS era FROM marked
        )
        SELECT person_id, concept_id, min(start_on) AS start_on, max(end_on) AS end_on, count(*) AS n_records,
               CAST(coalesce(sum(greatest(start_on - before - 1, 0)) FILTER (WHERE NOT ({anew})), 0) AS BIGINT)
                   AS gap_days
        FROM numbered GROUP BY person_id, concept_id, era
    """


def made_part(table: str, records: str) -> Part:
    """The eras made here.

    In: records — the bucket's rows of the table's records; the staged persons whose eras are made.
    """
    made = records_sql(table, f"(SELECT * FROM {records} SEMI JOIN stage_era_persons USING (person_id))")
    values = {"person_id": "person_id", **_COLUMNS[table]}
    return Part(values, f"FROM ({eras_sql(made)})", "hash(concept_id, end_on, n_records)")


def kept_part(table: str, relation: str) -> Part:
    """The delivered eras that are kept."""
    return delivered_part(table, f"(SELECT * FROM {relation} ANTI JOIN stage_era_persons USING (person_id))")


def delivered_lines_sql(relation: str) -> str:
    """The verdict on each delivered era."""
    verdict = f"CASE WHEN {REBUILT[0].condition} THEN 1 ELSE {KEPT} END"
    return f"""
        SELECT verdict, count(*) AS n_lines, count(*) FILTER (WHERE verdict = {KEPT}) AS n_mapped
        FROM (SELECT CAST({verdict} AS UTINYINT) AS verdict FROM {relation}) GROUP BY verdict
    """
