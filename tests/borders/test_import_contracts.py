"""The floors and the wall hold, and the contracts would see a breach."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder / "src")}
    return subprocess.run(
        [str(LINT), "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_contracts_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_a_breach_of_the_wall_is_seen(tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    breach = tmp_path / "src" / "enclos" / "views" / "breach.py"
    breach.write_text("from enclos.pseudonyms import steps\n", encoding="utf-8")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert "The wall" in done.stdout


def test_a_breach_of_purity_is_seen(tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    model = tmp_path / "src" / "enclos" / "permits" / "model.py"
    model.write_text(
        "import random\n" + model.read_text(encoding="utf-8").replace("from __future__", "# ", 1), encoding="utf-8"
    )
    done = lint(tmp_path)
    assert done.returncode != 0
    assert "Purity" in done.stdout
