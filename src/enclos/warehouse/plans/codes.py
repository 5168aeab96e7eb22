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

from collections.abc import Mapping, Sequence

from enclos.warehouse.plans.vocabulary import code_key_sql

_MOST_REPLACEMENTS = 8
"""How often a concept may have been replaced before the chain is given up: chains end, faulty ones go round."""

_FRENCH_NAMES = {"UCD7": "UCD", "UCD13": "UCD", "CIP7": "CIP13"}
"""Other names of code lists in SOURCE_TO_CONCEPT_MAP, with the vocabulary that their codes are looked up in."""

ASKED_FOR: tuple[str, ...] = ("CCAM", "CIM10", "CIP13", "CSARR", "LPP", "NABM", "SNDS", "UCD")
"""The vocabularies that the mapping of the SNDS itself asks for."""

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


def borne_sql(relations: Mapping[str, Sequence[str]]) -> str:
    """The vocabularies that a line can ask for: those that the mapping names, and those that hospitals' lines name.

    In: relations — by relation, its columns that name a vocabulary
    """
    fixed = " UNION ".join(f"SELECT '{name}' AS vocabulary" for name in ASKED_FOR)
    named = [f'SELECT DISTINCT "{column}" FROM {at}' for at, columns in relations.items() for column in columns]
    return f"SELECT DISTINCT vocabulary FROM ({' UNION ALL '.join([fixed, *named])}) WHERE vocabulary IS NOT NULL"


