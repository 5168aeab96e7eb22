"""Concept sets as a definition writes them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from enclos.studies.circe.model import ConceptSet, ConceptSetItem
from enclos.studies.circe.tree import MAX_INTEGER, Node, known

_SET = known("id", "name", "expression")
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
_EXPRESSION = known("items", "concept", *_FLAGS)
_WRITTEN_ITEM = frozenset(("concept", *_FLAGS))
_WRITTEN_CONCEPT = frozenset(("CONCEPT_ID", *_DESCRIBED))
_OBJECT, _WHOLE, _TRUTH = frozenset((dict,)), frozenset((int,)), frozenset((bool,))
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
    """The set of an expression. Beside the items ohdsi-circepy writes an item's flags, which say nothing when false."""
    fields = node.fields(_EXPRESSION)
    for name, value in fields.items():
        if name != "items" and not (name in _FLAGS and value.value is False):
            value.fault("is read of items only")
    found: set[int] = set()
    if "items" in fields:
        items = fields["items"]
        written = _as_written(items.value) if isinstance(items.value, list) else None
        found = set(map(_item, items.items())) if written is None else written
    numbers = array("q", sorted(found))
    return ConceptSet(sha256(numbers.tobytes()).hexdigest(), _unpacked(numbers))


def _as_written(values: list[Any]) -> set[int] | None:
    """The numbers of items that are all written as ATLAS writes them; None where one is not, to be read name by name.

    Definitions have hundreds: what is asked of each is asked of all at once.
    """
    if not set(map(type, values)) <= _OBJECT or not _WRITTEN_ITEM.issuperset(set().union(*values)):
        return None
    concepts = [value.get("concept") for value in values]
    if not set(map(type, concepts)) <= _OBJECT or not _WRITTEN_CONCEPT.issuperset(set().union(*concepts)):
        return None
    ids = [concept.get("CONCEPT_ID") for concept in concepts]
    if not set(map(type, ids)) <= _WHOLE or min(ids, default=0) < 0 or max(ids, default=0) > MAX_INTEGER:
        return None
    flags = [[value.get(name, False) for value in values] for name in _FLAGS]
    if any(not set(map(type, each)) <= _TRUTH for each in flags):
        return None
    return set(map(_packed, ids, *flags))


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


def _unpacked(numbers: Iterable[int]) -> tuple[ConceptSetItem, ...]:
    return tuple([ConceptSetItem(number >> 3, *_OF_BITS[number & 7]) for number in numbers])


def read_concept(node: Node) -> int:
    """The id of a concept; its other fields only describe it, whatever they are.

    Source: circe-be, Concept (it passes over fields that it does not know).
    """
    fields = node.fields(_CONCEPT, _DESCRIBED, others=True)
    if "CONCEPT_ID" not in fields:
        node.fault("has no CONCEPT_ID")
        return 0
    return fields["CONCEPT_ID"].integer(0)
