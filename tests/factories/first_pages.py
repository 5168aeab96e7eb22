"""What the first pages of a process that serves an enclosure wait for; run as a process of its own, which says it.

python -m factories.first_pages HOME PATH …
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import vl_convert

from enclos.app import ahead, house
from enclos.cli import entry
from enclos.ledger.steps import reading
from enclos.permits.rules.record import read_signed
from enclos.portal import serving
from enclos.portal.opened import Opened
from enclos.portal.people import People
from enclos.signin.model import Role
from enclos.stores import spare_engine
from factories.enclosure import ALICE, PASSPHRASE
from factories.portal import Portal

assert entry, "what the command imports is there before it serves"


class Counted:
    """How often something was done."""

    def __init__(self) -> None:
        self.done = Counter[str]()

    def watch(self, owner: Any, name: str) -> None:
        """Count the calls of a function, which does what it did."""
        inner: Callable[..., Any] = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            self.done[name] += 1
            return inner(*given, **named)

        setattr(owner, name, counted)


def status_of(application: Any, path: str, cookie: str) -> int:
    """Open a page without a server, whose libraries would be loaded too."""
    told: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        told.extend([message["status"]] if "status" in message else [])

    head = {"type": "http", "method": "GET", "scheme": "http", "http_version": "1.1", "query_string": b""}
    headers = [(b"host", b"127.0.0.1"), (b"cookie", f"enclos={cookie}".encode())]
    asyncio.run(application({**head, "path": path, "root_path": "", "headers": headers}, receive, send))
    return told[0]


def main() -> None:
    """Get ready, open the person's own page, take the first steps, open the others."""
    home, paths = Path(sys.argv[1]), sys.argv[2:]
    counted = Counted()
    counted.watch(jinja2.Environment, "compile")
    counted.watch(house, "open_enclosure")
    counted.watch(spare_engine, "open_engine")
    counted.watch(vl_convert, "vegalite_to_svg")
    counted.watch(reading, "parse_entry")
    opened = Opened(home, PASSPHRASE)
    people = People(opened, "http://127.0.0.1")
    application, cookie = people.application(), Portal("", home, people).cookie(ALICE, *Role)
    found: list[dict[str, Any]] = []

    def look(path: str) -> None:
        before, known, verified = dict(counted.done), set(sys.modules), read_signed.cache_info().misses
        status = status_of(application, path, cookie)
        new = {name: n - before.get(name, 0) for name, n in counted.done.items()}
        new["verified"] = read_signed.cache_info().misses - verified
        found.append({"path": path, "status": status, "imported": sorted(set(sys.modules) - known), **new})

    serving.get_ready(opened)
    kept, drawn = gc.get_freeze_count(), [counted.done["vegalite_to_svg"]]
    look("/me")
    for step in ahead.first_steps(opened._house):
        step()
    drawn.append(counted.done["vegalite_to_svg"])
    for path in paths:
        look(path)
    sys.stdout.write(json.dumps({"kept": kept, "drawn": drawn, "pages": found}))
    sys.stdout.flush()
    opened.close()


if __name__ == "__main__":
    main()
