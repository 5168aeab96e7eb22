"""What a storage answers when it is full or the clocks differ, and what is said of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.objects import S3Credentials, S3Objects, S3Place


@contextmanager
def answering(status: int, code: str) -> Iterator[S3Objects]:
    """A bucket of a server that gives everybody this answer."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>of the host</Message></Error>".encode()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        place = S3Place.from_url(f"s3://bucket/lake?endpoint=http://127.0.0.1:{server.server_port}")
        yield S3Objects(place, S3Credentials("id", "secret"))
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "said", "code", "words"),
    [
        (403, "QuotaExceeded", Code.STORAGE_FULL, "no room"),
        (507, "InsufficientStorage", Code.STORAGE_FULL, "no room"),
        (403, "RequestTimeTooSkewed", Code.STORAGE_CREDENTIALS, "clock"),
        (403, "AccessDenied", Code.STORAGE_CREDENTIALS, "credentials"),
    ],
)
def test_a_full_storage_and_a_wrong_clock_are_called_so(status, said, code, words):
    with answering(status, said) as objects, pytest.raises(Refusal) as caught:
        objects.put("x", b"content")
    assert caught.value.code is code and words in str(caught.value) and "of the host" not in str(caught.value)
