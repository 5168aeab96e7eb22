"""Two assessments and what changed between them; several hosts side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
_COUNTS = ("met", "not_met", "not_demonstrated", "not_applicable")


def changes_between(before: Document, after: Document) -> list[dict[str, Any]]:
    """Every requirement whose verdict or ground changed, in the order of catalogues and numbers.

    Times and words play no part: two assessments of an unchanged enclosure differ in nothing. A requirement that one of
    the two does not have is told as well.
    """
    was, now = _by_key(before), _by_key(after)
    changes = []
    for key in [*was, *(key for key in now if key not in was)]:
        old, new = was.get(key), now.get(key)
        if old and new and (old["verdict"], old["rests_on"]) == (new["verdict"], new["rests_on"]):
            continue
        shown = new or old or {}
        changes.append(
            {
                "catalogue": key[0],
                "id": key[1],
                "paraphrase": shown["paraphrase"],
                "before": old["verdict"] if old else None,
                "after": new["verdict"] if new else None,
                "rested_on": old["rests_on"] if old else None,
                "rests_on": new["rests_on"] if new else None,
                "why": new["why"] if new else None,
            }
        )
    return sorted(changes, key=lambda each: (each["catalogue"], _natural(each["id"])))


def scores_between(before: Document, after: Document) -> list[dict[str, Any]]:
    """The scores of the catalogues that both have, before and after."""
    was = {each["id"]: each for each in before["catalogues"]}
    return [
        {
            "catalogue": each["id"],
            "before": was[each["id"]]["score"],
            "after": each["score"],
            "floor_before": was[each["id"]]["floor_reached"],
            "floor_after": each["floor_reached"],
        }
        for each in sorted(after["catalogues"], key=lambda each: each["id"])
        if each["id"] in was
    ]


def ranked(documents: Sequence[Document], names: Sequence[str]) -> list[dict[str, Any]]:
    """Of each catalogue that any has, the hosts: those above its floor first, then by their share.

    A host that was not assessed against a catalogue stands last and has no score. Equal ones have one rank.
    """
    catalogues = dict.fromkeys(each["id"] for document in documents for each in document["catalogues"])
    rows: list[dict[str, Any]] = []
    for id_ in catalogues:
        found = []
        for name, document in zip(names, documents, strict=True):
            one = next((each for each in document["catalogues"] if each["id"] == id_), None)
            found.append((name, one))
        ordered = sorted(found, key=lambda each: _order(each[1]))
        orders = [_order(one) for _, one in ordered]
        for name, one in ordered:
            rows.append(
                {
                    "catalogue": id_,
                    "host": name,
                    "rank": orders.index(_order(one)) + 1 if one else None,
                    "score": one["score"] if one else None,
                    "floor_reached": one["floor_reached"] if one else None,
                    **{
                        key: one[key] if one else None
                        for key in ("met", "not_met", "not_demonstrated", "not_applicable")
                    },
                }
            )
    return rows


def _order(catalogue: Document | None) -> tuple[bool, bool, float]:
    if catalogue is None:
        return True, True, 0.0
    return False, not catalogue["floor_reached"], -catalogue["score"]


def _by_key(document: Document) -> dict[tuple[str, str], Document]:
    return {(one["id"], each["id"]): each for one in document["catalogues"] for each in one["requirements"]}


def _natural(id_: str) -> tuple[tuple[bool, int, str], ...]:
    """Numbers by their value: 9.1 stands before 10.1."""
    parts: list[str] = []
    for letter in id_:
        if parts and parts[-1].isdigit() == letter.isdigit():
            parts[-1] += letter
        else:
            parts.append(letter)
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
