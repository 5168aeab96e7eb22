"""The growing end of the ledger: what it mends, what it refuses, and how it crosses the borders of tiles."""

import pytest

from enclos.ledger.model import Action, Checkpoint, Entry, Kind, Outcome
from enclos.ledger.rules.ahead import file_name
from enclos.ledger.rules.entries import entry_bytes
from enclos.ledger.rules.merkle import leaf_hash, tree_root
from enclos.ledger.rules.notes import checkpoint_note
from enclos.ledger.rules.tiles import joined, n_levels, tiles_of_level
from enclos.ledger.steps import verify_ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised, Refusal, refusal
from factories.ledger import ALICE, ORIGIN, PUBLIC_KEY, START, SeedSigner, SteppingClock, begun, filled, opened
from fakes.ledger import MemoryLedger


def refused_code(store: MemoryLedger) -> Code:
    with pytest.raises(Refusal) as refused:
        opened(store)
    return refused.value.code


@pytest.mark.parametrize("n_entries", [1, 5, 255, 256, 257, 300])
def test_a_ledger_goes_on_from_its_published_files_alone(n_entries: int) -> None:
    store = MemoryLedger()
    ledger = filled(begun(store), n_entries)
    before = list(ledger.entries())
    public = {name: content for name, content in store.files.items() if not name.startswith("private/")}
    moved = MemoryLedger(public)
    later = opened(moved)
    assert (list(later.entries()), later.last_at()) == (before, ledger.last_at())
    filled(later, 10)
    assert verify_ledger(moved, PUBLIC_KEY, ORIGIN, store.files["checkpoint"]).size == n_entries + 10


def test_an_intent_left_open_in_published_files_is_closed() -> None:
    store = MemoryLedger()
    begun(store).intent(Action.STUDY, ALICE)
    moved = MemoryLedger({name: content for name, content in store.files.items() if not name.startswith("private/")})
    assert opened(moved).size() == 2
    assert verify_ledger(moved, PUBLIC_KEY, ORIGIN).n_open == 0


@pytest.mark.parametrize("n_entries", [3, 256, 300])
@pytest.mark.parametrize("content", [None, b"", bytes(300)])
def test_a_checkpoint_that_a_power_cut_emptied_is_made_again(n_entries: int, content: bytes | None) -> None:
    store = MemoryLedger()
    filled(begun(store), n_entries)
    left = store.after_kill()
    left.files.pop("checkpoint")
    if content is not None:
        left.files["checkpoint"] = content
    opened(left)
    assert verify_ledger(left, PUBLIC_KEY, ORIGIN, store.files["checkpoint"]).size == n_entries


