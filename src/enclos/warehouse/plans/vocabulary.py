"""From source codes to standard concepts, by the delivered vocabulary.

A code finds its source concept by vocabulary and code, then its standard concepts by the valid 'Maps to' relations, or
is its own standard concept. A code without one keeps concept 0. Several standard concepts make several rows; the first
of them (``part`` 1) carries the delivered line in the account.
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


def codes_sql(concept: str, concept_relationship: str) -> str:
    """Every code that has a source concept, with its standard concepts.

    Out: one row per (vocabulary, code, part): source_concept_id, concept_id (0: none), domain (NULL: none).
    """
    return f"""
        WITH source AS (
            SELECT vocabulary_id AS vocabulary, {code_key_sql("concept_code")} AS code,
                   concept_id AS source_concept_id, domain_id AS own_domain, standard_concept
            FROM {concept}
            WHERE concept_code IS NOT NULL AND vocabulary_id IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY vocabulary, code ORDER BY {_VALID} DESC, concept_id) = 1
        ),
        target AS (
            SELECT DISTINCT r.concept_id_1 AS source_concept_id, c.concept_id, c.domain_id AS domain
            FROM {concept_relationship} AS r JOIN {concept} AS c ON c.concept_id = r.concept_id_2
            WHERE r.relationship_id = 'Maps to' AND {_VALID.replace("invalid_reason", "r.invalid_reason")}
              AND c.standard_concept = 'S'
        )
        SELECT s.vocabulary, s.code, s.source_concept_id,
               coalesce(t.concept_id, CASE WHEN s.standard_concept = 'S' THEN s.source_concept_id END, 0) AS concept_id,
               coalesce(t.domain, CASE WHEN s.standard_concept = 'S' THEN s.own_domain END) AS domain,
               row_number() OVER (PARTITION BY s.vocabulary, s.code ORDER BY t.concept_id) AS part
        FROM source AS s LEFT JOIN target AS t USING (source_concept_id)
    """


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
    """A vocabulary table's rows, each once even when two deliveries bring it."""
    listed = ", ".join(f'"{column}"' for column in columns)
    if key is None:
        return f"SELECT DISTINCT {listed} FROM {relation}"
    return (
        f'SELECT {listed} FROM {relation} QUALIFY row_number() OVER (PARTITION BY "{key}" ORDER BY hash({listed})) = 1'
    )
