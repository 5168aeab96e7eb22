"""Decisions have numbers of their own, and what names one names it rightly."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def test_a_decision_has_a_number_of_its_own_and_its_title_says_the_same() -> None:
    numbers = [file.name[:4] for file in FILES]
    assert numbers and len(set(numbers)) == len(numbers)
    assert [file.read_text(encoding="utf-8")[:7] for file in FILES] == [f"# {number} " for number in numbers]


def test_every_decision_that_is_named_exists() -> None:
    texts = [*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"]
    named = {
        name
        for text in texts
        for name in re.findall(r"decisions?[ /](\d{4}(?:-[a-z0-9-]+)?)", text.read_text(encoding="utf-8"))
    }
    assert named
    assert not {name for name in named if not any(file.stem.startswith(name) for file in FILES)}
