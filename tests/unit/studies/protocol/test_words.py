"""Small pieces of a protocol's prose."""

from __future__ import annotations

from enclos.studies.model import DayWindow
from enclos.studies.protocol.words import windows


def test_an_end_that_is_open_is_said_in_words() -> None:
    asked = [(0, 30), (0, 0), (None, -1), (31, None), (None, None), (-30, -1)]
    assert windows(DayWindow(*each) for each in asked) == (
        "day 0 to 30; day 0; any day up to day -1; any day from day 31 on; any day; day -30 to -1"
    )
