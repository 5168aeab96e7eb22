"""Requests of people handed over to the process that has keys, by a socket of this account."""

from __future__ import annotations

import http.client
import socket
from collections import OrderedDict
from functools import partial
from hashlib import sha256
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from enclos.app.whence import place_of
from enclos.portal.shares import Shares, TooManyWait
from enclos.portal.unserved import Unserved

HANDED_OVER = (
    "/sign-in", "/sign-out", "/me", "/research", "/applications", "/access", "/data", "/check", "/audit", "/api",
    "/openapi.json",
)  # fmt: skip
"""The paths, and what lies below them, that are not the public's."""
ASKER = "/asker"
"""Where whose a request is is asked; no request of the public's is handed over to it."""
_OF_PEOPLE, _OF_STRANGERS = 24, 8
"""Requests at once: of who is signed in, and of all others."""
_MOST_KNOWN = 10_000
_LARGEST_REQUEST, _LARGEST_ANSWER = 1 << 20, 32 << 20
_SECONDS = 60
_HEADERS = (
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "cookie",
    "hx-request",
    "idempotency-key",
    "origin",
)
_OF_THE_CONNECTION = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}


class Forwarding:
    """An application that asks the one behind the socket; a request goes over written anew, with listed headers.

    So many go over at once: those of each person, by whichever of their tokens and sessions, in a share of the places
    that leaves others theirs (``shares.py``); who signs in, and whom nobody knows, by their addresses in places apart.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._limit = CapacityLimiter(_OF_PEOPLE + _OF_STRANGERS)
        self._people, self._strangers = Shares(_OF_PEOPLE), Shares(_OF_STRANGERS)
        self._known: OrderedDict[bytes, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request over, and its answer back."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_REQUEST:
                await Unserved.REQUEST_TOO_LARGE.answer(request)(scope, receive, send)
                return
        path = scope.get("raw_path") or scope["path"].encode()
        target = path.decode("latin-1") + (f"?{request.url.query}" if request.url.query else "")
        headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
        try:
            shares, asker = await self._share_of(request)
            async with shares.place(asker):
                answer = await self._asked(request.method, target, headers, bytes(body))
        except TooManyWait:
            answer = Unserved.TOO_MANY
        told = answer.answer(request) if isinstance(answer, Unserved) else answer
        await told(scope, receive, send)

    async def _share_of(self, request: Request) -> tuple[Shares, str]:
        """Among whom a request has its place, and by which name. Raises: TooManyWait."""
        address, path = place_of(request.client.host if request.client else ""), request.url.path
        name = "authorization" if path.startswith("/api/") else "cookie"
        shown = "" if path.startswith("/sign-in") else request.headers.get(name, "")
        if not shown:
            return self._strangers, address
        digest = sha256(f"{name}: {shown}".encode()).digest()
        if digest not in self._known:
            async with self._strangers.place(address):
                told = await self._asked("GET", ASKER, {name: shown}, b"")
            if isinstance(told, Unserved) or told.status_code != 200:
                return self._strangers, address
            self._known[digest] = bytes(told.body).decode("ascii")
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        self._known.move_to_end(digest)
        return self._people, self._known[digest]

    async def _asked(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response | Unserved:
        return await to_thread.run_sync(partial(self._ask, method, target, headers, body), limiter=self._limit)

    def _ask(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response | Unserved:
        connection = _Connection(self._place)
        try:
            connection.request(method, target, body or None, headers)
            told = connection.getresponse()
            content = told.read(_LARGEST_ANSWER + 1)
            if len(content) > _LARGEST_ANSWER:
                return Unserved.ANSWER_TOO_LARGE
            answer = Response(content, told.status)
            kept = [(name, value) for name, value in told.getheaders() if name.lower() not in _OF_THE_CONNECTION]
            answer.raw_headers = [
                *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in kept),
                (b"content-length", str(len(content)).encode()),
            ]
            answer.headers.setdefault("Cache-Control", "no-store")
        except TimeoutError:
            return Unserved.TOO_LONG
        except (OSError, http.client.HTTPException, ValueError):
            return Unserved.NOT_ANSWERED
        else:
            return answer
        finally:
            connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, place: Path) -> None:
        super().__init__("people", timeout=_SECONDS)
        self._place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(str(self._place))
