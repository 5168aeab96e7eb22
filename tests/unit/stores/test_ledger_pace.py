"""A checkpoint that waits is made soon, once, and before the process ends."""

from __future__ import annotations

import threading
import time

from enclos.stores.ledger_pace import Soon


def test_what_is_asked_for_often_is_done_once_and_again_when_asked_again():
    done, pace = threading.Semaphore(0), Soon(0.05)
    for _ in range(2):
        for _ in range(20):
            pace.later(done.release)
        assert done.acquire(timeout=10)
        time.sleep(0.15)
        assert not done.acquire(blocking=False)


def test_stopped_nothing_is_done_any_more_and_what_is_being_done_has_ended():
    counts, begun, go_on = [], threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(10)
        counts.append(1)

    pace = Soon(0.01)
    pace.later(slow)
    assert begun.wait(10)
    pace.later(lambda: counts.append(2))
    threading.Timer(0.1, go_on.set).start()
    pace.stop()
    assert counts in ([1], [1, 2], [2, 1])
    settled = list(counts)
    time.sleep(0.05)
    assert counts == settled
    pace.stop()
