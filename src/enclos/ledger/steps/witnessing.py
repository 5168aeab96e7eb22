"""Look at a ledger from elsewhere, remember what was seen, and say so under a key of one's own."""

from __future__ import annotations

from datetime import datetime, timedelta

from enclos.ledger.model import Checkpoint, Entry, Witnessed
from enclos.ledger.ports import Clock, Cosigner, LedgerReader, WitnessMemory
from enclos.ledger.rules.entries import instant_text
from enclos.ledger.rules.merkle import consistency_path, inclusion_path, is_consistent, is_included, leaf_hash
from enclos.ledger.rules.notes import cosigned, read_checkpoint, read_cosigned
from enclos.ledger.rules.tiles import CHECKPOINT, WIDTH, tiles_of_level
from enclos.ledger.steps.reading import damaged, entry_of, nodes_of, stored_entries
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

TOLERANCE = timedelta(minutes=5)
"""How far two clocks, and the moments of writing and of looking, may lie apart."""


def witness(
    store: LedgerReader,
    memory: WitnessMemory,
    public_key: bytes,
    origin: str,
    cosigner: Cosigner,
    clock: Clock,
    tolerance: timedelta = TOLERANCE,
) -> Witnessed:
    """The ledger's checkpoint under this witness's signature, when all is still as it was seen; it is remembered.

    Demanded: the tree contains the one remembered; entries that are new since then bear times after that look and
    before now, in order. So neither can a history be replaced, nor a clock be held back to outlive a permit.
    What contradicts the memory is kept as evidence, and the memory stays.
    In: tolerance — for the clocks, and for how old the files are when the witness sees a copy of them.
    Refuses: LEDGER_UNSIGNED; LEDGER_FORKED when entries that were seen are gone or altered, or the ledger is shorter;
        LEDGER_DISORDERED when new entries bear other times; LEDGER_DAMAGED when they cannot be read; CLOCK_BEHIND when
        it is the witness's own clock that runs back.
    Source: RFC 6962 § 2.1.2; C2SP tlog-cosignature.
    """
    note = store.read(CHECKPOINT) or b""
    checkpoint = read_checkpoint(note, origin, public_key)
    now = clock.now().replace(microsecond=0)
    remembered = memory.recall()
    if remembered is not None:
        earlier, seen_at = _earlier(remembered, origin, public_key, cosigner)
        if seen_at is not None and now < seen_at:
            raise refusal(
                Code.CLOCK_BEHIND, "This witness's clock shows an instant before its last look.", "Set its clock."
            )
        try:
            _demand_continued(store, earlier, checkpoint)
            _demand_times(store, earlier, checkpoint, seen_at and seen_at - tolerance, now + tolerance)
        except Refusal:
            memory.keep_conflict(note)
            raise
    signed = cosigned(note, cosigner.name, cosigner.public_key(), now, cosigner.sign)
    memory.remember(signed)
    return Witnessed(checkpoint, now, signed)


def _earlier(
    remembered: bytes, origin: str, public_key: bytes, cosigner: Cosigner
) -> tuple[Checkpoint, datetime | None]:
    """What was seen and when: by this witness's own signature, since the ledger's key may have changed.

    A memory of the time before witnesses signed bears the ledger's signature only.
    """
    try:
        return read_cosigned(remembered, origin, cosigner.name, cosigner.public_key())
    except Refusal:
        return read_checkpoint(remembered, origin, public_key), None


def _demand_continued(store: LedgerReader, earlier: Checkpoint, later: Checkpoint) -> None:
    if not _is_continued(store, earlier, later):
        raise refusal(
            Code.LEDGER_FORKED,
            f"The ledger no longer contains the {earlier.size} entries that this witness has seen.",
            "Keep both checkpoints and report them to the access body.",
        )


def _is_continued(store: LedgerReader, earlier: Checkpoint, later: Checkpoint) -> bool:
    """Whether the later tree begins with the earlier one, as the tiles prove it."""
    if earlier.size > later.size:
        return False
    try:
        path = consistency_path(earlier.size, later.size, nodes_of(store, later.size))
    except (Refusal, ValueError):
        return False
    return is_consistent(earlier.size, later.size, path, earlier.root, later.root)


def _demand_times(
    store: LedgerReader, earlier: Checkpoint, later: Checkpoint, floor: datetime | None, ceiling: datetime
) -> None:
    """The new entries, each proved to be in the tree, bear times from floor to ceiling that never run back."""
    node = nodes_of(store, later.size)
    for bundle in tiles_of_level(None, later.size):
        if bundle.n * WIDTH + bundle.width <= earlier.size:
            continue
        for index, data in enumerate(stored_entries(store, bundle), bundle.n * WIDTH):
            if index < earlier.size:
                continue
            path = inclusion_path(index, later.size, node)
            if not is_included(index, later.size, leaf_hash(data), path, later.root):
                raise damaged(f"Entry {index} is not what was signed.")
            floor = _time_of(entry_of(data, index), index, floor, ceiling)


def _time_of(entry: Entry, index: int, floor: datetime | None, ceiling: datetime) -> datetime:
    bound, limit = ("after", ceiling) if entry.at > ceiling else ("before", floor)
    if limit is not None and (entry.at > ceiling or entry.at < limit):
        raise refusal(
            Code.LEDGER_DISORDERED,
            f"Entry {index} bears a time {bound} {instant_text(limit)}, when it cannot have been written.",
            "Report it to the access body: the enclosure's clock is wrong, or was held back.",
        )
    return entry.at
