"""Writing a study: checked at every pause, kept under its permit, and sent to run."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from starlette.routing import Route

from enclos.app import drafts
from enclos.app.pages.rooms.frame import said_of
from enclos.app.runs import list_runs, study_of
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Answer, Asked, Desk, File, Go, Page, page_status
from enclos.portal.rooms.research.room import PERMIT, ROOM, at
from enclos.studies.document import study_json_schema

_BEGUN = """\
study: my-study
cohorts:
  outcome: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
analyses:
  - incidence: {outcome: outcome, interval: [years, overall]}
"""


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    place = f"{PERMIT}/studies"
    return [
        Route("/research/study.schema.json", desk.served(ROOM, _schema)),
        Route(f"{place}/write", desk.served(ROOM, _write)),
        Route(f"{place}/write", desk.served(ROOM, _sent), methods=["POST"]),
        Route(f"{place}/write/check", desk.served(ROOM, _check), methods=["POST"]),
        Route(f"{place}/remove", desk.served(ROOM, _remove), methods=["POST"]),
    ]


def _schema(_asked: Asked) -> File:
    return File("study.schema.json", _schema_bytes(), "application/json", is_shown=True)


@cache
def _schema_bytes() -> bytes:
    """The schema as the editor's script reads it: without line breaks, half as long."""
    return json.dumps(study_json_schema(), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _write(asked: Asked) -> Page:
    """An empty study, one that was kept (``file``), that of a run (``run``), or what was written here."""
    of = _of(asked)
    name, text = "", _BEGUN
    if asked.form["text"]:
        name, text = asked.form["name"], asked.form["text"]
    elif asked.query.get("file"):
        found = drafts.show_one(asked.enclosure, **of, name=asked.query["file"])
        name, text = found["name"], found["text"]
    elif asked.query.get("run"):
        text = study_of(asked.enclosure, **of, run_id=asked.query["run"]).strip()
    return _editor(asked, name, text, drafts.check(asked.enclosure, **of, text=text))


def _check(asked: Asked) -> Page:
    """What is to be said of the study as it stands: the part of the editor's page that a script puts there."""
    found = drafts.check(asked.enclosure, **_of(asked), text=asked.form["text"])
    return _editor(asked, asked.form["name"], asked.form["text"], found)


def _sent(asked: Asked) -> Answer:
    """Keep the study, or run it; without a script also check it."""
    of, text, name, do = _of(asked), asked.form["text"], asked.form["name"], asked.form["do"]
    found = drafts.check(asked.enclosure, **of, text=text)
    try:
        if do == "keep":
            drafts.keep(asked.enclosure, **of, name=name or str(found.get("study", "")), text=text)
            return Go(at(of["permit"]))
        if do == "run" and found["is_valid"]:
            job = asked.jobs.start(asked.enclosure, "study", {"text": text}, **of, title=str(found["study"]))
            return Go(f"/research/work/{job['job']}")
    except Refusal as refused:
        return _editor(asked, name, text, found, refused)
    return _editor(asked, name, text, found)


def _remove(asked: Asked) -> Go:
    of = _of(asked)
    drafts.remove(asked.enclosure, **of, name=asked.form["file"])
    return Go(at(of["permit"]))


def _of(asked: Asked) -> dict[str, str]:
    return {"permit": asked.path["permit"], "user": asked.user}


def _editor(asked: Asked, name: str, text: str, found: dict[str, Any], refused: Refusal | None = None) -> Page:
    values = {
        "permit": asked.path["permit"],
        "name": name,
        "text": text,
        "found": found,
        "said": said_of(refused) if refused else None,
        "runs": list_runs(asked.enclosure, **_of(asked))[:10],
    }
    status = page_status(refused) if refused else 200
    return Page("research_study", "Write a study", values, status=status)
