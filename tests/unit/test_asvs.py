"""The list of ASVS requirements is whole, and names files and tests that exist."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {
    1: (2, 9, 11, 3, 2),
    2: (3, 3, 4, 1),
    3: (0, 2, 4, 6, 5, 0, 2),
    4: (3, 1, 2, 4),
    5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4),
    7: (3, 4, 2, 5, 2, 2),
    8: (2, 3, 1, 1),
    9: (3, 4),
    10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1, 0),
    12: (3, 2, 4),
    13: (1, 5, 2, 5),
    14: (2, 4, 3),
    15: (3, 3, 7, 0),
    16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}
"""How many requirements of levels 1 and 2 each section has; in each they are the first. Source: OWASP ASVS 5.0.0."""
_LEVEL_1 = """
1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1
3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1
6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1
10.4.2 10.4.3 10.4.4 10.4.5 11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1
15.3.1
"""
LEVEL_1 = frozenset(_LEVEL_1.split())
"""Source: the same."""


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("asvs", ROOT / "tools" / "asvs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_requirement_of_levels_1_and_2_is_there_once_in_order(tool: ModuleType) -> None:
    wanted = [
        f"{chapter}.{section}.{number}"
        for chapter, counts in SECTIONS.items()
        for section, count in enumerate(counts, start=1)
        for number in range(1, count + 1)
    ]
    table = tool.rows()
    assert (len(wanted), len(LEVEL_1)) == (253, 70)
    assert [row["number"] for row in table] == wanted
    assert {row["number"] for row in table if row["level"] == "1"} == LEVEL_1
    assert {row["level"] for row in table} == {"1", "2"}


def test_each_says_what_it_is_about_and_why_it_is_judged_so(tool: ModuleType) -> None:
    for row in tool.rows():
        assert 0 < len(row["what"].split()) <= 14, row["number"]
        assert "|" not in "".join(row.values())
        assert row["where"] or row["verdict"] == "does not apply", row["number"]
        assert row["remark"] or row["verdict"] == "holds", row["number"]


def test_the_page_is_the_table(tool: ModuleType) -> None:
    path, text = tool.page()
    assert path.read_text(encoding="utf-8") == text
    assert all(f"\n| {row['number']} | {row['level']} |" in text for row in tool.rows())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"verdict": "nearly"}, "verdict of its own"),
        ({"where": "src/enclos/gone.py"}, "file that does not exist"),
        ({"test": "tests/unit/test_asvs.py::test_gone"}, "test that does not exist"),
        ({"test": "tests/unit/gone.py::test_the_page_is_the_table"}, "test that does not exist"),
        ({"test": "", "remark": "Surely."}, "nothing that is named"),
    ],
)
def test_what_is_not_there_stops_the_page(tool: ModuleType, tmp_path: Path, changed: dict[str, str], said: str) -> None:
    row = next(dict(each) for each in tool.rows() if each["verdict"] == "holds" and each["test"]) | changed
    tool.TABLE = tmp_path / "asvs.csv"
    with tool.TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    with pytest.raises(ValueError, match=said):
        tool.rows()
