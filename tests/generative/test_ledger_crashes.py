"""The process dies, or the power goes, at every writing step: nothing that returned is lost, nothing is there twice."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from functools import cache

import pytest

from enclos.ledger.model import Action, Entry, Kind, Outcome
from enclos.ledger.steps import Ledger, verify_ledger
from factories.ledger import ALICE, ORIGIN, PERMIT, PUBLIC_KEY, START, SteppingClock, begun, filled, opened
from fakes.ledger import Died, HeldPace, MemoryLedger


@cache
def base(n_entries: int) -> dict[str, bytes]:
    """The files of a ledger of so many entries; each store has a copy."""
    store = MemoryLedger()
    with begun(store) as ledger:
        filled(ledger, n_entries)
    return store.files


def work(ledger: Ledger, returned: dict[int, str], rounds: range) -> None:
    """Write, and note the index of every entry whose writing returned."""
    for n in rounds:
        ticket = ledger.intent(Action.STUDY, ALICE, PERMIT, {"mark": f"intent-{n}"})
        returned[ticket.index] = f"intent-{n}"
        returned[ledger.record(Action.LOGIN, f"{n}@example.org", facts={"mark": f"event-{n}"})] = f"event-{n}"
        returned[ticket.outcome(Outcome.DONE, {"mark": f"outcome-{n}"})] = f"outcome-{n}"


def die_at(
    files: dict[str, bytes], step: int, n_rounds: int, seed: int = 0, awaited: float = 0.0, *, held: bool = False
) -> tuple[MemoryLedger, dict[int, str], bool]:
    """The store after the work, the entries that returned, and whether the process died in it."""
    store = MemoryLedger(files, die_at=step, seed=seed)
    store.awaited_share = awaited
    returned: dict[int, str] = {}
    try:
        pace = HeldPace() if held else None
        ledger = opened(store, clock=SteppingClock(START + timedelta(hours=6)), pace=pace)
        work(ledger, returned, range(1))
        if pace:
            pace.go()
        work(ledger, returned, range(1, n_rounds))
        ledger.close()
    except Died:
        return store, returned, True
    return store, returned, False


def check(store: MemoryLedger, returned: dict[int, str], n_before: int) -> None:
    """Everything that returned stands where it was said to stand, once; every intent has its outcome; all verifies."""
    ledger = opened(store)
    entries: dict[int, Entry] = dict(ledger.entries())
    marks = [
        str(entry.facts["mark"]) for index, entry in entries.items() if index >= n_before and "mark" in entry.facts
    ]
    assert {index: entries[index].facts["mark"] for index in returned} == returned
    assert len(set(marks)) == len(marks)
    intents = {index for index, entry in entries.items() if entry.kind is Kind.INTENT}
    outcomes = [entry.intent for entry in entries.values() if entry.kind is Kind.OUTCOME]
    assert sorted(outcomes, key=int) == sorted(intents)  # type: ignore[arg-type]
    report = verify_ledger(store, PUBLIC_KEY, ORIGIN)
    assert (report.size, report.n_open) == (len(entries), 0)
    filled(ledger, 3)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == len(entries) + 3


def test_the_work_ends_when_nothing_happens() -> None:
    store, returned, died = die_at(base(250), -1, 4)
    assert not died
    assert len(returned) == 12
    check(store, returned, 250)


@cache
def steps_of(n_before: int, awaited: float = 0.0, *, held: bool = False) -> int:
    """How many writing steps the work of three rounds has."""
    return die_at(base(n_before), -1, 3, awaited=awaited, held=held)[0].n_steps


def run(n_before: int, end: str, n_points: int, awaited: float = 0.0, *, held: bool = False) -> None:
    files = base(n_before)
    n_steps = steps_of(n_before, awaited, held=held)
    assert n_steps > 15
    for step in sorted({point * n_steps // n_points for point in range(n_points)}):
        store, returned, died = die_at(files, step, 3, step, awaited, held=held)
        assert died
        check(store.after_kill() if end == "kill" else store.after_power_cut(), returned, n_before)


@pytest.mark.parametrize("n_before", [0, 250, 254])
@pytest.mark.parametrize("end", ["kill", "power cut"])
def test_death_at_thirty_steps(n_before: int, end: str) -> None:
    run(n_before, end, 30)


@pytest.mark.parametrize("n_before", [0, 250, 254])
@pytest.mark.parametrize("end", ["kill", "power cut"])
def test_death_while_others_wait(n_before: int, end: str) -> None:
    """Whose entry is left for one who waits to publish, and dies, or the other does."""
    run(n_before, end, 30, awaited=0.7)


@pytest.mark.parametrize("n_before", [0, 250, 254])
@pytest.mark.parametrize("end", ["kill", "power cut"])
def test_death_while_checkpoints_wait(n_before: int, end: str) -> None:
    run(n_before, end, 20, held=True)


@pytest.mark.slow
@pytest.mark.parametrize("n_before", [0, 250, 254])
@pytest.mark.parametrize("end", ["kill", "power cut"])
def test_death_at_every_step(n_before: int, end: str) -> None:
    run(n_before, end, 10_000)
    run(n_before, end, 10_000, awaited=0.7)
    run(n_before, end, 10_000, held=True)
    run(n_before, end, 10_000, awaited=0.5, held=True)


def test_breaking_off() -> None:
    """As by Ctrl-C: the process tidies up and ends; what it left is found as after a kill."""
    files = base(254)
    n_steps = steps_of(254)
    for step in range(0, n_steps, 9):
        store, returned = MemoryLedger(files, die_at=step), dict[int, str]()
        with suppress(Died), opened(store, clock=SteppingClock(START + timedelta(hours=6))) as ledger:
            work(ledger, returned, range(3))
        check(store.after_kill(), returned, 254)


@pytest.mark.parametrize("end", ["kill", "power cut"])
def test_death_while_recovering_from_death(end: str) -> None:
    dice = random.Random(5)  # noqa: S311 - chooses crashes
    files = base(251)
    for seed in range(20):
        store, returned, _ = die_at(files, dice.randrange(60), 3, seed)
        for _ in range(3):
            left = store.after_kill() if end == "kill" else store.after_power_cut()
            store = MemoryLedger(left.files, die_at=dice.randrange(12), seed=seed)
            with suppress(Died):
                opened(store)
        check(store.after_kill() if end == "kill" else store.after_power_cut(), returned, 251)


def test_death_while_the_ledger_is_begun() -> None:
    """Until ``create`` returns there is either no ledger, and it can be begun, or one that opens."""
    for step in range(4):
        for seed in range(8):
            store = MemoryLedger(die_at=step, seed=seed)
            try:
                begun(store)
            except Died:
                left = store.after_kill()
                ledger = opened(left) if "checkpoint" in left.files else begun(left)
                filled(ledger, 3)
                assert verify_ledger(left, PUBLIC_KEY, ORIGIN).size == 3
