"""The semantics of the engine that the wall rests on; another engine must pass here before it may be pinned."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("engine_contract.py")


def asked_of(python: Path | str) -> dict[str, Any]:
    done = subprocess.run([str(python), str(PROGRAM)], capture_output=True, text=True, timeout=120, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_c9_93_the_pinned_engine_keeps_the_wall() -> None:
    found = asked_of(sys.executable)
    assert found["version"] == "1.5.5"
    assert [name for name, holds in found["holds"].items() if not holds] == []


@pytest.mark.slow
def test_c9_93_duckdb_2_0_0_fails_without_the_barrier_and_holds_with_it(tmp_path: Path) -> None:
    """The reason for the pin, shown: throwing predicates go below the view; above a materialised barrier they stay."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "duckdb==2.0.0"]
    subprocess.run(install, check=True, timeout=300)
    found = asked_of(python)
    broken = {name for name, holds in found["holds"].items() if not holds}
    assert found["version"] == "2.0.0"
    assert "throwing stays above the view: objections" in broken
    assert not {name for name in broken if "barrier" in name}
