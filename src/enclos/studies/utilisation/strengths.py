"""Daily doses from strengths: which strengths are understood, and by which formula.

Source: the 41 patterns of DrugUtilisation 1.2 (Burkard et al. 2024, Pharmacoepidemiol. Drug Saf., doi
10.1002/pds.5809), told here by units. Micrograms become milligrams. A mega-international unit is a million
international units (the package divides by a million).
"""

from __future__ import annotations

_HOUR, _UNIT, _LITRE, _MILLIGRAM, _MILLILITRE = 8505, 8510, 8519, 8576, 8587
_INTERNATIONAL, _MEGA, _SQUARE_CM, _MILLIEQUIVALENT, _MICROGRAM, _PUFF = 8718, 9439, 9483, 9551, 9655, 45744809
UNITS: dict[int, tuple[str, float]] = {
    _MILLIGRAM: ("milligram", 1.0),
    _MICROGRAM: ("milligram", 0.001),
    _MILLILITRE: ("milliliter", 1.0),
    _MILLIEQUIVALENT: ("milliequivalent", 1.0),
    _INTERNATIONAL: ("international unit", 1.0),
    _MEGA: ("international unit", 1_000_000.0),
    _UNIT: ("unit", 1.0),
}
"""The unit that a dose is told in, and its factor."""

AMOUNTS = (_INTERNATIONAL, _MICROGRAM, _MILLIEQUIVALENT, _MILLIGRAM, _MILLILITRE, _UNIT)
"""Units of an amount that a piece holds."""

PER_HOUR_OF = (_MICROGRAM, _MILLIGRAM, _UNIT)
"""Units of what is released in so many hours."""

PER_ONE_HOUR = (_MICROGRAM, _MILLIGRAM)
"""Units of what is released in an hour, where no number of hours is given."""

_BOTH = (
    (_INTERNATIONAL, _MILLIGRAM),
    (_INTERNATIONAL, _MILLILITRE),
    (_MILLIEQUIVALENT, _MILLILITRE),
    *((_MILLIGRAM, below) for below in (_PUFF, _LITRE, _MILLIGRAM, _MILLILITRE, _SQUARE_CM)),
    *((_MILLILITRE, below) for below in (_MILLIGRAM, _MILLILITRE)),
    *((_UNIT, below) for below in (_PUFF, _MILLIGRAM, _MILLILITRE, _SQUARE_CM)),
)
CONCENTRATIONS = {True: _BOTH, False: (*_BOTH, (_MEGA, _MILLILITRE), (_MILLIEQUIVALENT, _MILLIGRAM))}
"""Units above and below, where a number stands below (True) and where none does."""


FIXED, CONCENTRATION = "fixed amount formulation", "concentration formulation"
OVER_HOURS, EACH_HOUR = "time based with denominator", "time based no denominator"
"""The formulas that patterns share."""


def plan_strengths(ingredient: int) -> str:
    """What a day's dose of an ingredient is, for each drug whose strength is understood and the only one.

    Out: one row per drug: drug_concept_id, unit, pattern, per_piece (times quantity over days), per_day (as it is); one
         of the two is NULL
    """
    units = ", ".join(f"({unit}, '{name}', {factor!r})" for unit, (name, factor) in UNITS.items())
    return f"""
        WITH unit AS (SELECT * FROM (VALUES {units}) AS given(unit_concept_id, unit, factor)),
        strength AS (
            SELECT
                drug_concept_id, amount_value AS amount, amount_unit_concept_id AS amount_unit,
                numerator_value AS above, numerator_unit_concept_id AS above_unit,
                denominator_value AS below, denominator_unit_concept_id AS below_unit
            FROM drug_strength
            WHERE ingredient_concept_id = {int(ingredient)}
        ),
        dose AS (
            SELECT
                drug_concept_id,
                CASE
                    WHEN above IS NULL AND below_unit IS NULL AND amount_unit IN ({_listed(AMOUNTS)}) THEN amount
                    WHEN amount IS NULL AND below IS NOT NULL
                        AND (above_unit, below_unit) IN ({_pairs(CONCENTRATIONS[True])}) THEN above
                    WHEN amount IS NULL AND below IS NULL
                        AND (above_unit, below_unit) IN ({_pairs(CONCENTRATIONS[False])}) THEN above
                END AS per_piece,
                CASE
                    WHEN amount IS NOT NULL OR below_unit <> {_HOUR} THEN NULL
                    WHEN below > 24 AND above_unit IN ({_listed(PER_HOUR_OF)}) THEN above * 24 / below
                    WHEN below > 0 AND above_unit IN ({_listed(PER_HOUR_OF)}) THEN above
                    WHEN below IS NULL AND above_unit IN ({_listed(PER_ONE_HOUR)}) THEN above * 24
                END AS per_day,
                coalesce(amount_unit, above_unit) AS unit_concept_id,
                CASE
                    WHEN amount IS NOT NULL THEN '{FIXED}'
                    WHEN below_unit <> {_HOUR} THEN '{CONCENTRATION}'
                    WHEN below IS NOT NULL THEN '{OVER_HOURS}'
                    ELSE '{EACH_HOUR}'
                END AS pattern
            FROM strength
        )
        SELECT
            drug_concept_id, any_value(unit.unit) AS unit, any_value(dose.pattern) AS pattern,
            any_value(dose.per_piece * unit.factor) AS per_piece, any_value(dose.per_day * unit.factor) AS per_day
        FROM dose
        JOIN unit USING (unit_concept_id)
        WHERE coalesce(per_piece, per_day) > 0
        GROUP BY drug_concept_id
        HAVING count(DISTINCT (per_piece, per_day, unit_concept_id)) = 1
    """


def _listed(units: tuple[int, ...]) -> str:
    return ", ".join(map(str, units))


def _pairs(units: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"({above}, {below})" for above, below in units)
