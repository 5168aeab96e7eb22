"""How long a dispensed box lasts, by three named and versioned rules; the SNDS knows no posology.

* ``one-box-30``: 30 days for every box.
* ``pack-size``: the units of packs of 28, 30, 84 and 90 are days; else as ``one-box-30``.
* ``ddd``: units times strength over the delivered defined daily dose; else as ``pack-size``.

The days of a box are a property of the pack, so the table of all three has a row per pack and rule, not per
dispensing; it says which rule really gave the days. A pack that the vocabulary does not know lasts 30 days a box under
every rule.

Source: facts on drug durations, SNDS (SCALPEL's two classes of pack; units over DDD; 30 days a box).
"""

from __future__ import annotations

from dataclasses import dataclass

from enclos.contracts.durations import DAYS_OF_ANY_BOX, DURATION_RULE_IDS, days_of_boxes_sql
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.warehouse.plans.reference import dose_units, pack_days

_VALID = "coalesce(invalid_reason, '') = ''"
_ONE_BOX, _PACK, _DDD = (DURATION_RULE_IDS[name] for name in ("one-box-30", "pack-size", "ddd"))


@dataclass(frozen=True, slots=True)
class DurationRule:
    """A named, versioned rule for the days that a dispensing lasts."""

    name: str
    id: str
    """Name and version, stored with the snapshot."""

    def days_sql(self, boxes: str) -> str:
        """Days of supply from boxes and the pack ``m``, as SQL."""
        return days_of_boxes_sql(boxes, f"coalesce(m.days_per_box, {DAYS_OF_ANY_BOX})")


def duration_rule(name: str) -> DurationRule:
    """The rule of that name.

    Refuses: BUILD_RULE_UNKNOWN.
    """
    if name not in DURATION_RULE_IDS:
        known = ", ".join(sorted(DURATION_RULE_IDS))
        raise refusal(Code.BUILD_RULE_UNKNOWN, "No drug duration rule has this name.", f"Use one of: {known}.")
    return DurationRule(name, DURATION_RULE_IDS[name])


def pack_durations_sql(packs: str, drug_strength: str, concept: str, concept_ancestor: str, atc_ddd: str) -> str:
    """The days of a box of each known pack, under each rule.

    In: packs — source_concept_id, concept_id and units (or NULL) of each pack; the staged units.
    Out: one row per pack and rule, as DRUG_DURATION.
    """
    sizes = " ".join(f"WHEN {size} THEN {days}" for size, days in pack_days())
    return f"""
        WITH pack AS (
            SELECT source_concept_id, max(units) AS units FROM {packs} WHERE source_concept_id > 0 GROUP BY ALL
        ),
        dose AS ({_doses_sql(packs, drug_strength, concept, concept_ancestor, atc_ddd)}),
        day AS (
            SELECT source_concept_id, coalesce(units, 1) AS units, CASE units {sizes} END AS of_size,
                   units * doses_per_unit AS of_doses
            FROM pack LEFT JOIN dose USING (source_concept_id)
        )
        SELECT source_concept_id AS drug_source_concept_id, 'one-box-30' AS rule, '{_ONE_BOX}' AS rule_id, units,
               CAST({DAYS_OF_ANY_BOX} AS DOUBLE) AS days_per_box FROM day
        UNION ALL
        SELECT source_concept_id, 'pack-size', CASE WHEN of_size IS NULL THEN '{_ONE_BOX}' ELSE '{_PACK}' END, units,
               CAST(coalesce(of_size, {DAYS_OF_ANY_BOX}) AS DOUBLE) FROM day
        UNION ALL
        SELECT source_concept_id, 'ddd', CASE WHEN of_doses IS NOT NULL THEN '{_DDD}'
               WHEN of_size IS NOT NULL THEN '{_PACK}' ELSE '{_ONE_BOX}' END, units,
               CAST(coalesce(of_doses, of_size, {DAYS_OF_ANY_BOX}) AS DOUBLE) FROM day
        ORDER BY ALL
    """


def _doses_sql(packs: str, drug_strength: str, concept: str, concept_ancestor: str, atc_ddd: str) -> str:
    """Defined daily doses in one unit of a pack, where they are certain.

    The strength is the pack's own in DRUG_STRENGTH, else that of its standard concept; one ingredient, an amount, in
    a unit that the daily dose can be told in. The dose is that of the ATC code above the standard concept: the oral
    one, else the only one. Where two remain, there is none.
    """
    known = ", ".join(f"('{unit.ucum}', '{unit.who}', '{unit.kind}', {unit.factor})" for unit in dose_units())
    return f"""
        SELECT s.source_concept_id, min(s.amount / d.amount) AS doses_per_unit
        FROM (
            SELECT p.source_concept_id, any_value(u.kind) AS kind, max(t.amount_value * u.factor) AS amount,
                   p.own
            FROM (SELECT source_concept_id, source_concept_id AS drug, true AS own
                  FROM {packs} WHERE source_concept_id > 0
                  UNION SELECT source_concept_id, concept_id, false
                  FROM {packs} WHERE source_concept_id > 0 AND concept_id <> source_concept_id) AS p
            JOIN (SELECT * FROM {drug_strength} WHERE {_VALID}) AS t ON t.drug_concept_id = p.drug
            LEFT JOIN (SELECT n.unit_concept_id, k.kind, k.factor FROM stage_units AS n
                       JOIN (VALUES {known}) AS k(ucum, who, kind, factor) ON k.ucum = n.unit) AS u
              ON u.unit_concept_id = t.amount_unit_concept_id
            GROUP BY p.source_concept_id, p.own
            HAVING count(DISTINCT t.ingredient_concept_id) = 1 AND count(DISTINCT t.amount_value * u.factor) = 1
               AND max(t.amount_value) > 0 AND bool_and(u.kind IS NOT NULL)
            QUALIFY row_number() OVER (PARTITION BY p.source_concept_id ORDER BY p.own DESC) = 1
        ) AS s
        JOIN (SELECT DISTINCT p.source_concept_id, upper(c.concept_code) AS atc
              FROM {packs} AS p JOIN {concept_ancestor} AS a ON a.descendant_concept_id = p.concept_id
              JOIN {concept} AS c ON c.concept_id = a.ancestor_concept_id
              WHERE c.vocabulary_id = 'ATC' AND p.concept_id > 0) AS a USING (source_concept_id)
        JOIN (SELECT atc, kind, CASE WHEN count(DISTINCT amount) FILTER (WHERE route = 'O') = 1
                                     THEN max(amount) FILTER (WHERE route = 'O')
                                     WHEN count(DISTINCT amount) = 1 THEN max(amount) END AS amount
              FROM (SELECT upper(trim(d.atc_code)) AS atc, upper(trim(coalesce(d.adm_route, ''))) AS route, k.kind,
                           d.ddd_value * k.factor AS amount
                    FROM {atc_ddd} AS d JOIN (SELECT DISTINCT who, kind, factor FROM (VALUES {known})
                                              AS k(ucum, who, kind, factor)) AS k ON k.who = trim(d.ddd_unit)
                    WHERE d.ddd_value > 0)
              GROUP BY atc, kind) AS d ON d.atc = a.atc AND d.kind = s.kind AND d.amount IS NOT NULL
        GROUP BY s.source_concept_id
        HAVING count(DISTINCT d.amount) = 1
    """
