"""Every page is listed once, where a reader looks for it, and no link of a page leads nowhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / "src" / "enclos"
DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
LISTED = [*DOCS.glob("*.md"), *DOCS.glob("guides/*.md"), *DOCS.glob("notebooks/*.ipynb"), DOCS / "spec" / "README.md"]


def links(page: Path) -> list[Path]:
    found = LINK.findall(page.read_text(encoding="utf-8"))
    return [(page.parent / each).resolve() for each in found if "://" not in each and not each.startswith("mailto:")]


def test_the_index_lists_every_page_once():
    listed = Counter(links(DOCS / "README.md"))
    pages = {page.resolve() for page in LISTED if page.name != "README.md" or page.parent != DOCS}
    assert {page.name for page in pages - set(listed)} == set()
    # the tutorial is named in the first lines too
    assert {page.name: n for page, n in listed.items() if n > 1} in ({}, {"tutorial.md": 2})


@pytest.mark.parametrize("page", [ROOT / "README.md", *DOCS.rglob("*.md")], ids=lambda page: page.name)
def test_no_link_leads_nowhere(page):
    assert [str(to) for to in links(page) if not to.exists()] == []


def test_every_room_has_a_card_that_says_where_it_begins():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    cards = re.findall(r"(?ms)^### `(\w+)/` .*?^- \*\*Start:\*\* (.*?)$", text)
    rooms = {path.parent.name for path in ROOMS.glob("*/__init__.py")}
    assert {room for room, _ in cards} == rooms
    named = [(room, name) for room, start in cards for name in re.findall(r"[\w/]+(?:\.py\b|/(?!\w))", start)]
    assert len(named) > len(rooms)
    assert [each for each in named if not any((place / each[1]).exists() for place in (ROOMS / each[0], ROOMS))] == []
