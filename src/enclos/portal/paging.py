"""A long list a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

_SIZE = 25


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of a list; ``before`` and ``after`` are the addresses of its neighbours, empty where there is none."""

    rows: Sequence[Any]
    number: int
    n_pages: int
    n_all: int
    before: str
    after: str


def shown(rows: Sequence[Any], query: Mapping[str, str], size: int = _SIZE) -> Shown:
    """The page of a list that ``?page=`` names, the first or the last where it names none that there is."""
    n_pages = max(1, -(-len(rows) // size))
    asked = query.get("page", "")
    number = min(max(int(asked), 1), n_pages) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
    kept = {name: value for name, value in query.items() if name not in {"page", "lang"}}

    def address(of: int) -> str:
        return f"?{urlencode({**kept, 'page': of})}" if 1 <= of <= n_pages else ""

    part = rows[(number - 1) * size : number * size]
    return Shown(part, number, n_pages, len(rows), address(number - 1), address(number + 1))
