"""Every text of people's pages is said in French too, and no template says one past the words."""

from __future__ import annotations

import ast
import re
from importlib import import_module, resources
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

import enclos.portal.rooms
from enclos.app.pages.rooms.frame import template_text
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.words import _FRENCH

FOLDER = resources.files("enclos.app.pages.rooms")
TEMPLATES = sorted(each.name.removesuffix(".html.j2") for each in FOLDER.iterdir() if each.name.endswith(".html.j2"))
ROOMS = sorted(
    each.name.removeprefix("words_").removesuffix(".py") for each in FOLDER.iterdir() if each.name.startswith("words_")
)
LETTERS = re.compile(r"[A-Za-zÀ-ÿ]{2,}")


def french_of(template: str) -> dict[str, str]:
    """What the words of a template's room say in French; the room is the first part of the template's name."""
    room = template.partition("_")[0]
    return {**_FRENCH, **FRENCH_FRAME, **(table(room) if room in ROOMS else {})}


def table(room: str) -> dict[str, str]:
    module = import_module(f"enclos.app.pages.rooms.words_{room}")
    found: dict[str, str] = getattr(module, f"FRENCH_{room.upper()}")
    return found


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_nothing_that_is_not_said_in_french(template: str) -> None:
    tree = Environment(autoescape=True).parse(template_text(template))
    said = [
        call.args[0].value
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name)
        and call.node.name == "words"
        and call.args
        and isinstance(call.args[0], nodes.Const)
    ]
    assert [text for text in said if text not in french_of(template)] == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_writes_no_text_of_its_own(template: str) -> None:
    tree = Environment(autoescape=True).parse(template_text(template))
    written = "\x00".join(data.data for data in tree.find_all(nodes.TemplateData))
    texts = LETTERS.findall(re.sub(r"<[^<>]*>|[\w-]+=\"[^\"]*\"", "", written))
    assert set(texts) <= {"UTC"}


@pytest.mark.parametrize("room", [each for each in ROOMS if each != "frame"])
def test_titles_and_entries_of_a_room_are_said_in_french(room: str) -> None:
    source = Path(str(resources.files(enclos.portal.rooms))) / f"{room}.py"
    files = [source] if source.exists() else sorted(source.with_suffix("").glob("*.py"))
    known = {**_FRENCH, **FRENCH_FRAME, **table(room)}
    said = []
    for file in files:
        for call in (each for each in ast.walk(ast.parse(file.read_text())) if isinstance(each, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name == "Page" and len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
                said.append(call.args[1].value)
            if name == "words" and call.args and isinstance(call.args[0], ast.Constant):
                said.append(call.args[0].value)
    module = import_module(f"enclos.portal.rooms.{room}")
    said += [module.ROOM.title, *(title for _, title in module.ROOM.entries)]
    assert [text for text in said if text not in known] == []


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_said_in_french_keeps_its_values(room: str) -> None:
    values = re.compile(r"\{(\w*)\}")
    chosen_by = re.compile(r"\{(\w+):[^{}]*\|[^{}]*\}")
    for english, french in table(room).items():
        assert sorted(values.findall(english)) == sorted(values.findall(french)), english
        assert set(chosen_by.findall(french)) <= set(values.findall(english)), english
        assert french.strip(), english
