"""The page of benchmarks: what is worse beyond noise is shown, what is noise is not, and nothing is requested."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MACHINE = {"processor": "some", "cores": 2, "gib": 23.4}


@pytest.fixture(scope="module")
def page(bench: Callable[[str], ModuleType]) -> ModuleType:
    return bench("page")


def lines(*ratios: float, better: str = "more", goal: float | None = 2.0, **more: Any) -> list[dict[str, Any]]:
    row = {"script": "move", "name": "moving <it>", "better": better, "goal": goal}
    return [
        {"at": f"2026-11-{day:02}", "machine": MACHINE, "goals": [{**row, "ratio": ratio}], **more}
        for day, ratio in enumerate(ratios, 1)
    ]


STEADY = (2.0, 2.1, 1.95, 2.05, 2.0, 2.08, 1.97)


@pytest.mark.parametrize(
    ("ratios", "better", "is_worse"),
    [
        ((*STEADY, 1.9), "more", False),
        ((*STEADY, 1.2), "more", True),
        ((*STEADY, 3.5), "more", False),
        ((*STEADY, 3.5), "less", True),
        ((*STEADY, 1.2), "less", False),
        ((2.0, 1.5), "more", False),  # noise is not known yet
        ((2.0, 1.0), "more", True),
        ((2.0, 4.0, 1.9, 4.1, 2.1, 3.9, 2.0), "more", False),  # a noisy one
        ((4.0, 4.0, 4.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0), "more", False),  # a step long ago
    ],
)
def test_what_is_worse_than_before_by_more_than_its_noise_is_a_regression(
    page: ModuleType, ratios: tuple[float, ...], better: str, is_worse: bool
) -> None:
    (series,) = page.series_of(lines(*ratios, better=better))
    assert series.is_worse is is_worse
    assert ("worse beyond noise:" in page.page_of(lines(*ratios, better=better), {"move": "a"})) is is_worse


def test_lines_of_another_machine_are_not_compared(page: ModuleType) -> None:
    elsewhere = [{**line, "machine": {"processor": "other", "cores": 64}} for line in lines(40.0, 41.0)]
    (series,) = page.series_of([*elsewhere, *lines(2.0)])
    assert (series.ratios, series.before) == ((2.0,), None)


def test_a_goal_is_met_from_the_side_that_is_better(page: ModuleType) -> None:
    assert [page.series_of(lines(2.1, better=better))[0].is_met for better in ("more", "less")] == [True, False]
    assert page.series_of(lines(2.1, goal=None))[0].is_met is None


def test_the_page_is_whole_and_asks_nobody_for_anything(page: ModuleType, tmp_path: Path) -> None:
    told = lines(*STEADY, 1.2, commit="abc", load=[0.1, 2.0])
    told[-1]["goals"].append({"script": "ledger", "name": "ledger failed", "failed": True})
    history, written = tmp_path / "history.jsonl", tmp_path / "history.html"
    history.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")
    said = page.write_page(history, written, {"move": "moving", "ledger": "waiting"})
    assert said == ["worse beyond noise: moving <it>: 2 before, 1.2 now"]
    text = written.read_text(encoding="utf-8")
    assert "Failed: ledger failed" in text
    assert "moving &lt;it&gt;" in text
    assert "<it>" not in text
    assert not re.search(r"https?:|src=|href=|<script|url\(|@import", text)
    Balanced().feed(text)


class Balanced(HTMLParser):
    """Every element that opens closes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        if tag == "svg":
            assert dict(attrs).get("aria-label")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
