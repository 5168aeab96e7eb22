"""The process that answers the public: it is given a socket and two folders, and ends when its parent does."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from enclos.app.faults import tell_faults_of
from enclos.portal.connections import Connection
from enclos.portal.public import public_application

_LONGEST_HEAD = 16 * 1024
_SECONDS_IDLE = 5


def main() -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser()
    for name in ("--fd", "--registers", "--ledger"):
        parser.add_argument(name, required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--people")
    given = parser.parse_args()
    tell_faults_of("public", "uvicorn", "asyncio")
    server = uvicorn.Server(
        uvicorn.Config(
            public_application(
                Path(given.registers),
                Path(given.ledger),
                over_tls=given.certificate is not None,
                people=Path(given.people) if given.people else None,
            ),
            ssl_certfile=given.certificate,
            ssl_keyfile=given.key,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,  # no request is kept, and an error's text could quote one
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=Connection.n_places + 1,
            timeout_keep_alive=_SECONDS_IDLE,
            timeout_graceful_shutdown=_SECONDS_IDLE,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
        )
    )

    def end_with_parent() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        server.should_exit = True

    threading.Thread(target=end_with_parent, daemon=True).start()
    server.run(sockets=[socket.socket(fileno=int(given.fd))])


if __name__ == "__main__":
    main()
