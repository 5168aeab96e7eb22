"""Whole study files in the documentation are studies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from enclos.studies.document import study_from_yaml

DOCS = Path(__file__).parents[3] / "docs"
FILES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in sorted(DOCS.glob("*.md"))
    for number, text in enumerate(re.findall(r"```yaml\n(study:.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("text", FILES)
def test_a_study_in_the_documentation_can_be_read(text: str) -> None:
    assert study_from_yaml(text).analyses


def test_there_are_some() -> None:
    assert {"compare-0", "self_controlled-0"} <= {str(each.id) for each in FILES}
