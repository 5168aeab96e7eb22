"""Long work in the background: how far it is, what came of it, and its end before its time."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from enclos.app.permits import active
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Asked, Desk, Go, Page
from enclos.portal.paging import shown
from enclos.portal.rooms.research.room import GOES_ON, ROOM, at

_WORKS = {"study", "rerun", "cohort", "dictionary", "sql-keep", "table"}
_RUNS = {"study", "rerun", "sql-keep", "table"}


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    one = "/research/work/{job}"
    return [
        Route("/research/work", desk.served(ROOM, _all)),
        Route(one, desk.served(ROOM, _one)),
        Route(f"{one}/cancel", desk.served(ROOM, _cancel), methods=["POST"]),
        Route(f"{one}/again", desk.served(ROOM, _again), methods=["POST"]),
    ]


def _all(asked: Asked) -> Page:
    mine = [each for each in asked.jobs.mine(asked.enclosure, asked.user) if each["work"] in _WORKS]
    running = [each for each in mine if each["state"] in GOES_ON]
    over = [each for each in mine if each["state"] not in GOES_ON]
    return Page("research_works", "Running", {"running": running, "shown": shown(over, asked.query)})


def _one(asked: Asked) -> Page | Go:
    """How far it is; a page that follows it is led on when it is over, and until then only what changes is put into it,
    so that who is on the way to a button by keyboard is not thrown back each second.
    """
    job = asked.jobs.show(asked.enclosure, asked.path["job"], asked.user)
    to = _result(asked, job)
    if asked.is_partial and job["state"] not in GOES_ON:
        return Go(to or f"/research/work/{job['job']}")
    values = {"job": job, "to": to, "goes_on": job["state"] in GOES_ON, "step": _said_step(asked, job)}
    return Page("research_work", "{title}", values, _named(job))


def _cancel(asked: Asked) -> Go:
    job = asked.jobs.cancel(asked.enclosure, asked.path["job"], asked.user)
    return Go(f"/research/work/{job['job']}")


def _again(asked: Asked) -> Go:
    job = asked.jobs.again(asked.enclosure, asked.path["job"], asked.user)
    return Go(f"/research/work/{job['job']}")


def _said_step(asked: Asked, job: dict[str, Any]) -> str:
    """What running work does now and how far it is, as its process tells it: a word of ours, then a name or nothing."""
    what, _, name = str(job.get("step", "")).partition(" ")
    note = str(job.get("note", ""))
    return " · ".join(each for each in (f"{asked.words(what)} {name}".strip(), asked.words(note)) if each)


def _named(job: dict[str, Any]) -> dict[str, object]:
    return {"title": job["title"] or job["work"]}


def _result(asked: Asked, job: dict[str, Any]) -> str:
    """Where what came of it is shown; empty where it has no page, or its permit does not show it now."""
    if job["state"] != "done" or not job["permit"]:
        return ""
    if job["work"] == "dictionary":
        return at(job["permit"], "data")
    if job["work"] == "cohort":
        return at(job["permit"], "cohorts", job["job"])
    if job["work"] not in _RUNS:
        return ""
    try:
        active(asked.enclosure, job["permit"], asked.user)
    except Refusal:
        return ""
    return at(job["permit"], "runs", job["run"]) if job["run"] else ""
