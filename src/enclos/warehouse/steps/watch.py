"""How long the phases of a build take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


class Watch:
    """Seconds by phase."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._phases: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the block's seconds as those of a phase."""
        began = self._clock()
        try:
            yield
        finally:
            self._phases[name] += self._clock() - began

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add the phases of what others did at the same time."""
        for name, more in seconds.items():
            self._phases[name] += more

    def phases(self) -> dict[str, float]:
        """The seconds of each phase."""
        return dict(self._phases)

    def seconds(self) -> dict[str, float]:
        """The seconds of each phase, and of the whole until now."""
        return {**self._phases, "total": self._clock() - self._began}
