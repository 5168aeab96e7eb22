"""Requests of people handed over to the process that has keys, by a socket of this account."""

from __future__ import annotations

import http.client
import socket
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HANDED_OVER = (
    "/sign-in", "/sign-out", "/me", "/research", "/applications", "/access", "/data", "/check", "/audit", "/api",
    "/openapi.json",
)  # fmt: skip
"""The paths, and what lies below them, that are not the public's."""
_MOST_AT_ONCE = 32
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
    """An application that asks the one behind the socket; a request goes over written anew, with listed headers."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._limit = CapacityLimiter(_MOST_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request over, and its answer back."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_REQUEST:
                await Response(status_code=413)(scope, receive, send)
                return
        path = scope.get("raw_path") or scope["path"].encode()
        target = path.decode("latin-1") + (f"?{request.url.query}" if request.url.query else "")
        ask = partial(self._ask, request.method, target, request.headers, bytes(body))
        answer = await to_thread.run_sync(ask, limiter=self._limit)
        await answer(scope, receive, send)

    def _ask(self, method: str, target: str, given: Headers, body: bytes) -> Response:
        connection = _Connection(self._place)
        try:
            headers = {name: given[name] for name in _HEADERS if name in given}
            connection.request(method, target, body or None, headers)
            told = connection.getresponse()
            content = told.read(_LARGEST_ANSWER + 1)
            if len(content) > _LARGEST_ANSWER:
                return Response(status_code=502)
            answer = Response(content, told.status)
            kept = [(name, value) for name, value in told.getheaders() if name.lower() not in _OF_THE_CONNECTION]
            answer.raw_headers = [
                *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in kept),
                (b"content-length", str(len(content)).encode()),
            ]
            answer.headers.setdefault("Cache-Control", "no-store")
        except (OSError, http.client.HTTPException, ValueError):
            return Response(status_code=502)
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
