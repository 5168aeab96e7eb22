"""The researcher's room, and where in it things are."""

from __future__ import annotations

from enclos.app.pages.rooms.words_research import FRENCH_RESEARCH
from enclos.portal.desk import Room
from enclos.signin.model import Role

ROOM = Room(
    "research",
    "Research",
    Role.RESEARCHER,
    [("/research", "My permits"), ("/research/work", "Running"), ("/research/releases", "Releases")],
    FRENCH_RESEARCH,
)
PERMIT = "/research/permits/{permit}"
GOES_ON = ("waiting", "running")
"""The states of work that is not over."""


def at(permit: str, *further: str) -> str:
    """The address of something of a permit."""
    return "/".join((PERMIT.format(permit=permit), *further))
