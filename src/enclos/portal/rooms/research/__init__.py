"""What a researcher is served: their permits, their studies and runs, and what they asked to leave."""

from __future__ import annotations

from starlette.routing import Route

from enclos.portal.desk import Desk
from enclos.portal.rooms.research import data, permits, releases, results, studies, work
from enclos.portal.rooms.research.room import ROOM

__all__ = ["ROOM", "routes"]


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    return [route for each in (permits, data, studies, work, results, releases) for route in each.routes(desk)]
