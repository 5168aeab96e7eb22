"""How long a ledger's checkpoint may wait for the next entry."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Soon:
    """Lets a checkpoint wait for a moment, from the first entry that it does not speak of.

    So what is written in one go has one checkpoint and one set of tiles. A thread makes it, which ends with the
    process; what a process that was killed left is published by whoever opens the ledger next.
    """

    def __init__(self, seconds: float = 0.5) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._waiting: threading.Timer | None = None
        self._at_work: threading.Timer | None = None

    def later(self, publish: Callable[[], None]) -> None:
        """Call this soon, once for all who ask until then."""
        with self._lock:
            if self._waiting is None:
                self._waiting = threading.Timer(self._seconds, self._go, [publish])
                self._waiting.daemon = True
                self._waiting.start()

    def stop(self) -> None:
        """Call nothing more; what is being called has ended when this returns."""
        with self._lock:
            threads = [timer for timer in (self._waiting, self._at_work) if timer]
            self._waiting = None
        for timer in threads:
            timer.cancel()
            timer.join()

    def _go(self, publish: Callable[[], None]) -> None:
        with self._lock:
            if self._waiting is not threading.current_thread():  # stopped just now
                return
            self._at_work, self._waiting = self._waiting, None
        publish()
        with self._lock:
            self._at_work = None
