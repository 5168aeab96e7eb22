"""A watch beside work under a permit: when the right to it ends, so does the work, in the middle of a statement too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Protocol

EVERY_SECONDS = 0.2
"""How often the watch looks; what ends a permit takes effect within a second."""


class Stoppable(Protocol):
    """What works and can be stopped."""

    def interrupt(self) -> None:
        """Stop what goes on now, from any thread."""


@contextmanager
def watched(engine: Stoppable, look: Callable[[], object]) -> Iterator[None]:
    """Run the block while ``look`` raises nothing; what it raises is raised from the block, whatever it was doing.

    In: look — asked from a thread of its own, so that it shares nothing with the block that changes.
    """
    over = Event()
    found: list[Exception] = []

    def keep_looking() -> None:
        while not over.wait(EVERY_SECONDS):
            try:
                look()
            except Exception as refused:  # noqa: BLE001 - a watch that cannot look is no watch: the work stops
                found.append(refused)
                break
        while found and not over.wait(EVERY_SECONDS):
            engine.interrupt()

    watch = Thread(target=keep_looking, name="enclos-watch", daemon=True)
    watch.start()
    try:
        yield
    except Exception:
        if found:  # an interrupted statement says nothing of why
            raise found[0] from None
        raise
    finally:
        over.set()
        watch.join()
    if found:
        raise found[0]
