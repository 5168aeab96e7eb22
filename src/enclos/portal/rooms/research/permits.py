"""The researcher's permits: how long they last, what they open, what was done under them."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from enclos.app import drafts
from enclos.app.looks import list_own
from enclos.app.pages.rooms.saying import said_population
from enclos.app.permits import own_permits
from enclos.app.runs import list_runs
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.portal.desk import Asked, Desk, Page
from enclos.portal.paging import shown
from enclos.portal.rooms.research.room import PERMIT, ROOM


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    return [Route("/research", desk.served(ROOM, _permits)), Route(PERMIT, desk.served(ROOM, _permit))]


def _permits(asked: Asked) -> Page:
    return Page("research_permits", "My permits", {"permits": _own(asked)})


def _permit(asked: Asked) -> Page:
    permit = asked.path["permit"]
    found = next((each for each in _own(asked) if each["permit"] == permit), None)
    if found is None:
        raise refusal(Code.PERMIT_UNKNOWN, "No permit of this id lists you.", "See those that do.")
    values: dict[str, Any] = {"each": found, "runs": None, "files": (), "requests": ()}
    if found["is_in_force"] and found["is_user"]:
        of = {"permit": permit, "user": asked.user}
        values["runs"] = shown(list_runs(asked.enclosure, **of), asked.query)
        values["files"] = drafts.list_all(asked.enclosure, **of)
        values["requests"] = [row for row in list_own(asked.enclosure, asked.user) if row["permit"] == permit]
    return Page("research_permit", "Permit {permit}", values, {"permit": permit})


def _own(asked: Asked) -> list[dict[str, Any]]:
    return [
        {**each, "said_population": said_population(each["document"]["data"]["population"], asked.words)}
        for each in own_permits(asked.enclosure, asked.user)
    ]
