"""Concept sets resolved by the vocabulary, once for all definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enclos.studies.circe.model import ConceptSet


def plan_resolve(concept_sets: Mapping[ConceptSet, int]) -> str:
    """Make ``circe_resolved``: the concepts of each set.

    Concepts that are named count when the vocabulary has them, descendants when they are valid, and source concepts
    when they map to one of those; what is excluded is found in the same way.
    Out: one row per concept of a set: codeset, concept_id
    Source: circe-be, ConceptSetExpressionQueryBuilder.
    """
    alike: dict[tuple[int, bool, bool, bool], list[int]] = {}
    for concept_set, number in concept_sets.items():
        for item in concept_set.items:
            alike.setdefault((number, item.descendants, item.mapped, item.excluded), []).append(item.concept_id)
    items = ", ".join(
        f"({number}, {descendants}, {mapped}, {excluded}, '{','.join(map(str, found))}')"
        for (number, descendants, mapped, excluded), found in alike.items()
    )
    if not items:
        return (
            "CREATE OR REPLACE TEMP TABLE circe_resolved AS "
            "SELECT 0 AS codeset, CAST(0 AS BIGINT) AS concept_id WHERE FALSE"
        )
    with_mapped = """
            UNION
            SELECT codeset, excluded, relation.concept_id_1
            FROM named
            JOIN concept_relationship AS relation
                ON relation.concept_id_2 = named.concept_id
                AND relation.relationship_id = 'Maps to'
                AND relation.invalid_reason IS NULL
            WHERE named.mapped
    """
    without_excluded = "EXCEPT SELECT codeset, concept_id FROM reached WHERE excluded"
    return f"""
        CREATE OR REPLACE TEMP TABLE circe_resolved AS
        WITH item AS (
            SELECT codeset, CAST(unnest(string_split(concepts, ',')) AS BIGINT) AS concept_id, descendants, mapped,
                excluded
            FROM (VALUES {items}) AS t(codeset, descendants, mapped, excluded, concepts)
        ),
        named AS (
            SELECT codeset, excluded, mapped, item.concept_id
            FROM item SEMI JOIN concept ON concept.concept_id = item.concept_id
            UNION ALL
            SELECT codeset, excluded, mapped, ancestry.descendant_concept_id
            FROM item
            JOIN concept_ancestor AS ancestry ON ancestry.ancestor_concept_id = item.concept_id
            JOIN concept ON concept.concept_id = ancestry.descendant_concept_id AND concept.invalid_reason IS NULL
            WHERE item.descendants
        ),
        reached AS (
            SELECT codeset, excluded, concept_id FROM named
            {with_mapped if any(mapped for _, _, mapped, _ in alike) else ""}
        )
        SELECT codeset, CAST(concept_id AS BIGINT) AS concept_id
        FROM (
            SELECT DISTINCT codeset, concept_id FROM reached WHERE NOT excluded
            {without_excluded if any(excluded for *_, excluded in alike) else ""}
        )
    """


def plan_resolved() -> str:
    """The rows of ``circe_resolved``."""
    return "SELECT codeset, concept_id FROM circe_resolved ORDER BY codeset, concept_id"


def plan_codes(resolved: Mapping[int, Sequence[int]]) -> str:
    """Make ``circe_code`` of concept sets that are resolved."""
    rows = ", ".join(f"({number}, '{','.join(map(str, codes))}')" for number, codes in resolved.items() if codes)
    if not rows:
        return "CREATE OR REPLACE TEMP TABLE circe_code AS SELECT 0 AS codeset, CAST(0 AS BIGINT) AS concept_id LIMIT 0"
    return f"""
        CREATE OR REPLACE TEMP TABLE circe_code AS
        SELECT codeset, CAST(unnest(string_split(codes, ',')) AS BIGINT) AS concept_id
        FROM (VALUES {rows}) AS t(codeset, codes)
    """
