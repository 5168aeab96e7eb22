"""What a researcher is served: their permits, their studies and runs, and what they asked to leave."""

from __future__ import annotations

from starlette.routing import Route

from enclos.portal.desk import Desk
from enclos.portal.rooms.research import cohorts, data, permits, releases, results, sql, studies, work
from enclos.portal.rooms.research.room import ROOM

__all__ = ["ROOM", "routes"]


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    parts = (permits, data, studies, sql, cohorts, work, results, releases)
    return [route for each in parts for route in each.routes(desk)]
