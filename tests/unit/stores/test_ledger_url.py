"""A ledger under a web address."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.ledger_url import LedgerUrl


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/here/checkpoint":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a checkpoint")
        elif self.path == "/led/checkpoint":
            self.send_response(302)
            self.send_header("Location", "/here/checkpoint")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def root() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_that_leads_elsewhere_is_not_followed(root: str) -> None:
    assert LedgerUrl(f"{root}/here/").read("checkpoint") == b"a checkpoint"
    assert LedgerUrl(f"{root}/here").read("seal/2026-03-01") is None
    with pytest.raises(Refusal) as caught:
        LedgerUrl(f"{root}/led").read("checkpoint")
    assert caught.value.code is Code.LEDGER_UNWRITABLE
