"""From the codes of deliveries to standard concepts, by the delivered vocabularies.

What a code means is asked in this order; the first answer with a standard concept holds:

1. its own concept in the vocabulary: the valid ``Maps to``, else itself when it is standard;
2. for a French pack (CIP13), the BDPM concept of its CIP7;
3. SOURCE_TO_CONCEPT_MAP.

Wherever such an answer ends at a concept that is not standard, ``Concept replaced by`` is followed to one that is, or
to one that maps to one. A code without an answer keeps concept 0. Several standard concepts make several rows; the
first of them (``part`` 1) carries the delivered line in the account.

Source: OHDSI Vocabulary-v5.0 (BDPM: concept_code is the CIP7); of the 23 124 packs of IR_PHA_R all but the placeholder
9999999999999 are 34009, the CIP7 and the check digit of EAN-13.
"""

from __future__ import annotations

from enclos.warehouse.plans.vocabulary import code_key_sql

_MOST_REPLACEMENTS = 8
"""How often a concept may have been replaced before the chain is given up: chains end, faulty ones go round."""

_FRENCH_NAMES = {"UCD7": "UCD", "UCD13": "UCD", "CIP7": "CIP13"}
"""Other names of code lists in SOURCE_TO_CONCEPT_MAP, with the vocabulary that their codes are looked up in."""

_DIGITS = {"NABM": 4, "LPP": 7}
"""Code lists of numbers, with the digits that a code has; exports lose the zeros in front."""


def valid_sql(relation: str = "") -> str:
    """Whether a row of a vocabulary table is valid."""
    column = f"{relation}.invalid_reason" if relation else "invalid_reason"
    return f"coalesce({column}, '') = ''"


def pack_of_cip7_sql(cip7: str) -> str:
    """The CIP13 of a CIP7 of seven digits: 34009 before it, the check digit of EAN-13 behind it."""
    odd = " + ".join(f"CAST({cip7}[{place}] AS INTEGER)" for place in (1, 3, 5, 7))
    even = " + ".join(f"CAST({cip7}[{place}] AS INTEGER)" for place in (2, 4, 6))
    # 24: the digits of 34009 under the weights 1 3 1 3 1; the CIP7 goes on with 3 1 3 1 3 1 3
    check = f"CAST((10 - (24 + 3 * ({odd}) + {even}) % 10) % 10 AS VARCHAR)"
    return f"'34009' || {cip7} || {check}"


def ucd7_sql(code: str) -> str:
    """A UCD as seven digits: a UCD13 is six zeros and it (SNDS), or 34008, it and a check digit (GTIN)."""
    return (
        f"CASE WHEN regexp_full_match({code}, '0{{6}}[0-9]{{7}}') THEN {code}[7:13] "
        f"WHEN regexp_full_match({code}, '34008[0-9]{{8}}') THEN {code}[6:12] ELSE {code} END"
    )


def vocabulary_name_sql(vocabulary: str) -> str:
    """The vocabulary that codes of this list are looked up in."""
    whens = " ".join(f"WHEN '{name}' THEN '{known}'" for name, known in _FRENCH_NAMES.items())
    return f"CASE {vocabulary} {whens} ELSE {vocabulary} END"


def listed_code_sql(vocabulary: str, code: str) -> str:
    """A code of a code list as the events look it up."""
    key = code_key_sql(code)
    padded = " ".join(
        f"WHEN {vocabulary} = '{name}' AND length({key}) < {n} AND regexp_full_match({key}, '[0-9]+') "
        f"THEN lpad({key}, {n}, '0')"
        for name, n in _DIGITS.items()
    )
    return (
        f"CASE WHEN {vocabulary} IN ('UCD', 'UCD7', 'UCD13') THEN {ucd7_sql(key)} "
        f"WHEN {vocabulary} IN ('CIP7', 'CIP13', 'BDPM') AND regexp_full_match({key}, '[0-9]{{7}}') "
        f"THEN {pack_of_cip7_sql(key)} {padded} ELSE {key} END"
    )


