"""A network that fails: a proxy before a real S3 server, which does to each request what a test tells it."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from factories.s3_servers import S3Server

_OWN_HEADERS = {"transfer-encoding", "connection", "date", "server", "content-length"}


class Fault(Enum):
    """What can happen to a request."""

    NONE = "none"
    SLOW = "slow"
    """It arrives late."""
    THROTTLED = "429"
    BROKEN = "500"
    BUSY = "503"
    REFUSED = "reset before it arrives"
    LOST = "reset after it was carried out"
    CUT = "half of the answer's body"


@dataclass
class Network:
    """The proxy: what it does, and what it saw."""

    server: S3Server
    """The same server, seen through the proxy."""
    plan: Callable[[str, str, int], Fault] = lambda *_: Fault.NONE
    """By method, path with query, and number of the request from 1."""
    seen: Counter[Fault] = field(default_factory=Counter)
    requests: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, method: str, path: str) -> Fault:
        """What happens to this request."""
        with self.lock:
            self.requests.append(f"{method} {path}")
            fault = self.plan(method, path, len(self.requests))
            self.seen[fault] += 1
            return fault


class _Handler(BaseHTTPRequestHandler):
    network: Network
    host: str
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.network.next(self.command, self.path)
        if fault is Fault.SLOW:
            time.sleep(0.2)
        if fault in {Fault.THROTTLED, Fault.BROKEN, Fault.BUSY}:
            self.answer(int(fault.value), [], b"", fault)
        elif fault is Fault.REFUSED:
            self.close_connection = True
        else:
            self.forward(body, fault)

    def forward(self, body: bytes, fault: Fault) -> None:
        with closing(http.client.HTTPConnection(self.host, timeout=30)) as behind:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            behind.request(self.command, self.path, body=body, headers=headers)
            with behind.getresponse() as answer:
                content = answer.read()
        if fault is Fault.LOST:
            self.close_connection = True
        else:
            self.answer(answer.status, answer.getheaders(), content, fault)

    def answer(self, status: int, headers: list[tuple[str, str]], content: bytes, fault: Fault) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _OWN_HEADERS or (self.command == "HEAD" and name.lower() == "content-length"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault is Fault.CUT:
            content, self.close_connection = content[: len(content) // 2], True
        with suppress(ConnectionError):
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = pass_on  # noqa: N815 - the library's names


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what these tests are about."""


@contextmanager
def failing_network(server: S3Server, tls: ssl.SSLContext | None = None) -> Iterator[Network]:
    """A proxy before the server, while the block runs; over TLS where it is given a certificate."""
    network = Network(server)
    handler = type("Handler", (_Handler,), {"network": network, "host": urlsplit(server.endpoint).netloc})
    with _Quiet(("127.0.0.1", 0), handler) as proxy:
        if tls:
            proxy.socket = tls.wrap_socket(proxy.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https" if tls else "http"
        network.server = replace(server, endpoint=f"{scheme}://127.0.0.1:{proxy.server_address[1]}")
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield network
        finally:
            proxy.shutdown()
            thread.join()
