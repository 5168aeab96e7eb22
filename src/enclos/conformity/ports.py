"""What the room needs of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from enclos.conformity.model import Finding


class Probe(Protocol):
    """One look at the real thing; ``names``: the findings that it makes, all of them at every look."""

    @property
    def names(self) -> Sequence[str]:
        """The probes that it answers for."""

    def look(self) -> Sequence[Finding]:
        """What it saw. An exception means that it could not look."""


@dataclass(frozen=True, slots=True)
class Look:
    """A probe made of a function."""

    names: tuple[str, ...]
    see: Callable[[], Sequence[Finding]]

    def look(self) -> Sequence[Finding]:
        """What the function saw."""
        return self.see()
