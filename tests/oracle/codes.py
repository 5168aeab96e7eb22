"""Slow and plain: what one code means, asked concept by concept. Written from docs/vocabularies.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def valid(row: Row) -> bool:
    return not row.get("invalid_reason")


def ean13(cip7: str) -> str:
    """34009, the CIP7 and the digit that makes the weighted sum a multiple of ten."""
    twelve = "34009" + cip7
    total = sum(int(digit) * (1 if place % 2 == 0 else 3) for place, digit in enumerate(twelve))
    return twelve + str(-total % 10)


def looked_up(vocabulary: str, code: str) -> tuple[str, str]:
    """The vocabulary and the spelling under which the events ask for a listed code."""
    key = code.strip().replace(".", "").upper()
    if vocabulary in ("UCD", "UCD7", "UCD13"):
        if len(key) == 13 and key.isdigit() and key.startswith("000000"):
            key = key[6:]
        elif len(key) == 13 and key.isdigit() and key.startswith("34008"):
            key = key[5:12]
        return "UCD", key
    if vocabulary in ("CIP7", "CIP13"):
        return "CIP13", ean13(key) if len(key) == 7 and key.isdigit() else key
    if key.isdigit():
        key = key.zfill({"NABM": 4, "LPP": 7}.get(vocabulary, 0))
    return vocabulary, key


class Words:
    """A delivered vocabulary."""

    def __init__(self, concepts: Sequence[Row], relations: Sequence[Row], listed: Sequence[Row]) -> None:
        self.concepts = {row["concept_id"]: row for row in concepts}
        self.relations = [row for row in relations if valid(row)]
        self.listed = [row for row in listed if valid(row) and row["target_concept_id"]]

    def standard(self, concept_id: int) -> bool:
        return self.concepts.get(concept_id, {}).get("standard_concept") == "S"

    def next(self, concept_id: int, relationship: str) -> set[int]:
        return {
            row["concept_id_2"]
            for row in self.relations
            if row["concept_id_1"] == concept_id and row["relationship_id"] == relationship
        }

    def heirs(self, concept_id: int) -> set[int]:
        """The standard concepts at the least number of replacements from a concept."""
        reached, seen = {concept_id}, {concept_id}
        for _ in range(8):
            reached = {new for old in reached for new in self.next(old, "Concept replaced by") if new != old}
            found = {c for c in reached if self.standard(c)}
            found |= {c for old in reached for c in self.next(old, "Maps to") if self.standard(c)}
            if found or reached <= seen:
                return found
            seen |= reached
        return set()

    def means(self, concept_id: int) -> set[int]:
        """The standard concepts of a concept."""
        targets = self.next(concept_id, "Maps to")
        found = {c for c in targets if self.standard(c)}
        for target in targets - found:
            found |= self.heirs(target)
        if found:
            return found
        return {concept_id} if self.standard(concept_id) else self.heirs(concept_id)

    def concept_of(self, vocabulary: str, code: str) -> int:
        """The concept of a code, a valid one first; 0 when there is none."""
        found = [
            (not valid(row), concept_id)
            for concept_id, row in self.concepts.items()
            if row["vocabulary_id"] == vocabulary and row["concept_code"].strip().replace(".", "").upper() == code
        ]
        return min(found)[1] if found else 0

    def resolve(self, vocabulary: str, code: str) -> tuple[int, set[int]]:
        """(source concept, standard concepts) of a code that an event bears; no standard concept is {0}."""
        own = self.concept_of(vocabulary, code)
        pack = 0
        if vocabulary == "CIP13" and code[:5] == "34009" and code == ean13(code[5:12]):
            pack = self.concept_of("BDPM", code[5:12])
        rows = [r for r in self.listed if looked_up(r["source_vocabulary_id"], r["source_code"]) == (vocabulary, code)]
        latest = max((r["valid_end_date"] for r in rows), default=None)
        rows = [r for r in rows if r["valid_end_date"] == latest]
        rows = [r for r in rows if self.means_listed(r["target_concept_id"])]
        listed_sources = [r["source_concept_id"] for r in rows if r["source_concept_id"]]
        source = own or pack or (min(listed_sources) if listed_sources else 0)
        for concept_id in (own, pack):
            if concept_id and self.means(concept_id):
                return source, self.means(concept_id)
        return source, {c for r in rows for c in self.means_listed(r["target_concept_id"])} or {0}

    def means_listed(self, target: int) -> set[int]:
        """What a target of a list means: itself where standard, else as a concept does."""
        return {target} if self.standard(target) else self.means(target)
