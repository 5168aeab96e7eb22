"""What a page says to do next can be done on a page: no command, no address of programs, no file that nobody serves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from enclos.app.pages.cases import case_in_french, french_cases
from enclos.app.pages.refusals import french_refusals
from enclos.app.pages.rooms.frame import Frame, said_of
from enclos.app.pages.rooms.in_portal import in_portal
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.words import Language, Words
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

SOURCES = Path(__file__).resolve().parents[3] / "src" / "enclos"
ELSEWHERE = re.compile(r"\benclos [a-z]+ |`enclos|--[a-z]|/api/|docs/|\bDIR\b|enclos\.toml")


def next_steps() -> list[tuple[Code, str]]:
    """Every next step that a refusal of this package is made with, by its code, where both are written out."""
    found = []
    for path in SOURCES.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "refusal" and len(call.args) == 3:
                code, _, step = call.args
                if isinstance(code, ast.Attribute) and hasattr(Code, code.attr) and isinstance(step, ast.Constant):
                    found.append((Code[code.attr], str(step.value)))
    return found


def test_no_next_step_of_a_page_names_what_a_page_does_not_have() -> None:
    steps = next_steps()
    assert sum(bool(ELSEWHERE.search(step)) for _, step in steps) > 50, "that is what the command line says"
    said = {in_portal(said_of(refusal(code, "No.", step)))["next"] for code, step in steps}
    assert [step for step in said if ELSEWHERE.search(step)] == []


@pytest.mark.parametrize("code", Code)
def test_what_is_next_by_a_rule_is_said_in_french_too(code: Code) -> None:
    step = in_portal(said_of(refusal(code, "No.", "Look: enclos some command DIR.")))["next"]
    assert step
    assert case_in_french(step) not in {None, step}


def test_french_says_no_command_either() -> None:
    shown = {in_portal({"code": "", "what": "", "next": step, "rule": ""})["next"] for step, _ in french_cases()}
    said = [case_in_french(step) or "" for step in shown] + [told.next for told in french_refusals().values()]
    assert [step for step in said if ELSEWHERE.search(step) and "enclos.toml" not in step] == []


@pytest.mark.parametrize("language", Language)
def test_a_page_says_its_own_next_step_and_no_source_that_it_cannot_show(language: Language) -> None:
    said = said_of(
        refusal(
            Code.RELEASE_UNKNOWN, "No request of this id is of your permits.", "List them: enclos release list DIR."
        )
    )
    page = Frame("home", Words(language, FRENCH_FRAME), "/check/x").page("refused", "Refused", {"refused": said})
    assert "enclos release" not in page
    assert "design §" not in page
    here = {"en": "See the requests that are listed.", "fr": "Voyez les demandes de la liste."}[language.value]
    assert here in page
