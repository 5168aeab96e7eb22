"""What the national run keeps of the checks of quality is what they say, and stands in its report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from enclos.warehouse.quality.model import QualityReport


@pytest.fixture(scope="module")
def told(bench: Callable[[str], ModuleType]) -> ModuleType:
    return bench("national_told")


def test_what_quality_counted_is_kept_by_its_own_names_and_told(told: ModuleType, tmp_path: Path) -> None:
    counted = QualityReport("5.4", date(2026, 1, 1), (), (), {}, n_scans=0).summary()
    assert set(told.QUALITY) <= counted.keys()
    journal = told.Journal(tmp_path / "run.jsonl")
    assert told.quality(journal) == []
    kept = {"checks": 9, "passed": 5, "failed": 1, "not_applicable": 3}
    journal.finish("quality", {}, kept)
    assert told.quality(journal) == ["Quality: 9 checks, 5 passed, 1 failed, 3 not applicable."]


FOUND = {
    "truth-bleeding": {"hazard_ratio": 1.82, "lower": 1.72, "upper": 1.94},
    "truth-infarction": {"hazard_ratio": 0.87, "lower": 0.81, "upper": 0.93},
    "of-nobody": {"hazard_ratio": 1.2, "lower": 0.9, "upper": 1.6},
}


@pytest.mark.parametrize(
    ("known", "lines"),
    [
        (
            {"truth-bleeding": {"hazard_ratio": 2.0, "drawn": {"ratio": 1.86, "lower": 1.75, "upper": 1.97}}},
            [
                "1.82 (1.72 to 1.94); true: 2.0; drawn: 1.86 (1.75 to 1.97).",
                "0.87 (0.81 to 0.93).",
                "1.2 (0.9 to 1.6).",
            ],
        ),
        (  # so few were drawn that they have no ratio; a truth that was written before draws were told
            {
                "truth-bleeding": {"hazard_ratio": 2.0, "drawn": {"ratio": None, "lower": None, "upper": None}},
                "truth-infarction": {"hazard_ratio": 1.0},
                "truth-other": {"hazard_ratio": 3.0},
            },
            ["1.82 (1.72 to 1.94); true: 2.0.", "0.87 (0.81 to 0.93); true: 1.0.", "1.2 (0.9 to 1.6)."],
        ),
    ],
)
def test_a_ratio_stands_beside_its_truth_and_what_was_drawn(
    told: ModuleType, known: dict[str, dict[str, object]], lines: list[str]
) -> None:
    assert told.ratios_told(FOUND, known) == [f"{name}: {line}" for name, line in zip(FOUND, lines, strict=True)]
    assert told.ratios_told({}, known) == []
