"""Look at a ledger from elsewhere, and remember what was seen."""

from __future__ import annotations

from enclos.ledger.model import Checkpoint
from enclos.ledger.ports import LedgerReader, WitnessMemory
from enclos.ledger.rules.merkle import consistency_path, is_consistent
from enclos.ledger.rules.notes import read_checkpoint
from enclos.ledger.rules.tiles import CHECKPOINT
from enclos.ledger.steps.reading import nodes_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal


def witness(store: LedgerReader, memory: WitnessMemory, public_key: bytes, origin: str) -> Checkpoint:
    """The ledger's checkpoint, when the ledger still contains all that this witness has seen; it is remembered.

    What contradicts the memory is kept as evidence, and the memory stays. The witness reads the tiles that the proof
    needs, no entry.
    Refuses: LEDGER_UNSIGNED; LEDGER_FORKED when entries that were seen are gone or altered, or the ledger is shorter.
    Source: RFC 6962 § 2.1.2.
    """
    note = store.read(CHECKPOINT) or b""
    checkpoint = read_checkpoint(note, origin, public_key)
    remembered = memory.recall()
    if remembered is not None:
        earlier = read_checkpoint(remembered, origin, public_key)
        if not _is_continued(store, earlier, checkpoint):
            memory.keep_conflict(note)
            raise refusal(
                Code.LEDGER_FORKED,
                f"The ledger no longer contains the {earlier.size} entries that this witness has seen.",
                "Keep both checkpoints and report them to the access body.",
            )
    memory.remember(note)
    return checkpoint


def _is_continued(store: LedgerReader, earlier: Checkpoint, later: Checkpoint) -> bool:
    if earlier.size > later.size:
        return False
    try:
        path = consistency_path(earlier.size, later.size, nodes_of(store, later.size))
    except (Refusal, ValueError):
        return False
    return is_consistent(earlier.size, later.size, path, earlier.root, later.root)
