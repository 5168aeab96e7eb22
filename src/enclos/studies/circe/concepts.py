"""Concept sets as a definition writes them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from enclos.studies.circe.model import ConceptSet, ConceptSetItem
from enclos.studies.circe.tree import Node, known

_SET = known("id", "name", "expression")
_EXPRESSION = known("items")
_ITEM = known("concept", "isExcluded", "includeDescendants", "includeMapped")
_DESCRIBED = frozenset(
    (
        "CONCEPT_NAME",
        "STANDARD_CONCEPT",
        "STANDARD_CONCEPT_CAPTION",
        "INVALID_REASON",
        "INVALID_REASON_CAPTION",
        "CONCEPT_CODE",
        "DOMAIN_ID",
        "VOCABULARY_ID",
        "CONCEPT_CLASS_ID",
        "VALID_START_DATE",
        "VALID_END_DATE",
    )
)
_CONCEPT = known("CONCEPT_ID", *_DESCRIBED)
NOTHING = ConceptSet("", ())


@dataclass(frozen=True, slots=True)
class ConceptSets:
    """The concept sets of a definition, by their ids in it."""

    by_id: dict[int, ConceptSet]

    def named(self, node: Node) -> ConceptSet:
        """The set that an id names."""
        number = node.integer()
        if number not in self.by_id:
            node.fault("names no concept set of the definition")
            return NOTHING
        return self.by_id[number]


def read_concept_sets(node: Node | None) -> ConceptSets:
    """The concept sets of a definition."""
    by_id: dict[int, ConceptSet] = {}
    for item in node.items() if node is not None else []:
        fields = item.fields(_SET)
        if "id" not in fields:
            item.fault("has no id")
            continue
        number = fields["id"].integer()
        if number in by_id:
            fields["id"].fault("is the id of another concept set too")
        if "expression" not in fields:
            item.fault("has no expression")
            continue
        by_id[number] = _concept_set(fields["expression"])
    return ConceptSets(by_id)


def _concept_set(node: Node) -> ConceptSet:
    fields = node.fields(_EXPRESSION)
    found = {_item(item) for item in (fields["items"].items() if "items" in fields else [])}
    items = tuple(sorted(found, key=lambda each: (each.concept_id, each.excluded, each.descendants, each.mapped)))
    return ConceptSet(sha256(repr(items).encode()).hexdigest(), items)


def _item(node: Node) -> ConceptSetItem:
    fields = node.fields(_ITEM)
    if "concept" not in fields:
        node.fault("has no concept")
    concept_id = read_concept(fields["concept"]) if "concept" in fields else 0
    flags = [
        fields[name].boolean() if name in fields else False
        for name in ("includeDescendants", "includeMapped", "isExcluded")
    ]
    return ConceptSetItem(concept_id, *flags)


def read_concept(node: Node) -> int:
    """The id of a concept; its other fields only describe it."""
    fields = node.fields(_CONCEPT, _DESCRIBED)
    if "CONCEPT_ID" not in fields:
        node.fault("has no CONCEPT_ID")
        return 0
    return fields["CONCEPT_ID"].integer(0)
