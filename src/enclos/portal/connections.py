"""Connections of readers: shared out by their addresses, and ended when nothing is asked by them for long."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from enclos.app.whence import is_beyond_share, place_of

_LOOK_SECONDS = 5.0
_UNSERVED = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\n"
    b"Content-Length: 29\r\nConnection: close\r\n\r\nToo many connections are open"
)


class Connection(H11Protocol):
    """A connection, counted among all of its server.

    Nobody's address holds more connections than it leaves free: of ``n_places`` one has half, a second half of the
    rest; who holds none has any that is free. A proxy before the service has one address, and so half of all.
    """

    n_places: ClassVar[int] = 512
    seconds_to_begin: ClassVar[float] = 20
    """Until the head of the first request is there."""
    seconds_to_say: ClassVar[float] = 60
    """Until a request is there with all that it sends."""
    seconds_for_all: ClassVar[float] = 600
    """Until it is answered and the answer read, and between one and the next."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, or say that there is none and leave."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._looking = self.loop.call_later(min(_LOOK_SECONDS, self.seconds_to_begin), self._look)
        self.address = place_of(self.client[0] if self.client else "")
        own = sum(each.address == self.address for each in self.connections if isinstance(each, Connection))
        others = len(self.connections) - own
        if own + others > self.n_places or is_beyond_share(own, others, self.n_places):
            transport.write(_UNSERVED)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; who is being left is not read."""
        if not self.transport.is_closing():
            super().data_received(data)

    def on_response_complete(self) -> None:
        """Count from here until the next request is answered."""
        self._since = self.loop.time()
        super().on_response_complete()

    def _look(self) -> None:
        if self.loop.time() - self._since > self._seconds():
            self.transport.abort()  # to close would wait until everything is read
        else:
            self._looking = self.loop.call_later(min(_LOOK_SECONDS, self.seconds_to_begin), self._look)

    def _seconds(self) -> float:
        if self.cycle is None:
            return self.seconds_to_begin
        is_asking = self.cycle.more_body and not self.cycle.response_complete
        return self.seconds_to_say if is_asking else self.seconds_for_all
