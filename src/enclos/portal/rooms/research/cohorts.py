"""Cohorts of Circe definitions: looked at when they are sent, counted in the background, and saved if asked for."""

from __future__ import annotations

import json

from starlette.routing import Route

from enclos.app import cohorts
from enclos.app.pages.rooms.frame import said_of
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Answer, Asked, Desk, Go, Page, page_status
from enclos.portal.rooms.research.room import PERMIT, ROOM

_MOST_SHOWN = 10


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    place = f"{PERMIT}/cohorts"
    return [
        Route(place, desk.served(ROOM, _write)),
        Route(place, desk.served(ROOM, _sent), methods=["POST"]),
        Route(f"{place}/{{job}}", desk.served(ROOM, _counted)),
    ]


def _write(asked: Asked) -> Page:
    return _page(asked)


def _sent(asked: Asked) -> Answer:
    """Count what was sent, once nothing is wrong with it."""
    of, texts = {"permit": asked.path["permit"], "user": asked.user}, {asked.form["name"]: asked.form["text"]}
    more = asked.form.all("more")
    try:
        cohorts.check(asked.enclosure, **of, texts=texts)
        given = {"definitions": texts, "save": "save" in more, "inclusion": "inclusion" in more}
        job = asked.jobs.start(asked.enclosure, "cohort", given, **of, title=asked.form["name"])
    except Refusal as refused:
        return _page(asked, refused)
    return Go(f"/research/work/{job['job']}")


def _counted(asked: Asked) -> Page:
    permit = asked.path["permit"]
    found = json.loads(asked.jobs.result(asked.enclosure, asked.path["job"], asked.user))
    if found.get("permit") != permit or "cohorts" not in found:
        return Page("absent", "There is no such page", status=404)
    names = ", ".join(each["name"] for each in found["cohorts"])
    return Page("research_cohort", "Cohort {name}", {"permit": permit, "found": found}, {"name": names})


def _page(asked: Asked, refused: Refusal | None = None) -> Page:
    permit = asked.path["permit"]
    mine = asked.jobs.mine(asked.enclosure, asked.user)
    values = {
        "permit": permit,
        "name": asked.form["name"],
        "text": asked.form["text"],
        "chosen": asked.form.all("more"),
        "saved": cohorts.saved(asked.enclosure, permit=permit, user=asked.user),
        "counted": [job for job in mine if (job["work"], job["permit"]) == ("cohort", permit)][:_MOST_SHOWN],
        "said": said_of(refused) if refused else None,
    }
    return Page("research_cohorts", "Cohorts", values, status=page_status(refused) if refused else 200)
