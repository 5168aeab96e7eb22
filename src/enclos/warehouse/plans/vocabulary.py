"""The delivered vocabulary: how codes are looked up, packs and units, and its own tables.

What a code means is in ``codes``.
"""

from __future__ import annotations

from enclos.warehouse.plans.reference import ucum_units

_VALID = "coalesce(invalid_reason, '') = ''"
PACK_VOCABULARY = "CIP13"


def code_key_sql(code: str) -> str:
    """A code as it is looked up: capitals, no dot, no blank around it."""
    return f"upper(replace(trim({code}), '.', ''))"


def icd_key_sql(code: str) -> str:
    """A French ICD-10 code as it is looked up: with its '+' extension if the vocabulary knows it, else without.

    Source: the PMSI's CIM-10 has 111 codes with '+', the entitlement's none.
    """
    key = code_key_sql(code)
    return (
        f"CASE WHEN contains({code}, '+') AND {key} NOT IN (SELECT code FROM stage_codes WHERE vocabulary = 'CIM10') "
        f"THEN split_part({key}, '+', 1) ELSE {key} END"
    )


def packs_sql(drug_strength: str) -> str:
    """The French packs (CIP13) by number, with their standard concepts and the units in a box where known.

    In: the staged codes; drug_strength, whose ``box_size`` of a pack's own concept is its number of units.
    Out: one row per (code, part): code BIGINT, units BIGINT or NULL.
    """
    return f"""
        SELECT TRY_CAST(c.code AS BIGINT) AS code, c.source_concept_id, c.concept_id, c.domain, c.part, s.units
        FROM stage_codes AS c
        LEFT JOIN (SELECT drug_concept_id, max(box_size) AS units FROM {drug_strength}
                   WHERE {_VALID} AND box_size > 0 GROUP BY drug_concept_id) AS s
          ON s.drug_concept_id = c.source_concept_id
        WHERE c.vocabulary = '{PACK_VOCABULARY}' AND TRY_CAST(c.code AS BIGINT) IS NOT NULL
    """


def units_sql(concept: str) -> str:
    """UCUM codes and their concepts: the vocabulary's, then a few that are known without it."""
    known = ", ".join(f"('{ucum}', {concept_id})" for ucum, concept_id in ucum_units())
    return f"""
        SELECT unit, CAST(min_by(unit_concept_id, rank) AS BIGINT) AS unit_concept_id
        FROM (SELECT concept_code AS unit, concept_id AS unit_concept_id, concept_id AS rank FROM {concept}
              WHERE vocabulary_id = 'UCUM' AND {_VALID}
              UNION ALL SELECT unit, unit_concept_id, {1 << 62} FROM (VALUES {known}) AS known(unit, unit_concept_id))
        GROUP BY unit
    """


def domains_sql() -> str:
    """The domains that codes of each vocabulary lead to."""
    return "SELECT DISTINCT vocabulary, domain FROM stage_codes WHERE domain IS NOT NULL"


def vocabulary_rows_sql(relation: str, columns: tuple[str, ...], key: str | None) -> str:
    """A vocabulary table's rows, each once even when two files or deliveries bring it.

    Athena's CONCEPT_CPT4 repeats concepts without their licensed names: a row with a name is kept before one without,
    and a concept that has none is called by its code.
    """
    listed = ", ".join(f'"{column}"' for column in columns)
    if key is None:
        return f"SELECT DISTINCT {listed} FROM {relation}"
    named = [column for column in columns if column == "concept_name"]
    values = ", ".join(
        "coalesce(concept_name, vocabulary_id || ' ' || concept_code) AS concept_name"
        if column in named
        else f'"{column}"'
        for column in columns
    )
    first = "".join(f"{column} IS NULL, " for column in named)
    return (
        f"SELECT {values} FROM {relation} "
        f'QUALIFY row_number() OVER (PARTITION BY "{key}" ORDER BY {first}hash({listed})) = 1'
    )
