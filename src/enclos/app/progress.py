"""How a long step says how far it is."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, float], None]
"""Called with the phase's name and the share done, 0 to 1."""


def silent(_phase: str, _done: float) -> None:
    """Say nothing."""


def within(report: Report, phase: str) -> Report:
    """A report whose phases are all drawn as one, named ``phase``."""

    def inner(_phase: str, done: float) -> None:
        report(phase, done)

    return inner
