from datetime import UTC, datetime, timedelta

import pytest

from enclos.ledger.model import Action, Checkpoint, Witnessed
from enclos.ledger.ports import LedgerReader, WitnessMemory
from enclos.ledger.rules.notes import checkpoint_note, read_checkpoint, read_cosigned
from enclos.ledger.steps import witness as look
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from factories.ledger import ALICE, ORIGIN, PUBLIC_KEY, START, SeedSigner, SteppingClock, begun, filled
from fakes.ledger import MemoryLedger


class Memory:
    """A witness's memory."""

    def __init__(self) -> None:
        self.note: bytes | None = None
        self.conflicts: list[bytes] = []

    def recall(self) -> bytes | None:
        return self.note

    def remember(self, note: bytes) -> None:
        self.note = note

    def keep_conflict(self, note: bytes) -> None:
        self.conflicts.append(note)


class Cosigner(SeedSigner):
    """A witness with a key of its own."""

    name = "witness.example/1"


COSIGNER = Cosigner(9)


class Clock:
    """A clock that shows what it is set to."""

    def __init__(self, at: datetime = START + timedelta(hours=1)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def witness(
    store: LedgerReader, memory: WitnessMemory, public_key: bytes, origin: str, at: datetime | None = None
) -> Witnessed:
    """A look by a witness whose clock and the ledger's may lie two hours apart, unless a time is given."""
    tolerance = timedelta(minutes=5) if at else timedelta(hours=2)
    return look(store, memory, public_key, origin, COSIGNER, Clock(at or START + timedelta(hours=1)), tolerance)


@pytest.mark.parametrize("steps", [(0, 1, 254, 1, 1, 300, 3), (5, 0, 600)])
def test_a_ledger_that_only_grows_is_followed(steps: tuple[int, ...]) -> None:
    store, memory = MemoryLedger(), Memory()
    ledger = begun(store)
    for step in steps:
        for _ in range(step):
            ledger.record(Action.LOGIN, ALICE)
        seen = witness(store, memory, PUBLIC_KEY, ORIGIN)
        assert seen.checkpoint.size == ledger.size()
        assert memory.note == seen.note
        assert read_checkpoint(seen.note, ORIGIN, PUBLIC_KEY) == seen.checkpoint
        signed = read_cosigned(seen.note, ORIGIN, COSIGNER.name, COSIGNER.public_key())
        assert signed == (seen.checkpoint, seen.at)
    assert memory.conflicts == []


def test_the_witness_reads_no_entry_that_it_has_seen() -> None:
    store, memory = MemoryLedger(), Memory()
    ledger = filled(begun(store), 300)
    first = Memory()
    first.note = witness(store, memory, PUBLIC_KEY, ORIGIN).note
    filled(ledger, 300)
    seen = "tile/entries/000"
    assert seen in store.files
    files = {name: content for name, content in store.files.items() if name != seen and "private" not in name}
    assert witness(MemoryLedger(files), memory, PUBLIC_KEY, ORIGIN).checkpoint.size == 600
    files["tile/entries/002.p/88"] = files["tile/entries/002.p/88"].replace(b"DONE", b"DOME", 1)
    with pytest.raises(NotAsPromised) as refused:
        witness(MemoryLedger(files), first, PUBLIC_KEY, ORIGIN)
    assert refused.value.code is Code.LEDGER_DAMAGED


def test_an_enclosure_that_holds_its_clock_back_is_found_out() -> None:
    """It lives on at nine o'clock so that a permit of ten o'clock does not end."""
    store, memory, clock = MemoryLedger(), Memory(), SteppingClock()
    ledger = filled(begun(store, clock=clock), 10)
    witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(minutes=1))
    filled(ledger, 10)
    witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(minutes=4))
    clock.at = START + timedelta(minutes=8)
    filled(ledger, 10)
    witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(minutes=20))
    remembered = memory.note
    filled(ledger, 1)
    with pytest.raises(NotAsPromised) as refused:
        witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(hours=3))
    assert refused.value.code is Code.LEDGER_DISORDERED
    assert (memory.note, memory.conflicts) == (remembered, [ledger.checkpoint()])


