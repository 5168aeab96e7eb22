"""What the room needs of the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from enclos.conformity.model import Declared, Finding


class Probe(Protocol):
    """One look at the real thing; ``names``: the findings that it makes, all of them at every look."""

    @property
    def names(self) -> Sequence[str]:
        """The probes that it answers for."""

    def look(self) -> Sequence[Finding]:
        """What it saw. An exception means that it could not look."""


class Declarations(Protocol):
    """The declared documents."""

    def read(self) -> Sequence[Declared]:
        """Each with its standing. Refuses: STATEMENT_BROKEN with the file that cannot be read."""