@pytest.mark.parametrize("name", ["tile/0/000.p/5", "tile/entries/000.p/5"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("zeros", [False, True])
def test_newest_tiles_that_a_power_cut_left_in_part_are_made_again(name: str, share: float, zeros: bool) -> None:
    store = MemoryLedger()
    filled(begun(store), 5)
    left = store.after_kill()
    content = left.files[name]
    beginning = content[: int(len(content) * share)]
    left.files[name] = beginning.ljust(len(content) if zeros else 0, b"\0")
    opened(left)
    assert left.files[name] == content
    assert verify_ledger(left, PUBLIC_KEY, ORIGIN).size == 5


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5"])
def test_newest_files_that_were_altered_are_refused_not_mended(name: str) -> None:
    store = MemoryLedger()
    filled(begun(store), 5)
    left = store.after_kill()
    content = left.files[name]
    other = b"y" if content[-9:-8] == b"x" else b"x"  # a signature is another each time
    left.files[name] = content[:-9] + other + content[-8:]
    before = dict(left.files)
    assert refused_code(left) in (Code.LEDGER_UNSIGNED, Code.LEDGER_DAMAGED)
    assert left.files == before


def test_records_ahead_that_were_altered_are_made_again_from_what_is_published() -> None:
    store = MemoryLedger()
    filled(begun(store), 5)
    content = store.files[file_name(0)]
    for place in (0, 3, 40, len(content) // 2, len(content) - 1):
        left = store.after_kill()
        left.files[file_name(0)] = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        filled(opened(left), 2)
        assert verify_ledger(left, PUBLIC_KEY, ORIGIN, store.files["checkpoint"]).size == 7


def test_a_checkpoint_put_back_is_refused() -> None:
    """An older checkpoint with older tiles, while the records ahead have begun a later bundle."""
    store = MemoryLedger()
    ledger = filled(begun(store), 250)
    old = store.files["checkpoint"]
    filled(ledger, 10)
    left = store.after_kill()
    left.files["checkpoint"] = old
    assert refused_code(left) is Code.LEDGER_DAMAGED


def test_a_root_that_the_entries_do_not_give_is_refused() -> None:
    for n_entries in (5, 256, 257):
        store = MemoryLedger()
        filled(begun(store), n_entries)
        for size in (n_entries, n_entries - 1):
            left = store.after_kill()
            left.files["checkpoint"] = checkpoint_note(
                Checkpoint(ORIGIN, size, b"r" * 32), PUBLIC_KEY, SeedSigner().sign
            )
            assert refused_code(left) is Code.LEDGER_DAMAGED


def test_altered_tiles_of_the_right_edge_are_refused() -> None:
    store = MemoryLedger()
    filled(begun(store), 520)
    left = store.after_kill()
    left.files["tile/1/000.p/2"] = bytes(64)
    assert refused_code(left) is Code.LEDGER_DAMAGED
    del left.files["tile/1/000.p/2"]
    assert refused_code(left) is Code.LEDGER_DAMAGED


def test_a_ledger_put_back_under_an_open_one_is_refused() -> None:
    for n_entries in (3, 250, 300):
        store = MemoryLedger()
        ledger = filled(begun(store), n_entries)
        old = dict(store.files)
        filled(ledger, 20)
        store.files = old
        with pytest.raises(NotAsPromised) as refused:
            ledger.record(Action.LOGIN, ALICE)
        assert refused.value.code is Code.LEDGER_FORKED


def test_another_ledger_of_the_same_key_under_an_open_one_is_refused() -> None:
    for n_entries in (3, 300):
        store = MemoryLedger()
        ledger = filled(begun(store), n_entries)
        other = MemoryLedger()
        filled(begun(other, clock=SteppingClock(START.replace(hour=10))), n_entries + 300)
        store.files = dict(other.files)
        with pytest.raises(NotAsPromised) as refused:
            ledger.record(Action.LOGIN, ALICE)
        assert refused.value.code is Code.LEDGER_FORKED


class FailingLedger(MemoryLedger):
    """A store whose writes to some files are refused while ``fails`` is set."""

    fails = ""
    sync_fails = False
    cuts_fail = False

    def write(self, name: str, content: bytes, *, durable: bool) -> None:
        if self.fails and self.fails in name:
            raise refusal(Code.LEDGER_UNWRITABLE, "The ledger's storage is full.")
        super().write(name, content, durable=durable)

    def append(self, name: str, content: bytes, *, durable: bool = True) -> None:
        if self.fails and self.fails in name:
            raise refusal(Code.LEDGER_UNWRITABLE, "The ledger's storage is full.")
        super().append(name, content, durable=durable)

    def sync(self, name: str) -> None:
        if self.sync_fails:
            raise refusal(Code.LEDGER_UNWRITABLE, "The ledger's storage cannot be reached.")
        super().sync(name)

    def cut(self, name: str, length: int) -> None:
        if self.cuts_fail:
            raise refusal(Code.LEDGER_UNWRITABLE, "The ledger's storage is full.")
        super().cut(name, length)


@pytest.mark.parametrize("fails", ["tile/entries", "tile/0", "checkpoint", "private/ahead", "private/sessions"])
@pytest.mark.parametrize("n_entries", [4, 255, 256])
def test_what_cannot_be_written_did_not_happen(fails: str, n_entries: int) -> None:
    store = FailingLedger()
    ledger = filled(begun(store), n_entries)
    ledger.close()
    store.fails = fails
    with pytest.raises(NotAsPromised) as refused:
        ledger.intent(Action.STUDY, ALICE)
    assert refused.value.code is Code.LEDGER_UNWRITABLE
    store.fails = ""
    assert ledger.size() == n_entries
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).n_open == 0
    with ledger.intent(Action.STUDY, ALICE):
        pass
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == n_entries + 2


def test_an_outcome_that_may_stand_is_not_written_twice() -> None:
    """The outcome is durable, cannot be published and cannot be taken back; the block then tries again."""
    store = FailingLedger()
    ledger = begun(store)
    ticket = ledger.intent(Action.STUDY, ALICE)
    store.fails, store.cuts_fail = "tile/0", True
    with pytest.raises(NotAsPromised):
        ticket.outcome(Outcome.DONE)
    store.fails, store.cuts_fail = "", False
    assert ticket.outcome(Outcome.DONE) == 1
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 2


def test_an_entry_whose_disk_fails_outside_the_lock_is_refused_and_told_once() -> None:
    """Others wait, so the entry is added first and made durable after: whether it stands is not known then."""
    store = FailingLedger()
    ledger = begun(store)
    ticket = ledger.intent(Action.STUDY, ALICE)
    store.awaited_share, store.sync_fails = 1.0, True
    with pytest.raises(NotAsPromised):
        ticket.outcome(Outcome.DONE)
    store.sync_fails = False
    assert ticket.outcome(Outcome.DONE) == 1
    store.sync_fails = True
    with pytest.raises(NotAsPromised):
        ledger.intent(Action.STUDY, ALICE)
    store.awaited_share, store.sync_fails = 0.0, False
    ledger.close()
    left = store.after_kill()
    assert opened(left).size() == 4  # its process is gone: the doubtful intent is closed as interrupted
    report = verify_ledger(left, PUBLIC_KEY, ORIGIN)
    assert (report.size, report.n_open) == (4, 0)


def test_a_block_passes_its_own_fault_on_when_the_outcome_cannot_be_written() -> None:
    store = FailingLedger()
    ledger = begun(store)

    def work() -> None:
        with ledger.intent(Action.STUDY, ALICE):
            store.fails = "private/ahead"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as fault:
        work()
    assert fault.value.__notes__ == ["The outcome could not be written to the ledger."]
    store.fails = ""
    assert opened(store.after_kill()).size() == 2


def test_the_borders_of_higher_tiles_are_crossed() -> None:
    """A published ledger of 65 530 entries, made at one stroke, goes on past 65 536, where the second level fills."""
    size = 65_530
    entries = [entry_bytes(Entry(Kind.EVENT, Action.LOGIN, START, "salted:aa", facts={"n": n})) for n in range(size)]
    hashes = [leaf_hash(entry) for entry in entries]
    files = {
        tile.name: joined(entries[tile.n * 256 : tile.n * 256 + tile.width]) for tile in tiles_of_level(None, size)
    }
    level_hashes = hashes
    for level in range(n_levels(size)):
        for tile in tiles_of_level(level, size):
            files[tile.name] = b"".join(level_hashes[tile.n * 256 : tile.n * 256 + tile.width])
        level_hashes = [tree_root(level_hashes[i : i + 256]) for i in range(0, len(level_hashes) // 256 * 256, 256)]
    files["checkpoint"] = checkpoint_note(Checkpoint(ORIGIN, size, tree_root(hashes)), PUBLIC_KEY, SeedSigner().sign)
    store = MemoryLedger(files)
    ledger = opened(store)
    for n in range(size, size + 12):
        ledger.record(Action.LOGIN, ALICE, facts={"n": n})
    assert {"tile/0/255", "tile/1/000", "tile/2/000.p/1", "tile/0/256.p/6"} <= store.files.keys()
    assert "tile/1/000.p/255" not in store.files
    report = verify_ledger(store, PUBLIC_KEY, ORIGIN, files["checkpoint"])
    assert (report.size, report.n_entries) == (65_542, {Action.LOGIN: 65_542})
    again = MemoryLedger({name: content for name, content in store.files.items() if not name.startswith("private/")})
    assert [entry.facts["n"] for _, entry in opened(again).entries(65_535)] == list(range(65_535, 65_542))
    assert ledger.prove(7).path