def test_an_enclosure_ahead_of_time_is_found_out() -> None:
    store, memory, clock = MemoryLedger(), Memory(), SteppingClock()
    ledger = filled(begun(store, clock=clock), 10)
    witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(minutes=1))
    clock.at = START + timedelta(days=1)
    filled(ledger, 1)
    with pytest.raises(NotAsPromised) as refused:
        witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(minutes=2))
    assert refused.value.code is Code.LEDGER_DISORDERED


def test_a_witness_whose_own_clock_runs_back_signs_nothing() -> None:
    store, memory = MemoryLedger(), Memory()
    filled(begun(store), 10)
    seen = witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(minutes=3))
    assert seen.at == datetime(2026, 11, 2, 9, 3, tzinfo=UTC)
    with pytest.raises(NotAsPromised) as refused:
        witness(store, memory, PUBLIC_KEY, ORIGIN, START + timedelta(minutes=2))
    assert refused.value.code is Code.CLOCK_BEHIND
    assert (memory.note, memory.conflicts) == (seen.note, [])


def test_a_memory_from_before_witnesses_signed_is_continued() -> None:
    store, memory = MemoryLedger(), Memory()
    ledger = filled(begun(store), 10)
    memory.note = ledger.checkpoint()
    filled(ledger, 10)
    assert witness(store, memory, PUBLIC_KEY, ORIGIN).checkpoint.size == 20


def test_a_shorter_ledger_is_refused_and_kept_as_evidence() -> None:
    store, memory = MemoryLedger(), Memory()
    ledger = filled(begun(store), 290)
    old = dict(store.files)
    filled(ledger, 10)
    witness(store, memory, PUBLIC_KEY, ORIGIN)
    remembered = memory.note
    with pytest.raises(NotAsPromised) as refused:
        witness(MemoryLedger(old), memory, PUBLIC_KEY, ORIGIN)
    assert refused.value.code is Code.LEDGER_FORKED
    assert (memory.note, memory.conflicts) == (remembered, [old["checkpoint"]])


@pytest.mark.parametrize("n_entries", [7, 300])
@pytest.mark.parametrize("n_more", [0, 5, 400])
def test_another_history_of_the_same_key_is_refused(n_entries: int, n_more: int) -> None:
    store, memory = MemoryLedger(), Memory()
    filled(begun(store), n_entries)
    witness(store, memory, PUBLIC_KEY, ORIGIN)
    other = MemoryLedger()
    filled(begun(other, clock=SteppingClock(START.replace(hour=10))), n_entries + n_more)
    with pytest.raises(NotAsPromised) as refused:
        witness(other, memory, PUBLIC_KEY, ORIGIN)
    assert refused.value.code is Code.LEDGER_FORKED


def test_missing_or_altered_tiles_prove_nothing() -> None:
    store, memory = MemoryLedger(), Memory()
    ledger = filled(begun(store), 300)
    witness(store, memory, PUBLIC_KEY, ORIGIN)
    filled(ledger, 300)
    for name in ("tile/0/001", "tile/1/000.p/2", "tile/0/002.p/88"):
        for content in (None, b"", store.files[name][:-1], bytes(len(store.files[name]))):
            files = {**store.files, name: content or b""}
            if content is None:
                del files[name]
            with pytest.raises(NotAsPromised) as refused:
                witness(MemoryLedger(files), memory, PUBLIC_KEY, ORIGIN)
            assert refused.value.code is Code.LEDGER_FORKED


def test_a_checkpoint_of_another_key_or_origin_is_refused() -> None:
    store, memory = MemoryLedger(), Memory()
    begun(store, seed=8)
    with pytest.raises(NotAsPromised) as refused:
        witness(store, memory, PUBLIC_KEY, ORIGIN)
    assert refused.value.code is Code.LEDGER_UNSIGNED
    signer = SeedSigner()
    store.files["checkpoint"] = checkpoint_note(Checkpoint("other.example", 0, bytes(32)), PUBLIC_KEY, signer.sign)
    with pytest.raises(NotAsPromised):
        witness(store, memory, PUBLIC_KEY, ORIGIN)
    with pytest.raises(NotAsPromised):
        witness(MemoryLedger(), memory, PUBLIC_KEY, ORIGIN)
    assert memory.note is None
