"""What was done, as a reader counts it: an intent joined with its outcome, or an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from enclos.ledger.model import Action, Entry, Kind, Outcome, Written


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did or asked for; ``at`` is when it began, ``outcome`` None while it has none."""

    index: int
    at: datetime
    action: Action
    actor: str
    permit: str | None
    outcome: Outcome | None
    code: str | None
    facts: Mapping[str, Written]
    ended_at: datetime | None = None
    ended: int | None = None
    """The index of the outcome."""

    @property
    def is_denied(self) -> bool:
        """Whether it was refused, or turned away before it could begin."""
        return self.outcome is Outcome.REFUSED or self.action is Action.DENIED

    def number(self, name: str) -> int:
        """A fact that is a number; 0 when it is absent or another thing."""
        value = self.facts.get(name)
        return value if isinstance(value, int) else 0


def acts_of(entries: Iterable[tuple[int, Entry]]) -> Iterator[Act]:
    """All acts in the order in which they ended, events and those still open among them.

    In: index and entry, in order; an outcome whose intent is not among them is passed over.
    """
    begun: dict[int, Entry] = {}
    for index, entry in entries:
        if entry.kind is Kind.INTENT:
            begun[index] = entry
        elif entry.kind is Kind.EVENT:
            yield _act(index, entry)
        elif entry.intent in begun:
            yield _act(entry.intent, begun.pop(entry.intent), entry, index)
    for index, entry in begun.items():
        yield _act(index, entry)


def _turned_away(begun: Entry) -> str | None:
    """The rule by which somebody was turned away before anything began: such an entry has it among its facts."""
    code = begun.facts.get("code") if begun.action is Action.DENIED else None
    return None if code is None else str(code)


def _act(index: int, begun: Entry, ended: Entry | None = None, at: int | None = None) -> Act:
    facts = {**begun.facts, **(ended.facts if ended else {})}
    permit = begun.permit or (str(facts["permit"]) if "permit" in facts else None)
    return Act(
        index=index,
        at=begun.at,
        action=begun.action,
        actor=begun.actor,
        permit=permit,
        outcome=ended.outcome if ended else None,
        code=ended.code if ended else _turned_away(begun),
        facts=facts,
        ended_at=ended.at if ended else None,
        ended=at,
    )
