"""What a checker is served: what waits for their vote, and of one request the evidence, the numbers and the vote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.routing import Route

from enclos.app import looks, releases
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.words_check import FRENCH_CHECK
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Answer, Asked, Desk, Go, Page, Room, page_status
from enclos.portal.paging import shown
from enclos.signin.model import Role

ROOM = Room(
    "check",
    "Checking",
    Role.CHECKER,
    [("/check", "Queue"), ("/check/voted", "My votes"), ("/check/waits", "How long requests wait")],
    FRENCH_CHECK,
)
_LINES = 60
_LABELS = ("group_level", "strata_level", "variable_name", "variable_level", "additional_level")


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    return [
        Route("/check", desk.served(ROOM, _queue)),
        Route("/check/voted", desk.served(ROOM, _voted)),
        Route("/check/waits", desk.served(ROOM, _waits)),
        Route("/check/{request:str}", desk.served(ROOM, _request)),
        Route("/check/{request:str}/question", desk.served(ROOM, _ask), methods=["POST"]),
        Route("/check/{request:str}/vote", desk.served(ROOM, _vote), methods=["POST"]),
    ]


def _queue(asked: Asked) -> Page:
    queue = looks.queue(asked.enclosure, user=asked.user)
    return Page("check_queue", "Queue", {"queue": queue, "shown": shown(queue["waiting"], asked.query)})


def _voted(asked: Asked) -> Page:
    voted = looks.queue(asked.enclosure, user=asked.user)["voted"]
    return Page("check_voted", "My votes", {"shown": shown(voted, asked.query)})


def _waits(asked: Asked) -> Page:
    return Page("check_waits", "How long requests wait", {"queue": looks.queue(asked.enclosure, user=asked.user)})


def _request(asked: Asked, refused: Refusal | None = None) -> Page:
    """One request, by a look that the ledger tells of; after a try that was refused with what was refused."""
    found = looks.look(asked.enclosure, asked.path["request"], user=asked.user)
    lines = [{**line, "mark": mark} for line, mark in zip(found["lines"], found["marks"], strict=True)]
    types = list(dict.fromkeys(line["table"] for line in lines))
    chosen = asked.query.get("table", "")
    chosen = chosen if chosen in types else types[0] if types else ""
    lines = [line for line in lines if line["table"] == chosen]
    return Page(
        "check_request",
        "Request {request}",
        {
            "found": found,
            "types": types,
            "chosen": chosen,
            "labels": [name for name in _LABELS if name == _LABELS[0] or any(_says(line, name) for line in lines)],
            "titles": {each["table"]: each["title"] for each in found["tables"]},
            "shown": shown(lines, asked.query, _LINES),
            "refused": said_of(refused) if refused else None,
            "form": {name: asked.form[name] for name in ("vote", "reason", "text")},
        },
        {"request": found["request"]},
        200 if refused is None else page_status(refused),
    )


def _says(line: Mapping[str, Any], name: str) -> bool:
    """Whether a label of a line tells it from others: that of the whole says nothing."""
    return (line.get(name) or "overall") != "overall"


def _ask(asked: Asked) -> Answer:
    try:
        releases.ask(asked.enclosure, asked.path["request"], user=asked.user, text=asked.form["text"])
    except Refusal as refused:
        return _request(asked, refused)
    return Go(f"/check/{asked.path['request']}#questions")


def _vote(asked: Asked) -> Answer:
    """A vote on what the page showed: its hash comes along, and what changed since is not voted on."""
    request, vote = asked.path["request"], asked.form["vote"]
    if vote not in {"accept", "refuse"}:
        return _request(asked)
    try:
        releases.review(
            asked.enclosure,
            request,
            user=asked.user,
            accept=vote == "accept",
            reason=asked.form["reason"],
            content=asked.form["content"] or "nothing was shown",
        )
    except Refusal as refused:
        return _request(asked, refused)
    return Go(f"/check/{request}")
