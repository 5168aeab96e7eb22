"""The map from requirements to tests names tests that exist, for probes that catalogues name."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from enclos.conformity.steps import catalogues, probes_of

_TOOL = Path(__file__).resolve().parents[3] / "tools" / "conformity_map.py"


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformity_map", _TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_named_test_exists_and_belongs_to_a_probe_that_a_catalogue_names(tool: ModuleType) -> None:
    tests = tool.tests_by_probe()
    assert len(tests) > 70
    assert set(tests) <= probes_of(catalogues().values())
    assert {how for found in tests.values() for how, _ in found} == {"holds", "looks"}


@pytest.mark.parametrize("test", ["tests/unit/conformity/test_map.py::test_gone", "tests/unit/gone.py::test_map"])
def test_a_test_that_is_gone_stops_the_page(tool: ModuleType, tmp_path: Path, test: str) -> None:
    tool.TESTS = tmp_path / "tests.csv"
    tool.TESTS.write_text(f"probe,how,test\napp.permit,holds,{test}\n")
    with pytest.raises(ValueError, match="does not exist"):
        tool.tests_by_probe()
