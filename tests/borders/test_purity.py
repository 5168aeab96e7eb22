"""What import contracts cannot see: clocks, randomness, open files and asserts in pure places."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "enclos"
PURE_STEMS = {"model", "rules", "plans"}
PURE_ROOMS = {"lexicon", "contracts"}
ROOMS = {"ledger", "intake", "linkage", "pseudonyms", "warehouse", "permits", "views", "studies", "release"}
FORBIDDEN_CALLS = {"now", "today", "utcnow", "urandom", "open", "print", "exec", "eval", "input", "mkdir", "unlink"}
DOORS = {"execute", "connect"}


def pure_files() -> list[Path]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        in_pure_folder = any(part in PURE_STEMS for part in parts) or path.stem in PURE_STEMS
        if parts[0] in PURE_ROOMS or (parts[0] in ROOMS and in_pure_folder):
            found.append(path)
    return found


def called_names(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                names.add(node.func.id)
            elif isinstance(node.func, ast.Attribute):
                names.add(node.func.attr)
    return names


def test_there_are_pure_files_to_look_at():
    rooms = {path.relative_to(SOURCE).parts[0] for path in pure_files()}
    assert rooms >= PURE_ROOMS | {"ledger", "permits", "studies", "warehouse", "release", "linkage"}


@pytest.mark.parametrize("path", pure_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_pure_file_has_no_clock_no_randomness_and_opens_nothing(path):
    calls = called_names(ast.parse(path.read_text(encoding="utf-8")))
    assert not calls & (FORBIDDEN_CALLS | DOORS)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_rule_that_protects_people_is_an_assert(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize(
    "room", sorted(ROOMS | PURE_ROOMS | {"stores", "app", "portal", "gateway", "cli", "synthetic"})
)
def test_every_room_has_its_card(room):
    doc = ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    heads = [line.split(":", 1)[0] for line in doc.splitlines()]
    assert [head for head in heads if head in {"Promise", "Reads, Writes", "Never", "Start"}] == [
        "Promise",
        "Reads, Writes",
        "Never",
        "Start",
    ]
