"""A Circe definition told from its JSON: all that it says, each concept set under the name it has there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from enclos.studies.protocol.words import plain

_PARTS = (
    ("PrimaryCriteria", "Entry events"),
    ("AdditionalCriteria", "Entry events also fulfil"),
    ("QualifiedLimit", "Limit of qualifying events"),
    ("InclusionRules", "Inclusion rules"),
    ("ExpressionLimit", "Limit of included events"),
    ("EndStrategy", "Exit"),
    ("CensoringCriteria", "Censoring events"),
    ("CensorWindow", "Censoring window"),
    ("CollapseSettings", "Joining of entries"),
)
_COMPARISONS = {
    "lt": "less than",
    "lte": "at most",
    "eq": "equal to",
    "!eq": "not equal to",
    "gt": "more than",
    "gte": "at least",
    "bt": "between",
    "!bt": "not between",
}
_OCCURRENCES = {0: "exactly", 1: "at most", 2: "at least"}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def circe_lines(text: str) -> Iterator[str]:
    """Nested bullets that tell a definition; one that ``read_circe`` took."""
    document: Mapping[str, Any] = json.loads(text)
    sets = {each["id"]: plain(each.get("name") or f"set {each['id']}") for each in document.get("ConceptSets") or []}
    for key, title in _PARTS:
        value = document.get(key)
        idle = key == "QualifiedLimit" and not document.get("AdditionalCriteria")  # Circe then takes every event
        if value not in (None, [], {}) and not idle:
            yield from _told(title, value, sets, 0)
    if not document.get("EndStrategy"):
        yield "- Exit: the end of the observation period."
    for each in document.get("ConceptSets") or []:
        yield f"- Concept set “{sets[each['id']]}”:"
        for item in each["expression"].get("items") or []:
            yield f"  - {_concept(item)}"


def _concept(item: Mapping[str, Any]) -> str:
    concept = item["concept"]
    name = f" {plain(concept['CONCEPT_NAME'])}" if concept.get("CONCEPT_NAME") else ""
    flags = [
        words
        for flag, words in (
            ("isExcluded", "excluded"),
            ("includeDescendants", "with descendants"),
            ("includeMapped", "with mapped"),
        )
        if item.get(flag)
    ]
    return ", ".join([f"{concept.get('CONCEPT_ID', 0)}{name}", *flags])


def _told(title: str, value: object, sets: Mapping[int, str], depth: int) -> Iterator[str]:
    """One thing and, one step further in, what it is made of."""
    indent = "  " * depth
    if isinstance(value, Mapping) and "CONCEPT_ID" in value:
        yield f"{indent}- {title}: {_concept({'concept': value})}"
    elif isinstance(value, Mapping):
        yield f"{indent}- {title}:"
        if "Coeff" in value and value.get("Days") is None:
            yield f"{indent}  - Days: without limit"
        for key, inner in value.items():
            if inner is not None:
                yield from _member(key, inner, value, sets, depth + 1)
    elif isinstance(value, list):
        yield f"{indent}- {title}: {'' if value else 'none'}".rstrip()
        for number, inner in enumerate(value, start=1):
            yield from _told(str(number), inner, sets, depth + 1)
    else:
        yield f"{indent}- {title}: {_word(value)}"


def _member(key: str, value: object, parent: Mapping[str, Any], sets: Mapping[int, str], depth: int) -> Iterator[str]:
    words = _HUMP.sub(" ", key).replace("_", " ")
    words = words[:1].upper() + words[1:]
    if isinstance(value, int) and not isinstance(value, bool):
        if key.lower().endswith(("codesetid", "sourceconcept")) and value in sets:
            value = f"concept set “{sets[value]}”"
            yield f"{'  ' * depth}- {words}: {value}"
            return
        if key == "Type" and "Count" in parent and value in _OCCURRENCES:
            value = _OCCURRENCES[value]
        elif key == "Coeff":
            value = "before" if value < 0 else "after"
    elif key == "Op" and isinstance(value, str):
        value = _COMPARISONS.get(value, value)
    yield from _told(words, value, sets, depth)


def _word(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else plain(value)
