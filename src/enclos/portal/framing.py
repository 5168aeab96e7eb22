"""What stands around a page of people, and the headers of every answer to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request

from enclos.app.pages.rooms.frame import Frame, Place
from enclos.app.pages.words import Words
from enclos.portal.opened import Opened
from enclos.portal.sessions import Session
from enclos.signin.model import Person, Role

SENT = "sent"
"""In an address: the page is to show what its form sent last."""


class Entered(Protocol):
    """What the navigation needs of a room."""

    @property
    def id(self) -> str:
        """The first part of its addresses."""

    @property
    def title(self) -> str:
        """Its title, in English."""

    @property
    def role(self) -> Role:
        """Whose it is."""

    @property
    def entries(self) -> Sequence[tuple[str, str]]:
        """Address and title of the pages that are named."""


def places_of(rooms: Sequence[Entered], person: Person, here: str, words: Callable[[str], str]) -> list[Place]:
    """Where a person may go: the rooms whose role they have, and the pages of the one that is open."""
    found = []
    for room in rooms:
        if person.has(room.role):
            is_here = here == f"/{room.id}" or here.startswith(f"/{room.id}/")
            nearest = max(
                (address for address, _ in room.entries if here == address or here.startswith(f"{address}/")),
                key=len,
                default="",
            )
            below = [Place(to, words(title), to == nearest) for to, title in room.entries] if is_here else []
            found.append(Place(room.entries[0][0], words(room.title), is_here, below))
    return found


def frame_of(
    request: Request,
    words: Words,
    name: str,
    here: str,
    session: Session | None,
    places: Callable[[Person], Sequence[Place]],
    *,
    is_sent: bool,
) -> Frame:
    """The frame of a page.

    In: name — the enclosure's; here — where the page is shown by GET; places — where a person may go from there;
        is_sent — whether the page answers a form, and its address is to show what was sent
    """
    dropped = {"lang", SENT} if request.method == "POST" else {"lang"}
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in dropped]
    query = urlencode([*kept, *([(SENT, "1")] if is_sent else [])])
    partial = is_partial(request)
    if session is None:
        return Frame(name, words, here, query, is_partial=partial)
    left, _ = session.left(datetime.now(UTC))
    return Frame(name, words, here, query, session.person, session.csrf, places(session.person), partial, left)


def name_of(opened: Opened) -> str:
    """The enclosure's name, also where it cannot be opened."""
    try:
        with opened.use() as (enclosure, _):
            return enclosure.settings.enclosure.name
    except Exception:  # noqa: BLE001 - the page that tells of a fault must not have it too
        return "Enclos"


def headers_of(opened: Opened) -> dict[str, str]:
    """The headers of every answer."""
    # a form's answer may lead to the provider, which browsers hold to the same list
    with_provider = ""
    try:
        with opened.use() as (enclosure, _):
            issuer = enclosure.settings.sign_in.issuer
            if issuer:
                parts = urlsplit(issuer)
                with_provider = f" {parts.scheme}://{parts.netloc}"
    except Exception:  # noqa: BLE001, S110 - as above; forms then lead here alone
        pass
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "object-src 'none'; "
            f"form-action 'self'{with_provider}; frame-ancestors 'none'; base-uri 'none'"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",  # with none at all, browsers hide from us too where a form came from
        "Vary": "Cookie, Accept-Language",
    }


def is_partial(request: Request) -> bool:
    """Whether a script of a page asks, which puts the answer into it."""
    return request.headers.get("hx-request") == "true"
