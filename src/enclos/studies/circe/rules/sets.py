"""What concept sets stand for, by what the vocabulary answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from enclos.studies.circe.model import ConceptSet, ConceptSetItem


@dataclass(slots=True)
class Vocabulary:
    """The part of a vocabulary that some concept sets need."""

    known: set[int]
    """The concepts that it has, of those named and their descendants."""
    below: Mapping[int, set[int]]
    """The valid descendants of a concept named. Source: circe-be, ConceptSetExpressionQueryBuilder."""
    mapped: Mapping[int, Collection[int]] = field(default_factory=dict)
    """The source concepts that map to a concept."""

    def reached(self, item: ConceptSetItem) -> set[int]:
        """The concepts that an item reaches by itself and by its descendants."""
        found = {item.concept_id} & self.known
        return found | self.below.get(item.concept_id, set()) if item.descendants else found

    def concepts(self, concept_set: ConceptSet) -> list[int]:
        """The concepts of a set, in order: what is excluded is found in the same way as what is not.

        Source: circe-be, ConceptSetExpressionQueryBuilder.
        """
        kept: set[int] = set()
        excluded: set[int] = set()
        for item in concept_set.items:
            found = self.reached(item)
            if item.mapped:
                found = found.union(*(self.mapped.get(concept, ()) for concept in found))
            (excluded if item.excluded else kept).update(found)
        return sorted(kept - excluded)
