"""Numbers of drawings are written as their page's language writes them."""

from __future__ import annotations

import re

import pytest

from enclos.app.pages.drawings import bars


@pytest.mark.parametrize(("language", "half"), [("en", "0.5M"), ("fr", "0,5M")])
def test_an_axis_has_the_decimal_mark_of_its_page(language: str, half: str) -> None:
    drawn = bars([{"name": "A", "n": 1_500_000, "text": "1"}], "rows", 500, language=language)
    assert half in re.findall(r">([\d.,]+[kM]?)<", drawn)
