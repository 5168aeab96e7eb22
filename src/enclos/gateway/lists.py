"""Lists as PostgreSQL's clients give them: in braces, and behind ``= ANY``, which the engine reads otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from enclos.gateway.tokens import Token

_PART = re.compile(r"""\s*+(?:"(?P<quoted>(?:[^"\\]++|\\.)*+)"\s*+|(?P<plain>[^"{},\\]++))(?P<after>,|\Z)""", re.DOTALL)
"""Without a way back: what does not fit is known at once, however long it is."""
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WAYS = {
    ("=", "any"): "IN",
    ("=", "some"): "IN",
    ("<", ">", "all"): "NOT IN",
    ("!", "=", "all"): "NOT IN",
}


def parts_of(text: str) -> list[str | None]:
    """The texts of a plain list in braces; a null is None. Raises: ValueError.

    Source: PostgreSQL 13, § 8.15.6 (Array Input and Output Syntax)
    """
    if not (text.startswith("{") and text.endswith("}") and len(text) > 1):
        raise ValueError("no list in braces")
    inner, at, found = text[1:-1].strip(), 0, list[str | None]()
    is_open = bool(inner)
    while is_open:
        part = _PART.match(inner, at)
        if part is None:
            raise ValueError("only plain lists")
        plain = part["plain"]
        if plain is None:
            found.append(_ESCAPED.sub(r"\1", part["quoted"]))
        else:
            found.append(None if plain.strip().upper() == "NULL" else plain.strip())
        at, is_open = part.end(), bool(part["after"])
    return found


def listed(tokens: Sequence[Token], values: Sequence[object]) -> Iterator[tuple[Token, list[object] | None]]:
    """The pieces of a statement; where one is a list that a value is looked for in (``x = ANY($1)``), with its values.

    In: values — of the statement's parameters
    Out: pieces, and the values of those that are written ``IN (…)``; a list with nothing in it finds nothing
    """
    spoken = [at for at, token in enumerate(tokens) if not token.is_blank]
    said = [tokens[at].word or tokens[at].text for at in spoken]
    at = 0
    for place, first in enumerate(spoken):
        if first < at:
            continue
        yield from ((each, None) for each in tokens[at:first])
        at = first
        found = _list_at(said, place)
        if found is None:
            continue
        way, parameter, end = found
        among = _values(tokens[spoken[parameter]], values)
        if among is None:
            continue
        yield Token("word", f" {way} "), among
        at = spoken[end] + 1
    yield from ((each, None) for each in tokens[at:])


def _list_at(said: Sequence[str], place: int) -> tuple[str, int, int] | None:
    """Of what begins at a place, if it is ``= ANY($1)``: IN, and the places of the parameter and of its end."""
    for signs, way in _WAYS.items():
        at = place + len(signs)
        if tuple(said[place:at]) == signs and said[at : at + 1] == ["("] and said[at + 1 : at + 2] != []:
            end = at + 2
            if said[end : end + 1] == ["::"] and said[end + 2 : end + 4] == ["[", "]"]:
                end += 4
            if said[end : end + 1] == [")"]:
                return way, at + 1, end
    return None


def _values(token: Token, values: Sequence[object]) -> list[object] | None:
    if token.kind != "parameter" or not 1 <= int(token.text[1:6]) <= len(values):
        return None
    value = values[int(token.text[1:6]) - 1]
    if isinstance(value, str):
        try:
            return list(parts_of(value))
        except ValueError:
            return None
    return value if isinstance(value, list) else [None] if value is None else None
