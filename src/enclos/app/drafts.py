"""Study files while they are written: checked without being run, and kept under their permit for all of its users."""

from __future__ import annotations

import re
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.permits import active, permit_key
from enclos.app.studies import stays_inside
from enclos.ledger.model import Action
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.cohort_file import CohortFile
from enclos.stores.study_files import StudyFiles
from enclos.studies.document import study_from_yaml, with_saved
from enclos.studies.protocol import words_of
from enclos.studies.steps import columns_read
from enclos.views.rules import check_granted, may_see_rows_read

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")
_FAULT = re.compile(r"line (\d+)(?:, ([^:;]*))?:? (.*?)(?=; line \d+|\.?$)", re.DOTALL)
_MOST_LETTERS = 400_000


def check(enclosure: Enclosure, *, permit: str, user: str, text: str) -> dict[str, Any]:
    """What is to be said of a study before it is run; nothing is read of the data, nothing is kept.

    Out: is_valid; study, cohorts and analyses (number, title) of one that is; shown, whole or releasable; stays_inside
         as ``run`` gives it; code and faults (line or None, where, what) of one that is not, and next, what to do
    Refuses: what permits refuse of the user.
    """
    signed = active(enclosure, permit, user)
    secret = enclosure.keys.secret(permit_key(permit))
    try:
        study = study_from_yaml(with_saved(text, CohortFile(enclosure.paths.permits / permit, secret).definition))
        needs = columns_read(study)
        check_granted(signed.permit.terms, needs)
    except Refusal as refused:
        return {"is_valid": False, "code": refused.code.id, "faults": _faults(refused), "next": refused.next_step}
    return {
        "is_valid": True,
        "study": study.name,
        "cohorts": [cohort.name for cohort in study.cohorts],
        "analyses": [
            {"analysis": number, "title": words_of(each).title} for number, each in enumerate(study.analyses, start=1)
        ],
        "shown": "whole" if may_see_rows_read(signed.permit.terms, needs) else "releasable",
        "stays_inside": stays_inside(study),
    }


def keep(enclosure: Enclosure, *, permit: str, user: str, name: str, text: str) -> dict[str, Any]:
    """Keep a study file under a permit, valid or not, in the place of the one of that name.

    Refuses: what permits refuse of the user; STUDY_UNREADABLE for a name or a length that no study has.
    """
    if not _NAME.fullmatch(name) or len(text) > _MOST_LETTERS:
        raise refusal(
            Code.STUDY_UNREADABLE,
            "A study file has a name of letters, digits, dots, hyphens and underscores, and is not longer than a book.",
            "Give it such a name.",
        )
    facts = {"what": "keep", "study": sha256_hex(text.encode("utf-8"))}
    with enclosure.ledger.intent(Action.STUDY, user, permit, facts):
        files = _files(enclosure, permit, user)
        document = {"name": name, "text": text, "user": user, "at": enclosure.ledger.now().isoformat()}
        files.keep(name, document)
    return document


def list_all(enclosure: Enclosure, *, permit: str, user: str) -> list[dict[str, Any]]:
    """The study files of a permit, the newest first: name, user, at.

    Refuses: what permits refuse of the user.
    """
    found = sorted(_files(enclosure, permit, user).all(), key=lambda each: str(each["at"]), reverse=True)
    return [{key: each[key] for key in ("name", "user", "at")} for each in found]


def show_one(enclosure: Enclosure, *, permit: str, user: str, name: str) -> dict[str, Any]:
    """One study file: name, text, user, at.

    Refuses: what permits refuse of the user; RUN_UNKNOWN when there is none of that name.
    """
    found = _files(enclosure, permit, user).read(name)
    if found is None:
        raise refusal(Code.RUN_UNKNOWN, "No study file of this name is kept under this permit.", "See those that are.")
    return found


def remove(enclosure: Enclosure, *, permit: str, user: str, name: str) -> None:
    """Remove a study file.

    Refuses: what permits refuse of the user.
    """
    with enclosure.ledger.intent(Action.STUDY, user, permit, {"what": "remove"}):
        _files(enclosure, permit, user).remove(name)


def _files(enclosure: Enclosure, permit: str, user: str) -> StudyFiles:
    active(enclosure, permit, user)
    return StudyFiles(enclosure.paths.permits / permit, enclosure.keys.secret(permit_key(permit)))


def _faults(refused: Refusal) -> list[dict[str, Any]]:
    """The faults that a refusal names, each with its line; the refusal itself where it names none."""
    found = [
        {"line": int(line), "where": where or "", "what": what.rstrip(".")}
        for line, where, what in _FAULT.findall(refused.what)
    ]
    return found or [{"line": None, "where": "", "what": refused.what}]
