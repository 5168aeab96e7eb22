"""A browser's answer taken on this machine, at an address that nobody else can be given (RFC 8252 § 7.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic
from urllib.parse import parse_qs, urlsplit

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_DONE = b"<!doctype html><html lang=en><meta charset=utf-8><title>Enclos</title><p>Go back to where you came from."
_PATH = "/answer"
_LONGEST_REQUEST = 5.0


class Loopback:
    """An address on this machine that waits for one answer."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.address = f"http://127.0.0.1:{server.server_port}{_PATH}"

    def wait(self, seconds: float) -> Mapping[str, str]:
        """What the browser brought: the first request to the address that brings a state; others are turned away.

        Refuses: SIGN_IN_ANSWER when nothing came in time.
        """
        until = monotonic() + seconds
        while self._server.answer is None:
            left = until - monotonic()
            if left <= 0:
                raise refusal(Code.SIGN_IN_ANSWER, "No answer came from the browser.", "Begin again, or use --device.")
            self._server.timeout = left
            self._server.handle_request()
        return self._server.answer


@contextmanager
def loopback() -> Iterator[Loopback]:
    """An address at a free port, until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        yield Loopback(server)


class _Server(HTTPServer):
    answer: Mapping[str, str] | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """A request that breaks off says nothing: its text is a stranger's."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _LONGEST_REQUEST

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        is_answer = parts.path == _PATH and "state" in asked and isinstance(self.server, _Server)
        if is_answer and isinstance(self.server, _Server):
            self.server.answer = asked
        content = _DONE if is_answer else b""
        self.send_response(200 if is_answer else 404)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", "default-src 'none'"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: the address holds the code of a sign-in."""
