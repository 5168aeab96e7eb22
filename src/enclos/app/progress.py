"""How a long step says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Protocol


class Report(Protocol):
    """Hears how far a step is."""

    def __call__(self, phase: str, done: float, note: str = "", /) -> None:
        """In: phase — its name; done — the share done, 0 to 1; note — how fast."""


def silent(_phase: str, _done: float, _note: str = "") -> None:
    """Say nothing."""


def unheard(_text: str) -> None:
    """Say nothing of what somebody should know beforehand."""


def within(report: Report, phase: str) -> Report:
    """A report whose phases are all drawn as one, named ``phase``."""

    def inner(_phase: str, done: float, note: str = "") -> None:
        report(phase, done, note)

    return inner


def paced(report: Report, phase: str, n_rows: int) -> Callable[[float], None]:
    """A report of the share done of so many rows, which also says how many a second."""
    began = perf_counter()

    def inner(done: float) -> None:
        seconds = perf_counter() - began
        rate = int(done * n_rows / seconds) if seconds > 0 else 0
        report(phase, done, f"{rate:,} rows/s".replace(",", " ") if rate else "")

    return inner
