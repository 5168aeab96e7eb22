"""Concept sets as a definition writes them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from enclos.studies.circe.model import ConceptSet, ConceptSetItem
from enclos.studies.circe.tree import MAX_INTEGER, Node, known

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
_FLAGS = ("includeDescendants", "includeMapped", "isExcluded")
_WRITTEN_ITEM = frozenset(("concept", *_FLAGS))
_WRITTEN_CONCEPT = frozenset(("CONCEPT_ID", *_DESCRIBED))
_OF_BITS = tuple((bool(bits & 4), bool(bits & 2), bool(bits & 1)) for bits in range(8))
"""Flags of an item by the last three bits of its number."""
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
    found: set[int] = set()
    if "items" in fields:
        items = fields["items"]
        values = items.value if isinstance(items.value, list) else items.items()
        found = {_as_written(value) or _item(items.item(index)) for index, value in enumerate(values)}
    numbers = array("q", sorted(found))
    return ConceptSet(sha256(numbers.tobytes()).hexdigest(), tuple(map(_unpacked, numbers)))


def _as_written(value: Any) -> int | None:
    """The number of an item that is written as ATLAS writes it; any other is read name by name."""
    if type(value) is not dict or not _WRITTEN_ITEM.issuperset(value):
        return None
    concept = value.get("concept")
    if type(concept) is not dict or not _WRITTEN_CONCEPT.issuperset(concept):
        return None
    concept_id = concept.get("CONCEPT_ID")
    if type(concept_id) is not int or not 0 <= concept_id <= MAX_INTEGER:
        return None
    flag = value.get
    descendants, mapped, excluded = flag(_FLAGS[0], False), flag(_FLAGS[1], False), flag(_FLAGS[2], False)
    if type(descendants) is type(mapped) is type(excluded) is bool:
        return _packed(concept_id, descendants, mapped, excluded)
    return None


def _item(node: Node) -> int:
    """The number of an item."""
    fields = node.fields(_ITEM)
    if "concept" not in fields:
        node.fault("has no concept")
    concept_id = read_concept(fields["concept"]) if "concept" in fields else 0
    descendants, mapped, excluded = (fields[name].boolean() if name in fields else False for name in _FLAGS)
    return _packed(concept_id, descendants, mapped, excluded)


def _packed(concept_id: int, descendants: bool, mapped: bool, excluded: bool) -> int:
    """One number for an item, in the order of items: numbers are sorted and compared sooner."""
    return concept_id << 3 | descendants << 2 | mapped << 1 | excluded


def _unpacked(number: int) -> ConceptSetItem:
    return ConceptSetItem(number >> 3, *_OF_BITS[number & 7])


def read_concept(node: Node) -> int:
    """The id of a concept; its other fields only describe it."""
    fields = node.fields(_CONCEPT, _DESCRIBED)
    if "CONCEPT_ID" not in fields:
        node.fault("has no CONCEPT_ID")
        return 0
    return fields["CONCEPT_ID"].integer(0)
