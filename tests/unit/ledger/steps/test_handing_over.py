"""The ledger's key changes hands: the last checkpoint opens under both keys, the next under the new one alone."""

from __future__ import annotations

import pytest

from enclos.ledger.model import Action
from enclos.ledger.rules.notes import read_checkpoint, with_signature_of
from enclos.ledger.rules.tiles import CHECKPOINT, VERIFYING_KEY
from enclos.ledger.steps import Ledger, verify_ledger
from enclos.lexicon.refusals import NotAsPromised
from factories.ledger import ORIGIN, SALT, SeedSigner, SteppingClock, begun
from fakes.ledger import MemoryLedger

OLD, NEW = SeedSigner(7), SeedSigner(8)


def test_either_key_opens_a_ledger_that_was_handed_over_and_then_only_the_new_one():
    store, clock = MemoryLedger(), SteppingClock()
    with begun(store, seed=7, clock=clock) as ledger:
        ledger.record(Action.INIT, "operator")
        ledger.hand_over(NEW)
        ledger.hand_over(NEW)
    note = store.read(CHECKPOINT)
    assert note.count("\u2014 ".encode()) == 2
    one, two = (read_checkpoint(note, ORIGIN, signer.public_key()) for signer in (OLD, NEW))
    assert one == two
    with Ledger.open(store, OLD, clock, SALT, ORIGIN) as ledger:
        assert ledger.size() == 1
    assert verify_ledger(store, NEW.public_key(), ORIGIN).size == 1
    with Ledger.open(store, NEW, clock, SALT, ORIGIN) as ledger:
        ledger.record(Action.KEY_DESTROY, "operator")
    assert verify_ledger(store, NEW.public_key(), ORIGIN).size == 2
    with pytest.raises(NotAsPromised):
        verify_ledger(store, OLD.public_key(), ORIGIN)
    with pytest.raises(NotAsPromised):
        Ledger.open(store, OLD, clock, SALT, ORIGIN)
    name_and_key = store.read(VERIFYING_KEY).decode()
    assert name_and_key.startswith(f"{ORIGIN}+")


def test_signatures_of_another_text_are_not_joined():
    with pytest.raises(ValueError, match="different texts"):
        with_signature_of(b"a\n\nx\n", b"b\n\ny\n")
