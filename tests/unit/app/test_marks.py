"""What the ledger remembers is the same for a process that reads on from where another stopped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, cast

import pytest

from enclos.app import marks
from enclos.app.marks import PermitMarks
from enclos.ledger.model import Action, Entry, Outcome
from enclos.ledger.rules.tiles import WIDTH
from enclos.ledger.steps import Ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from factories.ledger import ALICE, MachineClock, begun, opened
from fakes.ledger import MemoryLedger

KEPT = "private/read/marks"
PERMITS = ("FR-2026-0001", "FR-2026-0002")
TOLD: list[tuple[Action, dict[str, Any]]] = [
    (Action.PERMIT_SIGN, {"version": 1, "digest": "aa"}),
    (Action.PERMIT_REVOKE, {"version": 2, "digest": "bb"}),
    (Action.BUILD, {"snapshot": 3, "manifest": "cc", "objections": 2}),
    (Action.SQL, {"question": 4}),
    (Action.RELEASE_CHECK, {"of": "dd", "differs": True}),
    (Action.RELEASE_REQUEST, {"of": "dd"}),
    (Action.QUESTION, {"what": "accept", "source": "CHU", "desk": "ee"}),
    (Action.QUESTION, {"what": "dismiss", "source": "CHU"}),
    (Action.QUESTION, {"what": "answer", "question": "q7"}),
    (Action.OPT_OUT, {"objections": 9}),
]
"""Each kind of act of which something is remembered."""


class Counted:
    """A ledger that counts the entries that are read of it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.n_read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def entries(self, start: int = 0) -> Iterator[tuple[int, Entry]]:
        for each in self._ledger.entries(start):
            self.n_read += 1
            yield each


def grown(ledger: Ledger, draw: random.Random, n_acts: int) -> Ledger:
    """The ledger with acts as they come, done, refused by nobody, and broken off."""
    for _ in range(n_acts):
        action, facts = draw.choice(TOLD)
        said = {**facts, **({"question": draw.randrange(99)} if action is Action.SQL else {})}
        ticket = ledger.intent(action, ALICE, draw.choice(PERMITS))
        ticket.outcome(draw.choice([Outcome.DONE, Outcome.DONE, Outcome.FAILED]), said)
    return ledger


def again(store: MemoryLedger) -> Ledger:
    """The ledger as another process opens it."""
    return opened(store, clock=MachineClock())


def known(of: PermitMarks) -> list[object]:
    """All that it tells."""
    return [
        of.build(), of.objections(), of.objections_broken_off(), of.desk_of("CHU"), of.is_answered("q7"),
        *((of.newest(permit), of.questions(permit), dict(of.probes(permit))) for permit in PERMITS),
    ]  # fmt: skip


def read_whole(store: MemoryLedger) -> PermitMarks:
    """By a process that has nothing to go on from."""
    left = MemoryLedger({name: text for name, text in store.files.items() if name != KEPT})
    return PermitMarks(again(left))


@pytest.fixture(params=range(3))
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MemoryLedger:
    """A ledger of a few hundred acts, of which a process kept what it read, and which then grew."""
    monkeypatch.setattr(marks, "_WORTH_KEEPING", WIDTH)
    store, draw = MemoryLedger(), random.Random(request.param)  # noqa: S311 - chooses acts, not keys
    known(PermitMarks(grown(begun(store, clock=MachineClock()), draw, 300)))
    grown(again(store), draw, 40)
    return store


def test_a_process_that_reads_on_knows_what_one_knows_that_reads_all(store: MemoryLedger) -> None:
    ledger = Counted(again(store))
    of = PermitMarks(cast("Ledger", ledger))
    told = known(of)
    assert told == known(read_whole(store))
    assert ledger.n_read <= ledger.size() - 2 * WIDTH
    ledger.record(Action.LOGIN, ALICE)
    n_read = ledger.n_read
    assert (known(of), ledger.n_read) == (told, n_read + 1)


def test_what_was_kept_by_other_code_is_not_taken(store: MemoryLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "_code", lambda: "of another version")
    ledger = Counted(again(store))
    assert known(PermitMarks(cast("Ledger", ledger))) == known(read_whole(store))
    assert ledger.n_read == ledger.size()


class Full(MemoryLedger):
    """A storage that has no room for what is kept."""

    def write(self, name: str, content: bytes, *, durable: bool) -> None:
        if name == KEPT:
            raise refusal(Code.LEDGER_UNWRITABLE, "The disk is full.", "Make room.")
        super().write(name, content, durable=durable)


def test_a_storage_that_is_full_costs_only_time(store: MemoryLedger) -> None:
    full = Full({name: text for name, text in store.files.items() if name != KEPT})
    ledger = again(full)
    assert known(PermitMarks(ledger)) == known(read_whole(store))
    assert KEPT not in full.files
    ledger.record(Action.LOGIN, ALICE)
