"""Asking for a result to leave: what would be answered, the request, its questions, votes and package."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from enclos.app import looks, releases
from enclos.app.pages.rooms.frame import said_of
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Answer, Asked, Desk, File, Go, Page, page_status
from enclos.portal.paging import shown
from enclos.portal.rooms.research.room import PERMIT, ROOM


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    asking, one = f"{PERMIT}/runs/{{run}}/release", "/research/releases/{request}"
    return [
        Route(asking, desk.served(ROOM, _ask)),
        Route(asking, desk.served(ROOM, _asked), methods=["POST"]),
        Route("/research/releases", desk.served(ROOM, _all)),
        Route(one, desk.served(ROOM, _one)),
        Route(f"{one}/answer", desk.served(ROOM, _answer), methods=["POST"]),
        Route(f"{one}/package", desk.served(ROOM, _package), methods=["POST"]),
    ]


def _ask(asked: Asked) -> Page:
    return _form(asked, None)


def _asked(asked: Asked) -> Answer:
    """Check what would be answered, or ask; both look at the persons behind every number, so that they take seconds."""
    of = {"permit": asked.path["permit"], "user": asked.user, "run": asked.path["run"]}
    tables = asked.form.all("tables")
    if not tables:  # of none that is named the whole run would be asked for
        return _form(asked, None, lacking=asked.words("Choose one at least."))
    try:
        if asked.form["do"] == "ask":
            made = releases.request(asked.enclosure, **of, purpose=asked.form["purpose"], tables=tables)
            return Go(f"/research/releases/{made['request']}")
        return _form(asked, releases.check(asked.enclosure, **of, tables=tables))
    except Refusal as refused:
        return _form(asked, None, refused)


def _form(asked: Asked, found: dict[str, Any] | None, refused: Refusal | None = None, lacking: str = "") -> Page:
    run = looks.run_of(asked.enclosure, permit=asked.path["permit"], user=asked.user, run=asked.path["run"])
    values = {
        "permit": asked.path["permit"],
        "run": run,
        "found": found,
        "options": [(each["table"], asked.words(each["title"])) for each in run["tables"]],
        "chosen": asked.form.all("tables") or ([] if lacking else [each["table"] for each in run["tables"]]),
        "lacking": lacking,
        "purpose": asked.form["purpose"],
        "said": said_of(refused) if refused else None,
    }
    status = page_status(refused) if refused else 422 if lacking else 200
    return Page("research_release", "Ask for release: {study}", values, {"study": run["study"]}, status)


def _all(asked: Asked) -> Page:
    return Page(
        "research_requests", "Releases", {"shown": shown(looks.list_own(asked.enclosure, asked.user), asked.query)}
    )


def _one(asked: Asked) -> Page:
    return _request(asked, None)


def _answer(asked: Asked) -> Answer:
    number = asked.form["question"]
    try:
        looks.show_own(asked.enclosure, asked.path["request"], user=asked.user)
        releases.answer(
            asked.enclosure,
            asked.path["request"],
            int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 0,
            user=asked.user,
            text=asked.form["text"],
        )
    except Refusal as refused:
        return _request(asked, refused)
    return Go(f"/research/releases/{asked.path['request']}")


def _package(asked: Asked) -> Answer:
    try:
        content = releases.package_of(asked.enclosure, asked.path["request"], user=asked.user)
    except Refusal as refused:
        return _request(asked, refused)
    return File(f"{asked.path['request']}.zip", content, "application/zip")


def _request(asked: Asked, refused: Refusal | None) -> Page:
    found = looks.show_own(asked.enclosure, asked.path["request"], user=asked.user)
    values = {"request": found, "said": said_of(refused) if refused else None}
    values["taken"] = looks.taken(asked.enclosure, found["request"], user=asked.user)
    values["form"] = {name: asked.form[name] for name in ("question", "text")}
    status = page_status(refused) if refused else 200
    return Page("research_request", "Request {request}", values, {"request": found["request"]}, status)
