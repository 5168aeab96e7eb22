"""What a reader of the ledger kept is believed only by whoever kept it, and of the very ledger that was read."""

from __future__ import annotations

import pytest

from enclos.ledger.rules.tiles import WIDTH
from enclos.ledger.steps import Ledger
from factories.ledger import SALT, SeedSigner, SteppingClock, begun, filled, opened
from fakes.ledger import MemoryLedger

READER, KNOWN = "reader", b"what it knew"
FILE = f"private/read/{READER}"


@pytest.fixture
def store() -> MemoryLedger:
    """A ledger of two full bundles and some entries, with what a reader knew of the first two."""
    store = MemoryLedger()
    ledger = filled(begun(store), 2 * WIDTH + 9)
    assert ledger.put_bookmark(READER, 2 * WIDTH, lambda: KNOWN)
    return store


def test_a_reader_goes_on_from_where_it_stopped_however_long_the_ledger_became(store: MemoryLedger) -> None:
    assert opened(store).bookmark(READER) == (2 * WIDTH, KNOWN)
    ledger = opened(store)
    for n_more in (1, 2 * WIDTH, 300):
        assert filled(ledger, n_more).bookmark(READER) == (2 * WIDTH, KNOWN)


def test_it_is_kept_of_full_bundles_alone(store: MemoryLedger) -> None:
    ledger = opened(store)
    assert not any(ledger.put_bookmark("another", size, lambda: KNOWN) for size in (WIDTH, 2 * WIDTH + 9, 3 * WIDTH))
    assert ledger.bookmark("another") == (0, b"")


def test_no_byte_of_it_can_be_changed_or_left_out(store: MemoryLedger) -> None:
    whole = store.files[FILE]
    for at in range(len(whole)):
        store.files[FILE] = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        assert opened(store).bookmark(READER) == (0, b"")
        store.files[FILE] = whole[:at]
        assert opened(store).bookmark(READER) == (0, b"")


def test_it_is_of_one_reader(store: MemoryLedger) -> None:
    store.files["private/read/another"] = store.files[FILE]
    assert opened(store).bookmark("another") == (0, b"")


def test_it_is_not_taken_for_what_was_read_of_an_earlier_or_another_ledger(store: MemoryLedger) -> None:
    shorter = MemoryLedger()
    filled(begun(shorter), WIDTH + 9)
    another = MemoryLedger()
    filled(begun(another, clock=SteppingClock()), 3)
    filled(opened(another), 2 * WIDTH + 40)
    for other in (shorter, another):
        other.files[FILE] = store.files[FILE]
        assert opened(other).bookmark(READER) == (0, b"")


def test_it_goes_with_the_key_of_the_digests(store: MemoryLedger) -> None:
    other = type(SALT)(SALT.name, bytes(32))
    public = {name: content for name, content in store.files.items() if not name.startswith("private/ahead")}
    ledger = Ledger.open(MemoryLedger(public), SeedSigner(), SteppingClock(), other, "ledger.example/emc2")
    assert ledger.bookmark(READER) == (0, b"")
