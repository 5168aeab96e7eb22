"""Locks that a long step takes when their turn comes: it waits for who holds them, others need not run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from enclos.app.enclosure import Enclosure
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.accounts import lock_of
from enclos.stores.files import lock_exclusive, lock_in_turn

_WAIT_SECONDS, _PAUSE_SECONDS = 600.0, 0.05


@contextmanager
def shared(enclosure: Enclosure) -> Iterator[None]:
    """Keep builds out, after waiting for one that runs.

    Refuses: ENCLOSURE_BUSY after ten minutes.
    """
    with ExitStack() as stack:
        _take(stack, enclosure.reading_data)
        yield


@contextmanager
def alone(enclosure: Enclosure, *, readers_may_stay: bool = False) -> Iterator[None]:
    """Keep everybody out who changes data, permits, requests or objections, and who reads data unless they may stay.

    Refuses: ENCLOSURE_BUSY after ten minutes.
    """
    with ExitStack() as stack:
        _take(stack, enclosure.at_the_desk)
        _take(stack, lambda: lock_exclusive(enclosure.paths.rights_lock))
        _take(stack, lambda: lock_in_turn(lock_of(enclosure.paths.accounts)))
        if readers_may_stay:
            _take(stack, enclosure.reading_data)
        else:
            _take(stack, lambda: lock_exclusive(enclosure.paths.data_lock))
        yield


def _take(stack: ExitStack, lock: Callable[[], AbstractContextManager[None]]) -> None:
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            stack.enter_context(lock())
        except Refusal as refused:
            if refused.code is not Code.ENCLOSURE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
