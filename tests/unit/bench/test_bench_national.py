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
