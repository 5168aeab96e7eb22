"""An intent in the hands of who carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from enclos.ledger.model import Entry, Fact, Outcome
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal

_NO_FACTS: Mapping[str, Fact] = {}


class Closing(Protocol):
    """The ledger that the intent is in."""

    def close_intent(
        self, index: int, intent: Entry, outcome: Outcome, code: Code | None, facts: Mapping[str, Fact]
    ) -> int:
        """State how an intent ended; the entry's index."""


class Ticket:
    """An intent that is in the ledger; it is closed once, by ``outcome`` or by leaving its ``with`` block.

    Leaving the block writes DONE with ``facts``; REFUSED with the code when a refusal passes through; FAILED with the
    kind of fault for any other exception. What passes through passes on.
    """

    def __init__(self, ledger: Closing, index: int, intent: Entry) -> None:
        self._ledger = ledger
        self._intent = intent
        self.index = index
        self.facts: dict[str, Fact] = {}
        """What the outcome will state; the block adds to it."""
        self.closed_as: Outcome | None = None

    def __repr__(self) -> str:
        return f"Ticket({self._intent.action.value}, {self.index})"

    def outcome(self, outcome: Outcome, facts: Mapping[str, Fact] = _NO_FACTS, code: Code | None = None) -> int:
        """State how the intent ended; the entry's index.

        In: code, for REFUSED and only then.
        Refuses: ValueError when it was closed before.
        """
        if self.closed_as is not None:
            raise ValueError("an intent has one outcome")
        place = self._ledger.close_intent(self.index, self._intent, outcome, code, {**self.facts, **facts})
        self.closed_as = outcome
        return place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.closed_as is not None:
            return
        if error is None:
            self.outcome(Outcome.DONE)
            return
        try:
            if isinstance(error, Refusal):
                self.outcome(Outcome.REFUSED, code=error.code)
                error.is_told = True
            else:
                self.outcome(Outcome.FAILED, {"fault": type(error).__name__})
        except Refusal:
            # The first fault stops the work and passes on; the next opening closes the intent as interrupted.
            error.add_note("The outcome could not be written to the ledger.")
