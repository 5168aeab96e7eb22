import pytest

from enclos.ledger.model import Action, Checkpoint
from enclos.ledger.rules.notes import checkpoint_note
from enclos.ledger.steps import witness
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


@pytest.mark.parametrize("steps", [(0, 1, 254, 1, 1, 300, 3), (5, 0, 600)])
def test_a_ledger_that_only_grows_is_followed(steps: tuple[int, ...]) -> None:
    store, memory = MemoryLedger(), Memory()
    ledger = begun(store)
    for step in steps:
        for _ in range(step):
            ledger.record(Action.LOGIN, ALICE)
        seen = witness(store, memory, PUBLIC_KEY, ORIGIN)
        assert seen.size == ledger.size()
        assert memory.note == ledger.checkpoint()
    assert memory.conflicts == []


def test_the_witness_reads_no_entry() -> None:
    store, memory = MemoryLedger(), Memory()
    ledger = filled(begun(store), 300)
    witness(store, memory, PUBLIC_KEY, ORIGIN)
    filled(ledger, 300)
    tiles = {name: content for name, content in store.files.items() if "entries" not in name and "private" not in name}
    assert witness(MemoryLedger(tiles), memory, PUBLIC_KEY, ORIGIN).size == 600


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