def codes_sql(concept: str, concept_relationship: str, source_to_concept_map: str) -> str:
    """Every code that the vocabularies know, with its standard concepts.

    Out: one row per (vocabulary, code, part): source_concept_id (0: the code has no concept), concept_id (0: none),
    domain (NULL: none).
    """
    return f"""
        WITH RECURSIVE standard AS (
            SELECT concept_id, domain_id AS domain FROM {concept} WHERE standard_concept = 'S'
        ),
        replaced AS MATERIALIZED (
            SELECT DISTINCT concept_id_1 AS old, concept_id_2 AS new FROM {concept_relationship}
            WHERE relationship_id = 'Concept replaced by' AND {valid_sql()} AND concept_id_1 <> concept_id_2
        ),
        chain(old, new, n) AS (
            SELECT old, new, 1 FROM replaced
            UNION SELECT c.old, r.new, c.n + 1 FROM chain AS c JOIN replaced AS r ON r.old = c.new
            WHERE c.n < {_MOST_REPLACEMENTS}
        ),
        maps AS MATERIALIZED (
            SELECT DISTINCT r.concept_id_1 AS source, r.concept_id_2 AS concept_id, s.domain
            FROM {concept_relationship} AS r LEFT JOIN standard AS s ON s.concept_id = r.concept_id_2
            WHERE r.relationship_id = 'Maps to' AND {valid_sql("r")}
        ),
        heir AS MATERIALIZED (
            SELECT old, concept_id, domain
            FROM (SELECT c.old, c.n, s.concept_id, s.domain FROM chain AS c JOIN standard AS s ON s.concept_id = c.new
                  UNION SELECT c.old, c.n, m.concept_id, m.domain FROM chain AS c JOIN maps AS m ON m.source = c.new
                  WHERE m.domain IS NOT NULL)
            QUALIFY n = min(n) OVER (PARTITION BY old)
        ),
        means AS MATERIALIZED (
            SELECT source, concept_id, domain FROM maps WHERE domain IS NOT NULL
            UNION SELECT m.source, h.concept_id, h.domain FROM maps AS m JOIN heir AS h ON h.old = m.concept_id
            WHERE m.domain IS NULL
        ),
        known AS (
            SELECT vocabulary_id, concept_code, concept_id, domain_id, standard_concept, invalid_reason
            FROM {concept} WHERE concept_code IS NOT NULL AND vocabulary_id IS NOT NULL
        ),
        named AS (
            SELECT vocabulary, code, concept_id AS source_concept_id, domain_id AS own_domain, standard_concept, rank
            FROM (SELECT vocabulary_id AS vocabulary, {code_key_sql("concept_code")} AS code, 1 AS rank, * FROM known
                  UNION ALL
                  SELECT 'CIP13', {pack_of_cip7_sql("trim(concept_code)")}, 2, * FROM known
                  WHERE vocabulary_id = 'BDPM' AND regexp_full_match(trim(concept_code), '[0-9]{{7}}'))
            QUALIFY row_number() OVER (PARTITION BY vocabulary, code, rank ORDER BY {valid_sql()} DESC, concept_id) = 1
        ),
        answered AS (
            SELECT n.vocabulary, n.code, n.rank, n.source_concept_id,
                   coalesce(m.concept_id, CASE WHEN n.standard_concept = 'S' THEN n.source_concept_id END,
                            h.concept_id, 0) AS concept_id,
                   coalesce(m.domain, CASE WHEN n.standard_concept = 'S' THEN n.own_domain END, h.domain) AS domain
            FROM named AS n LEFT JOIN means AS m ON m.source = n.source_concept_id
            LEFT JOIN heir AS h
              ON h.old = n.source_concept_id AND m.concept_id IS NULL AND n.standard_concept IS DISTINCT FROM 'S'
        ),
        listed AS (
            SELECT {vocabulary_name_sql("source_vocabulary_id")} AS vocabulary,
                   {listed_code_sql("source_vocabulary_id", "source_code")} AS code, 3 AS rank,
                   coalesce(source_concept_id, 0) AS source_concept_id, target_concept_id AS target
            FROM {source_to_concept_map}
            WHERE {valid_sql()} AND target_concept_id > 0
            QUALIFY rank() OVER (PARTITION BY vocabulary, code ORDER BY valid_end_date DESC NULLS FIRST) = 1
        ),
        mapped AS (
            SELECT DISTINCT l.vocabulary, l.code, l.rank, l.source_concept_id,
                   coalesce(s.concept_id, m.concept_id, h.concept_id) AS concept_id,
                   coalesce(s.domain, m.domain, h.domain) AS domain
            FROM listed AS l LEFT JOIN standard AS s ON s.concept_id = l.target
            LEFT JOIN means AS m ON m.source = l.target AND s.concept_id IS NULL
            LEFT JOIN heir AS h ON h.old = l.target AND s.concept_id IS NULL AND m.concept_id IS NULL
            WHERE coalesce(s.concept_id, m.concept_id, h.concept_id) IS NOT NULL
        ),
        every_answer AS (
            SELECT *, min(CASE WHEN domain IS NULL THEN 9 ELSE rank END) OVER code AS best,
                   first_value(source_concept_id) OVER (PARTITION BY vocabulary, code
                                                        ORDER BY source_concept_id = 0, rank) AS own
            FROM (SELECT * FROM answered UNION ALL BY NAME SELECT * FROM mapped)
            WINDOW code AS (PARTITION BY vocabulary, code)
        )
        SELECT vocabulary, code, own AS source_concept_id, concept_id, domain,
               row_number() OVER (PARTITION BY vocabulary, code ORDER BY concept_id) AS part
        FROM (SELECT DISTINCT vocabulary, code, own, concept_id, domain FROM every_answer
              WHERE rank = best OR best = 9)
    """
