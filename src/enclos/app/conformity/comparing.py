"""Assessments read back: hosts side by side, and what changed between two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from enclos.conformity.document import read_assessment
from enclos.conformity.rules.comparing import changes_between, ranked, scores_between
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.files import write_atomically


def compare(files: Sequence[Path], *, picture: Path | None = None) -> dict[str, Any]:
    """Hosts side by side, catalogue by catalogue: above the floor first, then by share.

    In: files — assessments; picture — an SVG to write
    Out: hosts, rows (catalogue, host, rank, score, floor_reached, counts).
    Refuses: ASSESSMENT_FILE.
    """
    documents = [_read(file) for file in files]
    names = _names(files, documents)
    if picture is not None:
        from enclos.app.conformity.drawings import side_by_side

        write_atomically(picture, side_by_side(documents, names).encode("utf-8"), "a picture", mode=0o644)
    return {
        "hosts": [
            {"host": name, "enclosure": document["enclosure"], "assessed_at": document["assessed_at"]}
            for name, document in zip(names, documents, strict=True)
        ],
        "rows": ranked(documents, names),
        "picture": str(picture) if picture else None,
    }


def diff(before: Path, after: Path) -> dict[str, Any]:
    """What changed from one assessment to another.

    Out: scores, changes (by catalogue and number: verdicts and grounds before and after).
    Refuses: ASSESSMENT_FILE.
    """
    was, now = _read(before), _read(after)
    return {
        "before": {"enclosure": was["enclosure"], "assessed_at": was["assessed_at"]},
        "after": {"enclosure": now["enclosure"], "assessed_at": now["assessed_at"]},
        "scores": scores_between(was, now),
        "changes": changes_between(was, now),
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
    except OSError:
        raise refusal(Code.ASSESSMENT_FILE, f"{file.name} cannot be read.", "Name an assessment's file.") from None
    return read_assessment(file.name, content)


def _names(files: Sequence[Path], documents: Sequence[dict[str, Any]]) -> list[str]:
    """What each host is called: its enclosure's name, with the file's or a number where two have the same."""
    names = [str(document["enclosure"]) for document in documents]
    if len(set(names)) < len(names):
        names = [f"{name} ({file.stem})" for name, file in zip(names, files, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{name} {n}" for n, name in enumerate(names, 1)]
    return names
