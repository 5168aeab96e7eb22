"""Concept sets and the concepts that they stand for, as the vocabulary says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from enclos.studies.circe.kept import ByConcept, Columns, Kept, KeptHere, by_concept
from enclos.studies.circe.model import ConceptSetItem
from enclos.studies.circe.outline import Outline
from enclos.studies.circe.plans import concepts
from enclos.studies.circe.rules.columns import narrow
from enclos.studies.circe.rules.sets import Vocabulary
from enclos.studies.ports import CdmBucket

_MOST_ROWS = 5_000_000
"""A larger vocabulary is asked each time: to put it in order takes longer than a session's questions."""


def resolve(outline: Outline, bucket: CdmBucket, kept: Kept | None = None) -> Mapping[int, Sequence[int]]:
    """The concepts of every concept set, in order; the vocabulary is the same in every bucket."""
    items = {item for concept_set in outline.concept_sets for item in concept_set.items}
    if not items:
        return {}
    named = sorted({item.concept_id for item in items})
    ancestors = sorted({item.concept_id for item in items if item.descendants})
    vocabulary = _kept(KeptHere(kept, bucket), named, ancestors) or _asked(bucket, named, ancestors)
    vocabulary.mapped = _mapped(bucket, vocabulary, items)
    return {number: vocabulary.concepts(concept_set) for concept_set, number in outline.concept_sets.items()}


def _asked(bucket: CdmBucket, named: Sequence[int], ancestors: Sequence[int]) -> Vocabulary:
    below: dict[int, set[int]] = {}
    judged: dict[int, bool] = {}
    for ancestor, concept, is_valid in _tuples(bucket.query(concepts.plan_named(ancestors, named))):
        if ancestor is None:
            judged[concept] = is_valid
        else:
            below.setdefault(ancestor, set()).add(concept)
    if others := sorted(set().union(*below.values()).difference(named)):
        judged.update(_tuples(bucket.query(concepts.plan_known(others))))
    valid = {concept for concept, is_valid in judged.items() if is_valid}
    return Vocabulary(set(judged), {ancestor: found & valid for ancestor, found in below.items()})


def _kept(here: KeptHere, named: Sequence[int], ancestors: Sequence[int]) -> Vocabulary | None:
    """The same out of the whole vocabulary in order; None where it is not kept."""

    def read_known(_: Sequence[str]) -> Columns:
        return by_concept(narrow(here.bucket.query(concepts.plan_all_known())["concept_id"]), {})

    def read_below(_: Sequence[str]) -> Columns:
        rows = here.bucket.query(concepts.plan_all_below())
        return by_concept(narrow(rows["ancestor"]), {"descendant": narrow(rows["concept_id"])})

    known = here.keep("concept", "concept", (), read_known, _MOST_ROWS)
    below = here.keep("concept_ancestor", "concept_ancestor", ("descendant",), read_below, _MOST_ROWS)
    if known is None or below is None:
        return None
    descendants = below["descendant"]
    return Vocabulary(
        {concept for concept, _ in ByConcept(known).parts(named)},
        {concept: set(descendants[part].tolist()) for concept, part in ByConcept(below).parts(ancestors)},
    )


def _mapped(bucket: CdmBucket, vocabulary: Vocabulary, items: set[ConceptSetItem]) -> Mapping[int, Sequence[int]]:
    targets = sorted({concept for item in items if item.mapped for concept in vocabulary.reached(item)})
    mapped: dict[int, list[int]] = {}
    if targets:
        for concept, target in _tuples(bucket.query(concepts.plan_mapped(targets))):
            mapped.setdefault(target, []).append(concept)
    return mapped


def _tuples(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in rows.columns), strict=True)
