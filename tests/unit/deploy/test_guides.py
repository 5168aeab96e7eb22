"""The guides: each line that calls Enclos is one that it takes, and each file that they name is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from enclos.cli import commands as _every_command  # noqa: F401 - importing them registers them
from enclos.cli.application import application

ROOT = Path(__file__).resolve().parents[3]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
SETTINGS = [ROOT / "docs" / "guides" / f"{name}.md" for name in ("kubernetes-spark", "one-machine", "s3-postgresql")]
"""Those that say where an enclosure runs; the others say how something is done in it."""


def lines(guide: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def calls(guide: Path) -> list[list[str]]:
    """What the lines ask of enclos."""
    found = [
        re.search(r"(?:^|[ /])enclos (?!-)(.*)$", line) for line in lines(guide) if "kubectl -n enclos" not in line
    ]
    found += [re.search(r"-- enclos (.*)$", line) for line in lines(guide)]
    asked = [shlex.split(one[1], comments=True) for one in found if one]
    return [words for words in asked if words and words[0] in typer.main.get_command(application).commands]  # type: ignore[attr-defined]


def test_there_is_a_guide_for_each_setting() -> None:
    assert all(calls(guide) for guide in SETTINGS)
    assert all(len(guide.read_text(encoding="utf-8").splitlines()) <= 100 for guide in SETTINGS), "a page or so"
    assert all("not run" in guide.read_text(encoding="utf-8").lower() for guide in SETTINGS)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_enclos_takes_every_line_of_a_guide(guide: Path) -> None:
    for asked in calls(guide):
        command = typer.main.get_command(application)
        while hasattr(command, "commands"):
            command = command.commands[asked.pop(0)]
        with command.make_context("enclos", asked):
            pass


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_file_and_target_that_a_guide_names_is_there(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)\)", text)
    assert linked
    assert [link for link in linked if not (guide.parent / link).exists()] == []
    named = set(re.findall(r"\b(?:deploy|tests)/[\w./-]+\w(?![-*\w])", text))
    assert [name for name in named if not (ROOT / name).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {target for line in lines(guide) if line.startswith("make ") for target in line.split()[1:]}
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
