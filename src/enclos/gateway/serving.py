"""``enclos gateway``: the doors of an enclosure, until the process is told to end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

from enclos.app.house import House
from enclos.app.keys import Passphrase
from enclos.gateway.doors import Certificate, flight_door, postgres_door
from enclos.gateway.keeper import EnclosureKeeper
from enclos.gateway.model import GateLimits
from enclos.gateway.people import SignedIn
from enclos.gateway.room import Room

_LARGEST_ANSWERS, _LEAST_ROOM = 4, 64 << 20
"""The memory for answers on their way: so many of the largest, so that two persons can have one each at any time."""


def serve_gateway(
    folder: Path,
    passphrase: Passphrase,
    certificate: Certificate,
    *,
    postgres: tuple[str, int] | None,
    flight: tuple[str, int] | None,
    limits: GateLimits,
    began: Callable[[dict[str, Any]], None],
) -> None:
    """Serve until the process is told to end (SIGTERM, SIGINT); what runs is stopped then, and everybody told.

    In: began — told the addresses once they answer
    Refuses: SERVE_PLACE; what opening the enclosure is refused for.
    """
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    house = House(folder, passphrase)
    with ExitStack() as stack:
        stack.callback(house.close)
        with house.open() as enclosure:
            SignedIn(enclosure)
            room = Room(max(_LARGEST_ANSWERS * enclosure.settings.sql.result_mb << 20, _LEAST_ROOM))
        keeper = EnclosureKeeper(house, SignedIn, limits)
        stack.callback(keeper.close)
        told: dict[str, Any] = {}
        if postgres is not None:
            host, port = stack.enter_context(postgres_door(keeper, postgres, certificate, limits, room))
            told["postgres"] = f"{host}:{port}"
        if flight is not None:
            host, port = stack.enter_context(flight_door(keeper, flight, certificate, room))
            told["flight"] = f"{host}:{port}"
        began(told)
        ended.wait()
