"""What concept sets stand for, by what the vocabulary answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from enclos.studies.circe.model import ConceptSet, ConceptSetItem

_NONE: AbstractSet[int] = frozenset()


@dataclass(slots=True)
class Vocabulary:
    """The part of a vocabulary that some concept sets need."""

    known: set[int]
    """The concepts that it has, of those named and their descendants."""
    below: Mapping[int, AbstractSet[int]]
    """The valid descendants of a concept named. Source: circe-be, ConceptSetExpressionQueryBuilder."""
    mapped: Mapping[int, Collection[int]] = field(default_factory=dict)
    """The source concepts that map to a concept."""

    def reached(self, item: ConceptSetItem) -> AbstractSet[int]:
        """The concepts that an item reaches by itself and by its descendants."""
        below = self.below.get(item.concept_id, _NONE) if item.descendants else _NONE
        return {item.concept_id, *below} if item.concept_id in self.known else below

    def concepts(self, concept_set: ConceptSet) -> list[int]:
        """The concepts of a set, in order: what is excluded is found in the same way as what is not.

        Source: circe-be, ConceptSetExpressionQueryBuilder.
        """
        kept: set[int] = set()
        excluded: set[int] = set()
        for item in concept_set.items:
            if item.concept_id not in self.known and item.concept_id not in self.below:
                continue
            found = self.reached(item)
            into = excluded if item.excluded else kept
            into.update(found)
            if item.mapped:
                into.update(*(self.mapped.get(concept, ()) for concept in found))
        return sorted(kept - excluded)
