"""A portal that answers over real HTTP, and browsers of people who are signed in to it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from enclos.app.sign_in import token_for
from enclos.portal.assets import ASSETS
from enclos.portal.opened import Opened
from enclos.portal.people import People
from enclos.signin.model import Role
from factories.enclosure import PASSPHRASE, open_home
from factories.people import NOW, person

SECONDS = 60
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Browser:
    """One person's browser. It sends forms as a browser does: from a page that it has open, with its mark."""

    root: str
    session: requests.Session
    opened: str = field(default="", repr=False)

    def get(self, path: str, language: str = "en", **headers: str) -> requests.Response:
        """Open a page."""
        given = {"Accept-Language": language, **headers}
        answer = self.session.get(self.root + path, headers=given, allow_redirects=False, timeout=SECONDS)
        self.opened = answer.text if "text/html" in answer.headers.get("content-type", "") else self.opened
        return answer

    def post(self, path: str, fields: Mapping[str, Any], **headers: str) -> requests.Response:
        """Send a form of the page that is open."""
        mark = (_CSRF.findall(self.opened) or [""])[0]
        given = {"Origin": self.root, "Accept-Language": "en", **headers}
        return self.session.post(
            self.root + path, {"csrf": mark, **fields}, headers=given, allow_redirects=False, timeout=SECONDS
        )

    def reviewed(self, path: str, fields: Mapping[str, Any]) -> requests.Response:
        """Ask for a review of the ledger and wait for its page."""
        self.get(path)
        way = self.post(path, fields).headers["location"]
        end = time.monotonic() + SECONDS
        while "The ledger is being read." in (page := self.get(way)).text:
            assert time.monotonic() < end
            time.sleep(0.1)
        return page


@dataclass
class Portal:
    """What answers, and a way in past the sign-in."""

    root: str
    home: Path
    people: People = field(repr=False)

    def browser(self, who: str, *roles: Role) -> Browser:
        """A browser in which somebody signed in a moment ago, by the provider that the settings name."""
        session = requests.Session()
        session.cookies.set("enclos", self.cookie(who, *roles), domain="127.0.0.1")
        return Browser(self.root, session)

    def cookie(self, who: str, *roles: Role) -> str:
        """What such a browser brings."""
        now = datetime.now(UTC)
        with open_home(self.home) as enclosure:
            given = {"provider": enclosure.settings.sign_in.issuer or "", "roles": frozenset(roles), "name": ""}
            ends = now + (person().expires_at - NOW)
            made = replace(person(subject=who), **given, authenticated_at=now, expires_at=ends, token=f"of-{who}")
            token = token_for(enclosure, made)
        return self.people.enter(made, token)


def _with_assets(people: People) -> ASGIApp:
    assets, pages = Starlette(routes=[ASSETS]), people.application()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await (assets if scope["path"].startswith("/assets/") else pages)(scope, receive, send)

    return serve


def name_provider(home: Path) -> None:
    """Give an enclosure's settings a provider that nobody asks."""
    path = home / "enclos.toml"
    text = path.read_text()
    section = '[sign_in]\nissuer = "http://127.0.0.1:9"\nclient = "portal"\n'
    path.write_text(text[: text.index("[sign_in]")] + section)


@contextmanager
def portal_of(home: Path) -> Iterator[Portal]:
    """Serve an enclosure's pages on loopback; its settings are given a provider that nobody asks."""
    name_provider(home)
    with served_pages(home, socket.create_server(("127.0.0.1", 0))) as portal:
        yield portal


@contextmanager
def served_pages(home: Path, listening: socket.socket) -> Iterator[Portal]:
    """Serve an enclosure's pages, by the provider of its settings."""
    opened = Opened(home, PASSPHRASE)
    root = f"http://127.0.0.1:{listening.getsockname()[1]}"
    people = People(opened, root)
    server = uvicorn.Server(uvicorn.Config(_with_assets(people), lifespan="off", log_config=None))
    answering = Thread(target=server.run, kwargs={"sockets": [listening]})
    answering.start()
    try:
        yield Portal(root, home, people)
    finally:
        server.should_exit = True
        answering.join()
        opened.close()
        listening.close()
