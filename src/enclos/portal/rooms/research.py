"""What a researcher is served: their permits, and what they open."""

from __future__ import annotations

from starlette.routing import Route

from enclos.app.pages.rooms.saying import said_population
from enclos.app.pages.rooms.words_research import FRENCH_RESEARCH
from enclos.app.permits import own_permits
from enclos.portal.desk import Asked, Desk, Page, Room
from enclos.signin.model import Role

ROOM = Room("research", "Research", Role.RESEARCHER, [("/research", "My permits")], FRENCH_RESEARCH)


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    return [Route("/research", desk.served(ROOM, _permits))]


def _permits(asked: Asked) -> Page:
    permits = [
        {**each, "said_population": said_population(each["document"]["data"]["population"], asked.words)}
        for each in own_permits(asked.enclosure, asked.user)
    ]
    return Page("research_permits", "My permits", {"permits": permits})
