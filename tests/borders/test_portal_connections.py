"""Nobody's address takes the places of all readers, and who asks nothing is left."""

from __future__ import annotations

import http.client
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from enclos.app.faults import tell_faults_of
from enclos.app.whence import place_of
from enclos.portal.connections import Connection


class Few(Connection):
    n_places = 8
    seconds_to_begin = 0.5
    seconds_to_say = 1.0
    seconds_for_all = 60


async def _said(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def _broken(_request: Request) -> Response:
    raise ValueError("CANARY")


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for name in ("uvicorn", "asyncio"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    tell_faults_of("public", "uvicorn", "asyncio")
    pages = Starlette(routes=[Route("/", _said, methods=["GET", "POST"]), Route("/broken", _broken)])
    config = uvicorn.Config(pages, http=Few, ws="none", lifespan="off", log_config=None, limit_concurrency=9)
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def opened(port: int, source: str = "127.0.0.1") -> socket.socket:
    """A connection from an address of this machine."""
    found = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))
    found.settimeout(10)
    return found


def status(port: int, source: str = "127.0.0.1") -> int:
    with opened(port, source) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = http.client.HTTPResponse(line)
        answer.begin()
        answer.read()
        return answer.status


def test_one_address_has_half_of_the_places_and_others_have_theirs(port: int) -> None:
    held = []
    for _ in range(4):
        held.append(opened(port))
        held[-1].sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    assert status(port) == 503
    assert status(port, "127.0.0.2") == 200
    held += [opened(port, "127.0.0.2") for _ in range(2)]
    assert status(port, "127.0.0.2") == 503, "a second one has half of the rest"
    assert status(port, "127.0.0.3") == 200
    for each in held:
        each.close()
    end = time.monotonic() + 10
    while status(port) != 200:
        assert time.monotonic() < end


def test_who_asks_nothing_or_half_is_left_in_time(port: int) -> None:
    silent, half, slow = (opened(port) for _ in range(3))
    half.sendall(b"GET / HTTP/1.1\r\nHost:")
    slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12345678")
    started = time.monotonic()
    for each in (silent, half, slow):
        with suppress(ConnectionResetError):
            assert each.recv(100) == b""
        each.close()
    assert time.monotonic() - started < 5
    assert status(port) == 200


def test_a_fault_is_told_by_its_kind_and_what_was_asked_by_nobody(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    for sent in (
        *(b"CANARY\r\n\r\n", b"GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: CANARY\r\n\r\n",
    ):
        with opened(port) as line:
            line.sendall(sent)
            while line.recv(1000):
                pass
    said = capfd.readouterr().err
    assert said.startswith("public: ValueError at ")
    assert said.count("\n") == 1
    assert "CANARY" not in said


def test_a_place_is_an_address_or_a_network_that_one_machine_may_have() -> None:
    assert place_of("192.0.2.1") == place_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert place_of("2001:db8:0:1::5") == place_of("2001:db8:0:1:a::%eth0") == "2001:db8:0:1::"
    assert place_of("2001:db8:0:2::5") != place_of("2001:db8:0:1::5")
    assert place_of("") == ""
