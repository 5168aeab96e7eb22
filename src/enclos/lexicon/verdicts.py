"""Verdicts are ordered; the worst one wins; no check at all is a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Verdict(IntEnum):
    """What a check says. Higher is worse."""

    PASS = 0
    REVIEW = 1
    REFUSE = 2

    @property
    def word(self) -> str:
        """The word that documents and JSON use."""
        return self.name.lower()


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of the verdicts; REFUSE when there is none, since unchecked is not safe."""
    return max(verdicts, default=Verdict.REFUSE)
