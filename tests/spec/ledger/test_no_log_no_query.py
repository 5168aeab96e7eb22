"""The ledger, by example: what is written when, and what makes work stop before it begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from enclos.ledger.model import Action, Outcome
from enclos.ledger.steps import Ledger, verify_ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from factories.ledger import ALICE, ORIGIN, PERMIT, PUBLIC_KEY, SteppingClock, begun, opened
from fakes.ledger import MemoryLedger


def story(ledger: Ledger) -> list[str]:
    """The ledger in words: kind, action, how it ended."""
    lines = []
    for _, entry in ledger.entries():
        ended = "" if entry.outcome is None else f" {entry.intent} {entry.outcome.value}"
        lines.append(f"{entry.kind.value} {entry.action.value}{ended}" + (f" {entry.code}" if entry.code else ""))
    return lines


def test_a_study_that_is_done() -> None:
    ledger = begun(MemoryLedger())
    with ledger.intent(Action.STUDY, ALICE, PERMIT):
        assert story(ledger) == ["intent study"]
    assert story(ledger) == ["intent study", "outcome study 0 DONE"]


def test_a_query_that_a_rule_refuses() -> None:
    ledger = begun(MemoryLedger())
    with pytest.raises(Refusal), ledger.intent(Action.SQL, ALICE, PERMIT):
        raise refusal(Code.ENCLOSURE_BUSY, "Another process is at work.")
    assert story(ledger) == ["intent sql", "outcome sql 0 REFUSED ENC-03"]


def test_a_build_that_breaks_off() -> None:
    ledger = begun(MemoryLedger())
    with pytest.raises(MemoryError), ledger.intent(Action.BUILD, ALICE):
        raise MemoryError
    assert story(ledger) == ["intent build", "outcome build 0 FAILED"]


def test_an_export_whose_process_is_killed() -> None:
    store = MemoryLedger()
    begun(store).intent(Action.RELEASE_EXPORT, ALICE, PERMIT)
    next_day = opened(store.after_kill())
    assert story(next_day) == ["intent release.export", "outcome release.export 0 INTERRUPTED"]


def test_two_studies_at_once() -> None:
    ledger = begun(MemoryLedger())
    with ledger.intent(Action.STUDY, ALICE, PERMIT), ledger.intent(Action.STUDY, "bob@example.org", PERMIT):
        pass
    assert story(ledger) == ["intent study", "intent study", "outcome study 1 DONE", "outcome study 0 DONE"]


def no_storage(store: MemoryLedger, clock: SteppingClock) -> None:
    def full(name: str, content: bytes, *, durable: bool = True) -> None:
        raise refusal(Code.LEDGER_UNWRITABLE, f"The ledger's storage is full: {len(content)} bytes.")

    store.append = full  # type: ignore[method-assign]


def clock_set_back(store: MemoryLedger, clock: SteppingClock) -> None:
    clock.at -= timedelta(days=1)


def entry_altered(store: MemoryLedger, clock: SteppingClock) -> None:
    store.files["checkpoint"] = store.files["checkpoint"].replace(b"\n1\n", b"\n2\n")


def ledger_lost(store: MemoryLedger, clock: SteppingClock) -> None:
    store.files.clear()


@pytest.mark.parametrize(
    ("mishap", "code"),
    [
        (no_storage, Code.LEDGER_UNWRITABLE),
        (clock_set_back, Code.CLOCK_BEHIND),
        (entry_altered, Code.LEDGER_UNSIGNED),
        (ledger_lost, Code.LEDGER_MISSING),
    ],
)
def test_no_log_no_query(mishap: Callable[[MemoryLedger, SteppingClock], None], code: Code) -> None:
    store, clock = MemoryLedger(), SteppingClock()
    ledger = begun(store, clock=clock)
    ledger.record(Action.LOGIN, ALICE)
    mishap(store, clock)
    ran = []
    with pytest.raises(Refusal) as refused, ledger.intent(Action.STUDY, ALICE, PERMIT):
        ran.append("the study")
    assert (ran, refused.value.code) == ([], code)


def test_anyone_can_verify_with_files_and_a_key() -> None:
    store = MemoryLedger()
    begun(store).intent(Action.STUDY, ALICE, PERMIT).outcome(Outcome.DONE)
    published = MemoryLedger(
        {name: content for name, content in store.files.items() if not name.startswith("private/")}
    )
    report = verify_ledger(published, PUBLIC_KEY, ORIGIN)
    assert (report.size, report.n_open, report.is_sound) == (2, 0, True)
