"""Concept sets: what the vocabulary is asked, and how concepts are written in SQL."""

from __future__ import annotations

from collections.abc import Collection

_LISTED = 60
"""As many numbers are written as a list; more are written as one text, which is quicker to parse."""


def numbers_sql(numbers: Collection[int]) -> str:
    """What stands after ``IN`` for some numbers, in brackets; numbers must not be empty."""
    if len(numbers) <= _LISTED:
        return f"({', '.join(map(str, numbers))})"
    return f"(SELECT {unnested(text_of(numbers))})"


def text_of(numbers: Collection[int]) -> str:
    """The SQL of one text for some numbers."""
    return f"'[{','.join(map(str, numbers))}]'"


def unnested(text: str) -> str:
    """The SQL of one row per number of such a text."""
    return f"unnest(CAST({text} AS BIGINT[]))"


def plan_named(ancestors: Collection[int], concepts: Collection[int]) -> str:
    """The descendants of some concepts, valid or not, and which of some concepts the vocabulary has.

    Out: one row per pair of an ancestor and a descendant: ancestor, concept_id; and one per concept that is known, with
         no ancestor: concept_id, is_valid
    """
    known = plan_known(concepts, "NULL AS ancestor, ")
    if not ancestors:
        return known
    return f"""
        SELECT ancestor_concept_id AS ancestor, descendant_concept_id AS concept_id, NULL AS is_valid
        FROM concept_ancestor WHERE ancestor_concept_id IN {numbers_sql(ancestors)} UNION ALL {known}
    """


def plan_known(concepts: Collection[int], before: str = "") -> str:
    """Which of some concepts the vocabulary has.

    Out: one row per concept: concept_id, is_valid
    """
    return f"""
        SELECT {before}concept_id, invalid_reason IS NULL AS is_valid
        FROM concept WHERE concept_id IN {numbers_sql(concepts)}
    """


def plan_all_known() -> str:
    """All concepts that the vocabulary has.

    Out: one row per concept, in order: concept_id
    """
    return "SELECT concept_id FROM concept WHERE concept_id IS NOT NULL ORDER BY concept_id"


def plan_all_below() -> str:
    """The valid descendants of all concepts.

    Out: one row per pair, in order of ancestors: ancestor, concept_id
    """
    return (
        "SELECT ancestor_concept_id AS ancestor, descendant_concept_id AS concept_id FROM concept_ancestor "
        "WHERE descendant_concept_id IN (SELECT concept_id FROM concept WHERE invalid_reason IS NULL) "
        "AND ancestor_concept_id IS NOT NULL ORDER BY ancestor"
    )


def plan_mapped(concepts: Collection[int]) -> str:
    """The source concepts that map to some concepts.

    Out: one row per pair: concept_id (the source), target
    """
    return f"""
        SELECT concept_id_1 AS concept_id, concept_id_2 AS target
        FROM concept_relationship
        WHERE relationship_id = 'Maps to' AND invalid_reason IS NULL AND concept_id_2 IN {numbers_sql(concepts)}
    """