def codes_sql(concept: str, concept_relationship: str, source_to_concept_map: str, borne: str) -> str:
    """Every code of the vocabularies that lines bear, with its standard concepts.

    Texts are grouped once; from there on codes and concepts are numbers, and only what those codes lead to is followed.

    In: borne — a relation of vocabularies
    Out: one row per (vocabulary, code, part): source_concept_id (0: the code has no concept), concept_id (0: none),
    domain (NULL: none).
    """
    return f"""
        WITH RECURSIVE related AS MATERIALIZED (
            SELECT DISTINCT concept_id_1 AS old, concept_id_2 AS new, relationship_id = 'Maps to' AS maps
            FROM {concept_relationship} WHERE relationship_id IN ('Maps to', 'Concept replaced by') AND {valid_sql()}
        ),
        standard AS MATERIALIZED (
            SELECT DISTINCT concept_id, domain_id AS domain FROM {concept} WHERE standard_concept = 'S'
        ),
        listed AS MATERIALIZED (
            SELECT {vocabulary_name_sql("source_vocabulary_id")} AS vocabulary,
                   {listed_code_sql("source_vocabulary_id", "source_code")} AS code,
                   nullif(source_concept_id, 0) AS source, target_concept_id AS target
            FROM {source_to_concept_map}
            WHERE {valid_sql()} AND target_concept_id > 0 AND vocabulary IN (FROM {borne})
            QUALIFY rank() OVER (PARTITION BY vocabulary, code ORDER BY valid_end_date DESC NULLS FIRST) = 1
        ),
        known AS (
            SELECT vocabulary_id AS vocabulary, {code_key_sql("concept_code")} AS code, {valid_sql()} AS valid,
                   concept_id AS own, NULL AS pack
            FROM {concept} WHERE concept_code IS NOT NULL AND vocabulary_id IN (FROM {borne})
            UNION ALL
            SELECT 'CIP13', {pack_of_cip7_sql("trim(concept_code)")}, {valid_sql()}, NULL, concept_id
            FROM {concept} WHERE vocabulary_id = 'BDPM' AND regexp_full_match(trim(concept_code), '[0-9]{{7}}')
            UNION ALL SELECT vocabulary, code, false, NULL, NULL FROM listed
        ),
        code AS MATERIALIZED (
            SELECT row_number() OVER () AS n, vocabulary, code,
                   coalesce(min(own) FILTER (valid), min(own)) AS own,
                   coalesce(min(pack) FILTER (valid), min(pack)) AS pack
            FROM known GROUP BY vocabulary, code
        ),
        asked AS MATERIALIZED (
            SELECT own AS id FROM code WHERE own IS NOT NULL
            UNION SELECT pack FROM code WHERE pack IS NOT NULL
            UNION SELECT target FROM listed
        ),
        mapped AS MATERIALIZED (SELECT old AS id, new AS target FROM related WHERE maps AND old IN (FROM asked)),
        chain(old, new, n) AS (
            SELECT old, new, 1 FROM related
            WHERE NOT maps AND old <> new AND old IN (FROM asked UNION SELECT target FROM mapped)
            UNION SELECT c.old, r.new, c.n + 1 FROM chain AS c JOIN related AS r ON r.old = c.new
            WHERE NOT r.maps AND r.old <> r.new AND c.n < {_MOST_REPLACEMENTS}
        ),
        heir AS MATERIALIZED (
            SELECT old, concept_id, domain
            FROM (SELECT c.old, c.n, s.concept_id, s.domain FROM chain AS c JOIN standard AS s ON s.concept_id = c.new
                  UNION SELECT c.old, c.n, s.concept_id, s.domain FROM chain AS c
                  JOIN related AS m ON m.old = c.new AND m.maps JOIN standard AS s ON s.concept_id = m.new)
            QUALIFY n = min(n) OVER (PARTITION BY old)
        ),
        by_map AS MATERIALIZED (
            SELECT m.id, s.concept_id, s.domain FROM mapped AS m JOIN standard AS s ON s.concept_id = m.target
            UNION SELECT m.id, h.concept_id, h.domain FROM mapped AS m JOIN heir AS h ON h.old = m.target
            WHERE m.target NOT IN (SELECT concept_id FROM standard)
        ),
        itself AS (
            SELECT s.* FROM asked AS a JOIN standard AS s ON s.concept_id = a.id ANTI JOIN by_map AS m ON m.id = a.id
        ),
        means AS MATERIALIZED (
            FROM by_map UNION ALL SELECT concept_id, concept_id, domain FROM itself
            UNION ALL SELECT h.old, h.concept_id, h.domain FROM heir AS h
            ANTI JOIN by_map AS m ON m.id = h.old ANTI JOIN standard AS s ON s.concept_id = h.old
        ),
        by_own AS MATERIALIZED (
            SELECT c.n, m.concept_id, m.domain FROM code AS c JOIN means AS m ON m.id = c.own
        ),
        by_pack AS MATERIALIZED (
            SELECT c.n, m.concept_id, m.domain FROM code AS c JOIN means AS m ON m.id = c.pack
            WHERE c.n NOT IN (SELECT n FROM by_own)
        ),
        list_says AS MATERIALIZED (
            SELECT c.n, l.source, coalesce(s.concept_id, m.concept_id) AS concept_id,
                   coalesce(s.domain, m.domain) AS domain
            FROM listed AS l JOIN code AS c USING (vocabulary, code) LEFT JOIN standard AS s ON s.concept_id = l.target
            LEFT JOIN means AS m ON m.id = l.target AND s.concept_id IS NULL
            WHERE coalesce(s.concept_id, m.concept_id) IS NOT NULL
        ),
        answer AS (
            FROM by_own UNION ALL FROM by_pack
            UNION ALL SELECT DISTINCT n, concept_id, domain FROM list_says
            WHERE n NOT IN (SELECT n FROM by_own UNION ALL SELECT n FROM by_pack)
        ),
        list_source AS (SELECT n, min(source) AS source FROM list_says GROUP BY n)
        SELECT c.vocabulary, c.code, coalesce(c.own, c.pack, l.source, 0) AS source_concept_id,
               coalesce(a.concept_id, 0) AS concept_id, a.domain,
               row_number() OVER (PARTITION BY c.n ORDER BY a.concept_id) AS part
        FROM code AS c LEFT JOIN answer AS a ON a.n = c.n LEFT JOIN list_source AS l ON l.n = c.n
        WHERE coalesce(c.own, c.pack, a.concept_id) IS NOT NULL
    """
