"""The notebooks run, and show what they give, on a small enclosure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from factories.enclosure import ALICE, CAROL, DAN, ENCLOS, PASSPHRASE, permit_text, run_cli

NOTEBOOKS = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
PERMIT = "FR-2026-0001"
STARTS = """\
study: statin-starts
cohorts:
  statin: {concepts: [1545958], descendants: true, domain: drug, limit: first, end: event_end, gap_era: 30}
analyses:
  - incidence: {outcome: statin, interval: overall, sex: [male, female], age_groups: [[0, 64], [65, 150]]}
"""

TOOL = Path(__file__).resolve().parents[2] / "tools" / "run_notebooks.py"


@pytest.fixture(scope="module")
def place(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the notebooks speak of."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(built, folder / "home")
    permit = folder / "permit.yaml"
    permit.write_text(permit_text(PERMIT), encoding="utf-8")
    run_cli("permit", "sign", folder / "home", permit)
    run_cli("permit", "open", folder / "home", PERMIT)
    return folder


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCLOS_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("PATH", f"{ENCLOS.parent}{os.pathsep}{os.environ['PATH']}")


def check(name: str, place: Path) -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "--in", place, NOTEBOOKS / f"{name}.ipynb"],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{name} shows what it no longer gives\n{done.stdout}{done.stderr}"


def test_first_study_and_the_reading_of_what_was_released_show_what_they_give(place, monkeypatch):
    assert ENCLOS.parent == Path(sys.executable).parent
    check("first_study", place)
    home, study = place / "home", place / "starts.yaml"
    study.write_text(STARTS, encoding="utf-8")
    who = ("--permit", PERMIT, "--user", ALICE)
    run = run_cli("study", home, study, *who)["run"]
    asked = run_cli("release", "request", home, *who, "--run", run, "--table", "incidence", "--purpose", "A notebook")
    for user in (CAROL, DAN):
        run_cli("release", "review", home, asked["request"], "--user", user, "--accept", "--reason", "large counts")
    exported = run_cli("release", "export", home, asked["request"], place / "package")
    monkeypatch.setenv("RELEASE_KEY", exported["release_key"])
    check("reading_results", place)


@pytest.mark.slow
def test_a_comparison_of_few_persons_withholds_its_estimate(place):
    check("comparative_study", place)
