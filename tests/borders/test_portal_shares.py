"""However many of one person's requests take long, by whichever of their tokens, others are answered."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from enclos.portal.forwarding import ASKER
from enclos.portal.public import public_application

SECONDS = 30
_MANY = 40
"""More requests than all places."""


class Enclosure:
    """Answers as the process with keys does: whose a token is, and slowly what is asked for."""

    def __init__(self) -> None:
        self.go_on, self.n_inside = Event(), 0

    def application(self) -> Starlette:
        routes = [Route(ASKER, self._asker), Route("/api/slow", self._slow), Route("/sign-in", self._slow)]
        return Starlette(routes=[*routes, Route("/api/quick", lambda _: PlainTextResponse("quick"))])

    def _asker(self, request: Request) -> Response:
        name, _, which = request.headers["authorization"].removeprefix("Bearer ").partition("-")
        return PlainTextResponse(name) if which.isdigit() else Response(status_code=401)

    def _slow(self, _request: Request) -> Response:
        self.n_inside += 1
        self.go_on.wait(SECONDS)
        return PlainTextResponse("slow")

    def until(self, n_inside: int) -> None:
        end = time.monotonic() + SECONDS
        while self.n_inside < n_inside:
            assert time.monotonic() < end, self.n_inside
            time.sleep(0.02)


@pytest.fixture
def enclosure() -> Iterator[Enclosure]:
    made = Enclosure()
    yield made
    made.go_on.set()


@pytest.fixture
def root(tmp_path: Path, enclosure: Enclosure) -> Iterator[str]:
    place = tmp_path / "s"
    inner, outer = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
    inner.bind(str(place))
    inner.listen()
    public = public_application(tmp_path, tmp_path, over_tls=False, people=place)
    given = {"lifespan": "off", "log_config": None}
    servers = [uvicorn.Server(uvicorn.Config(each, **given)) for each in (enclosure.application(), public)]  # type: ignore[arg-type]
    threads = [
        Thread(target=server.run, kwargs={"sockets": [listening]})
        for server, listening in zip(servers, (inner, outer), strict=True)
    ]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{outer.getsockname()[1]}"
    enclosure.go_on.set()
    for server in servers:
        server.should_exit = True
    for thread in threads:
        thread.join()
    inner.close()
    outer.close()


def ask(root: str, path: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(root + path, headers=headers, timeout=SECONDS)


def test_one_person_s_slow_requests_leave_others_their_places(root: str, enclosure: Enclosure) -> None:
    with ThreadPoolExecutor(_MANY) as asking:
        slow = [asking.submit(ask, root, "/api/slow", f"alice-{number}") for number in range(_MANY)]
        enclosure.until(12)
        assert ask(root, "/api/quick", "bob-1").text == "quick"
        assert ask(root, "/api/quick", "carol-1").text == "quick"
        assert ask(root, "/api/quick", "").text == "quick", "also a stranger"
        assert enclosure.n_inside == 12, "of twenty-four places alice has those that she leaves free, by all her tokens"
        enclosure.go_on.set()
        assert {each.result().status_code for each in slow} == {200}, "the others waited for a place"


def test_strangers_who_take_all_their_places_leave_people_theirs(root: str, enclosure: Enclosure) -> None:
    with ThreadPoolExecutor(_MANY) as asking:
        for token in ("", "mallory", "bob-1"):
            ask(root, "/api/quick", token)
        slow = [asking.submit(ask, root, "/sign-in", f"mallory-{number}") for number in range(_MANY)]
        enclosure.until(4)
        assert ask(root, "/api/quick", "bob-1").text == "quick"
        assert enclosure.n_inside == 4, "of the eight places of strangers"
        enclosure.go_on.set()
        assert {each.result().status_code for each in slow} == {200}
