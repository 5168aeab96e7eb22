"""The option that a misspelt one is likely to mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from enclos.studies.document.values import Path


def nearest_option(path: Path, schema: Mapping[str, Any]) -> str | None:
    """Of the options that may stand where a path ends, the one spelt most like it; None when none is close.

    In: schema — the JSON Schema of the whole document
    """
    places = list(_forms(schema, schema))
    for part in path[:-1]:
        inner = (_inner(place, part) for place in places)
        places = [form for each in inner if each is not None for form in _forms(each, schema)]
    names = sorted({name for place in places for name in place.get("properties", {})})
    return next(iter(get_close_matches(str(path[-1]), names, n=1, cutoff=0.6)), None) if path else None


def _inner(place: Mapping[str, Any], part: str | int) -> Mapping[str, Any] | None:
    """What is within an option or an element of a list; None where there is nothing of that name."""
    if isinstance(part, int):
        found = place.get("items")
    else:
        found = place.get("properties", {}).get(part, place.get("additionalProperties"))
    return found if isinstance(found, Mapping) else None


def _forms(place: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The forms that a place may have, behind references."""
    if "$ref" in place:
        yield from _forms(schema["$defs"][place["$ref"].rpartition("/")[2]], schema)
    for each in (*place.get("anyOf", ()), *place.get("oneOf", ())):
        yield from _forms(each, schema)
    yield place
