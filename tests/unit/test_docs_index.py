"""Every page is listed once, where a reader looks for it, and no link of a page leads nowhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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
