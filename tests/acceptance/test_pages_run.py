"""The tutorial and the how-tos, followed word by word in one folder, print what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_pages import Step, agrees, comparable, follow, steps

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOW_TOS = (
    "new-delivery",
    "new-permit",
    "cohort",
    "study",
    "release",
    "opt-out",
    "rotate-a-key",
    "restore",
    "move",
)
PAGES = [DOCS / "tutorial.md", *(DOCS / "guides" / f"{name}.md" for name in HOW_TOS)]


@pytest.mark.slow
def test_every_command_of_tutorial_and_how_tos_prints_what_they_say(tmp_path):
    said: list[str] = []
    assert follow(PAGES, tmp_path, write=False, tell=said.append) == 0, "\n".join(said)


def test_a_page_that_says_something_else_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ echo one; echo two\none\nthree\n$ NAME=four\n$ echo $NAME\nfour\n```\n", encoding="utf-8"
    )
    said: list[str] = []
    assert follow([page], tmp_path, write=False, tell=said.append) == 1
    assert said[0] == "page.md, line 2: $ echo one; echo two"
    assert follow([page], tmp_path, write=True, tell=said.append) == 1
    assert follow([page], tmp_path, write=False, tell=said.append) == 0


def test_an_id_of_the_page_stands_for_that_of_the_run(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ echo run: 00aa00aa00aa00aa | tr a b\nrun: 00aa00aa00aa00aa\n$ echo 00aa00aa00aa00aa | tr b c\n"
        "00cc00cc00cc00cc\n```\n",
        encoding="utf-8",
    )
    assert follow([page], tmp_path, write=False, tell=print) == 0
    assert comparable("at 2026-11-28T19:15:11+00:00, 3.5 s") == comparable("at 2027-01-02T03:04:05Z, 12 s")


def test_every_page_that_is_followed_has_commands_and_what_they_print():
    for page in PAGES:
        found = steps(page.read_text(encoding="utf-8"))
        assert sum(bool(step.expected) for step in found) > 1, page.name
        assert all("0000000000000000" not in step.command and "@" + "run@" not in step.command for step in found)


def test_lines_that_are_left_out_stand_for_any():
    assert agrees(["a", "[…]", "z"], ["a", "b", "z"]) and agrees(["[…]"], [])
    assert not agrees(["a", "[…]", "z"], ["a", "b"]) and not agrees(["a"], ["a", "b"])
    assert Step("x", [], 0, 0).expected == []
