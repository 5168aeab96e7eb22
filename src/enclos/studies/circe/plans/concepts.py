"""Concept sets: what the vocabulary is asked, and how concepts are written in SQL."""

from __future__ import annotations

from collections.abc import Collection

_LISTED = 100
"""As many concepts are written as a list of numbers; more are written as one text, which is quicker to parse."""


def concepts_sql(concepts: Collection[int]) -> str:
    """What stands after ``IN`` for some concepts, in brackets; concepts must not be empty."""
    if len(concepts) <= _LISTED:
        return f"({', '.join(map(str, concepts))})"
    text = f"'{','.join(map(str, concepts))}'"
    return f"(SELECT {unnested(text)} AS concept_id)"


def unnested(text: str) -> str:
    """The SQL of one row per concept of a text with commas."""
    return f"CAST(unnest(string_split({text}, ',')) AS BIGINT)"


def plan_named(named: Collection[int], ancestors: Collection[int]) -> str:
    """The concepts that items of concept sets reach by themselves and by their descendants.

    Concepts that are named count when the vocabulary has them, descendants when they are valid.
    Out: one row per concept reached: is_below (whether as a descendant), named, concept_id
    Source: circe-be, ConceptSetExpressionQueryBuilder.
    """
    sql = f"""
        SELECT FALSE AS is_below, CAST(concept.concept_id AS BIGINT) AS named, concept.concept_id AS concept_id
        FROM concept WHERE concept.concept_id IN {concepts_sql(named)}
    """
    if ancestors:
        sql += f"""
        UNION ALL
        SELECT TRUE, ancestry.ancestor_concept_id, ancestry.descendant_concept_id
        FROM concept_ancestor AS ancestry
        JOIN concept ON concept.concept_id = ancestry.descendant_concept_id AND concept.invalid_reason IS NULL
        WHERE ancestry.ancestor_concept_id IN {concepts_sql(ancestors)}
        """
    return sql


def plan_mapped(concepts: Collection[int]) -> str:
    """The source concepts that map to some concepts.

    Out: one row per pair: concept_id (the source), target
    """
    return f"""
        SELECT CAST(concept_id_1 AS BIGINT) AS concept_id, CAST(concept_id_2 AS BIGINT) AS target
        FROM concept_relationship
        WHERE relationship_id = 'Maps to' AND invalid_reason IS NULL AND concept_id_2 IN {concepts_sql(concepts)}
    """
