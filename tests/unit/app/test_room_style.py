"""The style of people's pages can be read in light and in dark (WCAG 2.2, 1.4.3 and 1.4.11), and asks for nothing."""

from __future__ import annotations

import re

import pytest

from enclos.app.pages.rooms.frame import asset

STYLE = asset("portal.css").decode()
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", part)) for part in STYLE.split("@media")[:2])
TEXTS = [(ink, on) for ink in ("ink", "quiet", "accent") for on in ("ground", "sheet", "sunk")]
TEXTS += [("ok", "ok-soft"), ("warn", "warn-soft"), ("bad", "bad-soft"), ("ink", "bad-soft"), ("quiet", "bad-soft")]
TEXTS += [("ink", "warn-soft"), ("ink", "ok-soft"), ("accent-ink", "accent"), ("bad", "sheet"), ("quiet", "warn-soft")]
SHAPES = [("edge", "sheet"), ("edge", "ground"), ("bar", "sheet"), ("focus", "sheet"), ("focus", "ground")]


def brightness(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((brightness(first), brightness(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_shapes_stand_out_from_what_they_lie_on(colours: dict[str, str]) -> None:
    assert [pair for pair in TEXTS if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    assert [pair for pair in SHAPES if contrast(colours[pair[0]], colours[pair[1]]) < 3] == []


def test_dark_says_every_colour_that_light_says_and_nothing_is_fetched() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert "url(" not in STYLE
    assert "@import" not in STYLE
