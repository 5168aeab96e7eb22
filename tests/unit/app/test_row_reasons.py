"""Every reason why a row or a patient is left out has its French, and no French is of a reason that is gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from enclos.app.pages.row_reasons import FRENCH_ROW_REASONS, row_reason
from enclos.app.pages.words import Language
from enclos.intake.model import RejectReason

SOURCES = Path(__file__).resolve().parents[3] / "src" / "enclos"
NAMED_AT = {"Trap": 0, "_filtered": 0, "_rejected": 0, "drop": 1}
"""The calls that name a reason, each with the place of its name."""
GROUPS = {"group_1", "group_2", "linked", "multiple", "none"}
"""Of patients, as indirect linkage tells them (``IndirectReport.groups``)."""


def named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            at = NAMED_AT.get(getattr(node.func, "id", getattr(node.func, "attr", "")), len(node.args))
            yield from (each.value for each in node.args[at : at + 1] if isinstance(each, ast.Constant))


def test_every_reason_has_its_french() -> None:
    """A new one needs a line in src/enclos/app/pages/row_reasons.py."""
    traps = {name for path in (SOURCES / "warehouse").rglob("*.py") for name in named(path)}
    assert len(traps) > 20, "the calls that name a reason are called otherwise now"
    assert FRENCH_ROW_REASONS.keys() == traps | {reason.value for reason in RejectReason} | GROUPS


def test_a_reason_is_said_as_its_code_reads_in_english_and_where_it_has_no_french() -> None:
    assert row_reason("return_code", Language.EN) == "return code"
    assert row_reason("return_code", Language.FR) == "code retour en erreur"
    assert row_reason("not_yet_known", Language.FR) == "not yet known"
