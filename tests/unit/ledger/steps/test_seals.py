"""Each day ends with a seal: the checkpoint over its entries, no more and no fewer."""

from contextlib import suppress
from datetime import date, timedelta

import pytest

from enclos.ledger.model import Action
from enclos.ledger.rules.notes import read_checkpoint
from enclos.ledger.steps import examine_ledger, verify_ledger
from enclos.lexicon.refusals import NotAsPromised
from factories.ledger import ALICE, ORIGIN, PUBLIC_KEY, START, SteppingClock, begun, filled, opened
from fakes.ledger import Died, MemoryLedger


def three_days() -> tuple[MemoryLedger, list[int]]:
    store, clock, ends = MemoryLedger(), SteppingClock(), []
    ledger = begun(store, clock=clock)
    for day, n in enumerate((280, 3, 40)):
        clock.at = START + timedelta(days=day)
        filled(ledger, n)
        ends.append(ledger.size())
    return store, ends


def test_a_day_is_sealed_by_the_first_entry_of_a_later_one() -> None:
    store, ends = three_days()
    assert sorted(store.names("seal")) == ["seal/2026-11-02", "seal/2026-11-03"]
    for day, size in zip(("02", "03"), ends, strict=False):
        assert read_checkpoint(store.files[f"seal/2026-11-{day}"], ORIGIN, PUBLIC_KEY).size == size
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).n_seals == 2


def test_a_day_without_entries_has_no_seal() -> None:
    store, clock = MemoryLedger(), SteppingClock()
    ledger = filled(begun(store, clock=clock), 3)
    clock.at = START + timedelta(days=9)
    filled(ledger, 3)
    assert list(store.names("seal")) == ["seal/2026-11-02"]


@pytest.mark.parametrize("what", ["missing", "of another day", "emptied", "of no day", "of an earlier moment"])
def test_a_seal_that_is_not_its_days_is_a_fault(what: str) -> None:
    store, _ = three_days()
    first, second = "seal/2026-11-02", "seal/2026-11-03"
    match what:
        case "missing":
            del store.files[second]
        case "of another day":
            store.files[second] = store.files[first]
        case "emptied":
            store.files[second] = b""
        case "of no day":
            store.files["seal/2026-11-9"] = store.files[first]
        case _:
            ledger = filled(begun(other := MemoryLedger()), 279)
            assert ledger.size() == 279
            store.files[first] = other.files["checkpoint"]
    assert [fault.code.id for fault in examine_ledger(store, PUBLIC_KEY, ORIGIN).faults] == ["LDG-04"]
    with pytest.raises(NotAsPromised):
        verify_ledger(store, PUBLIC_KEY, ORIGIN)


def test_a_ledger_from_before_seals_is_sound_and_sealed_from_now_on() -> None:
    store, _ = three_days()
    for name in list(store.names("seal")):
        del store.files[name]
    ledger = opened(store, clock=SteppingClock(START + timedelta(days=5)))
    ledger.record(Action.LOGIN, ALICE)
    report = verify_ledger(store, PUBLIC_KEY, ORIGIN)
    assert (report.n_seals, list(store.names("seal"))) == (1, [f"seal/{date(2026, 11, 4)}"])


@pytest.mark.parametrize("step", range(8))
def test_killed_at_any_step_of_midnight_it_is_sealed_once_and_verifies(step: int) -> None:
    store, _ = three_days()
    dying = MemoryLedger(store.files, die_at=step, seed=step)
    with suppress(Died):
        opened(dying, clock=SteppingClock(START + timedelta(days=3))).record(Action.LOGIN, ALICE)
    left = dying.after_kill()
    verify_ledger(left, PUBLIC_KEY, ORIGIN)
    opened(left, clock=SteppingClock(START + timedelta(days=3, hours=1))).record(Action.LOGIN, ALICE)
    assert verify_ledger(left, PUBLIC_KEY, ORIGIN).n_seals == 3
