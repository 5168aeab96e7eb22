"""What is written of an assessment: itself, a page, a table, OSCAL."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enclos.app.conformity.page import assessment_page
from enclos.conformity.model import Assessment
from enclos.conformity.rules.oscal import oscal_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.files import fill_folder, is_free_or, replaced_folder

ASSESSMENT_FILE = "assessment.json"
_COLUMNS = ("catalogue", "id", "title", "paraphrase", "need", "weight", "verdict", "rests_on", "why", "contradicted")


def write_assessment(files: Mapping[str, bytes], out: Path) -> None:
    """Put the folder of an assessment in the place of an earlier one, whole.

    Refuses: CONFORMITY_PLACE when something else lies there.
    """
    if not is_free_or(out, ASSESSMENT_FILE):
        raise refusal(
            Code.CONFORMITY_PLACE, "There is something else where the assessment would go.", "Name a new folder."
        )
    with replaced_folder(out, "an assessment") as folder:
        fill_folder(folder, files)


def files_of(assessment: Assessment, document: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of an assessment by their places."""
    files = {
        ASSESSMENT_FILE: _json(document),
        "report.html": assessment_page(document).encode("utf-8"),
        "report.csv": table_of(document).encode("utf-8"),
    }
    return files | {f"oscal/{name}": _json(each) for name, each in oscal_of(assessment).items()}


def table_of(document: Mapping[str, Any]) -> str:
    """Every requirement as a line of CSV; a cell never begins a formula of a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in document["catalogues"]:
        for each in one["requirements"]:
            values = {**each, "catalogue": one["id"], "contradicted": " ".join(each["contradicted"])}
            writer.writerow([_harmless(str(values[name])) for name in _COLUMNS])
    return text.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
