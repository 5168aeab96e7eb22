"""The end of the tree, where it grows: loaded and checked, grown by an entry, published as tiles and a checkpoint.

What is durable when: an entry first goes to the file written ahead (one sync). Then the partial tiles and the
checkpoint are put without a sync: a power cut may take them, and they are made again from the file written ahead.
When a bundle is full, it, its tile and the checkpoint are made durable, and the next file written ahead begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from enclos.ledger.model import Checkpoint
from enclos.ledger.ports import LedgerStore, Signer
from enclos.ledger.rules import ahead
from enclos.ledger.rules.merkle import (
    Peaks,
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    peaks_at,
    tree_root,
)
from enclos.ledger.rules.notes import checkpoint_note, read_checkpoint
from enclos.ledger.rules.tiles import (
    CHECKPOINT,
    WIDTH,
    Tile,
    joined,
    n_hashes,
    n_levels,
    nodes_from_tiles,
    tile_holding,
)
from enclos.ledger.steps.reading import (
    damaged,
    entry_of,
    is_blank,
    is_cut_short,
    nodes_of,
    stored_entries,
    stored_hashes,
)
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal


@dataclass(slots=True)
class Tail:
    """The bundle that is being filled and the right edge of the tree above it."""

    head: ahead.Head
    levels: list[list[bytes]]
    """For each level from 1 up: the hashes of its last, partial tile at the bundle's start."""
    peaks: Peaks
    code: bytes
    """The code of the last record written ahead."""
    end: int
    """The length of the file written ahead."""
    last_at: datetime | None
    note: bytes = b""
    """The checkpoint as it was last read or put."""
    published: Checkpoint | None = None
    """The same, read; None when there was none to read."""
    is_whole: bool = True
    """Whether the checkpoint and the newest tiles speak of every entry."""
    is_behind: bool = False
    """Whether the checkpoint is sound but older than the newest entries, whose writers left it to those who waited."""
    is_rebuilt: bool = False
    """Whether the file written ahead was lost and made again from what is published."""
    entries: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of entries of the ledger."""
        return self.peaks.size

    @property
    def is_full(self) -> bool:
        """Whether the bundle can take no more."""
        return len(self.leaves) == WIDTH

    @property
    def bundle(self) -> int:
        """The number of the bundle that is being filled."""
        return self.head.size // WIDTH

    def grow(self, entry: bytes, code: bytes, end: int) -> None:
        """Take up an entry that was written ahead."""
        leaf = leaf_hash(entry)
        self.entries.append(entry)
        self.leaves.append(leaf)
        self.peaks = self.peaks.grown(leaf)
        self.code, self.end = code, end


@dataclass(frozen=True, slots=True)
class TailKeeper:
    """What loading, growing and publishing need: where, under which name, with which keys."""

    store: LedgerStore
    signer: Signer
    public_key: bytes
    ahead_key: bytes = field(repr=False)
    origin: str

    # -- loading

    def begin(self) -> Tail:
        """The tail of a ledger without entries, put in the store."""
        head = ahead.Head(self.origin, 0, Peaks().root, None)
        tail = self._ahead_of(head, [], Peaks())
        self.publish(tail, durable=True)
        return tail

    def load(self) -> Tail:
        """The ledger's tail, checked against its checkpoint.

        Refuses: LEDGER_MISSING; LEDGER_UNSIGNED or LEDGER_DAMAGED when what is stored is not what was signed.
        """
        note = self.store.read(CHECKPOINT) or b""
        # A power cut can leave the newest checkpoint empty; the codes of the records stand in for it.
        checkpoint = None if is_blank(note) else read_checkpoint(note, self.origin, self.public_key)
        bundles = [bundle for name in self.store.names(ahead.FOLDER) if (bundle := ahead.bundle_of(name)) is not None]
        if not bundles and checkpoint is None:
            raise refusal(Code.LEDGER_MISSING, "There is no ledger here.", "Restore it from its backup.")
        tail = self._from_ahead(max(bundles), checkpoint) if bundles else None
        if tail is None:
            if checkpoint is None:
                raise damaged("The ledger's checkpoint and the records written ahead are both unreadable.")
            tail = self._from_published(checkpoint)
        tail.note = note
        tail.published = checkpoint
        tail.is_whole = checkpoint is not None and checkpoint.size == tail.size and self._tiles_stand(tail)
        for bundle in bundles:
            if bundle != tail.bundle:  # a crash came between beginning this file and removing the one before
                self._remove_ahead_of(bundle)
        return tail

    def _tiles_stand(self, tail: Tail) -> bool:
        """Whether the newest tiles are there; a power cut may have taken them, or a part of them.

        Refuses: LEDGER_DAMAGED when there is something else in their place.
        """
        stored = [(self.store.read(tile.name), content) for tile, content in self._changed_tiles(tail)]
        if any(found is not None and not is_cut_short(found, content) for found, content in stored):
            raise damaged("The newest tiles are not those of the entries.")
        return all(found == content for found, content in stored)

    def refresh(self, tail: Tail) -> Tail:
        """The tail as it is now: the same, grown by what other processes wrote, or loaded anew.

        Refuses: LEDGER_FORKED when the ledger no longer contains what this process has seen of it.
        """
        note = self.store.read(CHECKPOINT)
        length = self.store.size(ahead.file_name(tail.bundle))
        if note == tail.note and length == tail.end:
            return tail
        seen = tail.published
        grown = self._caught_up(tail, note, length)
        if grown is None:
            grown = self.load()
            if seen and not self._contains(grown, seen):
                raise refusal(
                    Code.LEDGER_FORKED,
                    "The ledger no longer contains what it contained before.",
                    "Keep the files as they are and report it to the access body.",
                )
        return grown

    def _caught_up(self, tail: Tail, note: bytes | None, length: int | None) -> Tail | None:
        """The tail with the records that were added to its file since, or None when that does not explain all."""
        if not note or length is None or length <= tail.end:
            return None
        checkpoint = read_checkpoint(note, self.origin, self.public_key)
        added = self.store.read_from(ahead.file_name(tail.bundle), tail.end)
        found = ahead.records(self.ahead_key, added, tail.code, tail.end)
        if not found or found[-1].end != length:
            return None
        if note != tail.note and not tail.size <= checkpoint.size <= tail.size + len(found):
            return None
        if checkpoint.size == tail.size and checkpoint.root != tail.peaks.root:
            return None
        self._replay(tail, found, checkpoint)
        tail.note, tail.published, tail.is_whole = note, checkpoint, checkpoint.size == tail.size
        tail.is_behind = not tail.is_whole
        return tail

    def _contains(self, tail: Tail, earlier: Checkpoint) -> bool:
        start = tail.head.size
        if earlier.size > tail.size:
            return False
        if earlier.size < start:
            path = consistency_path(earlier.size, start, nodes_of(self.store, start))
            return is_consistent(earlier.size, start, path, earlier.root, tail.head.root)
        peaks = _peaks(start, tail.levels)
        for leaf in tail.leaves[: earlier.size - start]:
            peaks = peaks.grown(leaf)
        return peaks.root == earlier.root

    def _from_ahead(self, bundle: int, checkpoint: Checkpoint | None) -> Tail | None:
        """The tail that the file written ahead gives, or None when it does not reach the checkpoint."""
        name = ahead.file_name(bundle)
        found = ahead.records(self.ahead_key, self.store.read(name) or b"")
        if not found:
            return None
        head = ahead.read_head(found[0].entry)
        if head.origin != self.origin or head.size != bundle * WIDTH or len(found) > WIDTH + 1:
            return None
        if checkpoint and checkpoint.size < head.size:
            raise damaged("The checkpoint is older than the records written ahead.")
        if checkpoint and checkpoint.size > head.size + len(found) - 1:
            return None
        levels = self._levels(head.size)
        peaks = _peaks(head.size, levels)
        if peaks.root != head.root:
            raise damaged("The tiles do not lead to the root that they were signed with.")
        tail = Tail(head, levels, peaks, found[0].code, found[0].end, head.last_at)
        if checkpoint and checkpoint.size == head.size and checkpoint.root != peaks.root:
            raise damaged("The checkpoint's root is not that of the entries.")
        self._replay(tail, found[1:], checkpoint)
        if self.store.size(name) != tail.end:  # a record that a crash cut short
            self.store.cut(name, tail.end)
        return tail

    def _replay(self, tail: Tail, found: Sequence[ahead.Record], checkpoint: Checkpoint | None) -> None:
        for record in found:
            tail.grow(record.entry, record.code, record.end)
            if checkpoint and tail.size == checkpoint.size and tail.peaks.root != checkpoint.root:
                raise damaged("The checkpoint's root is not that of the entries.")
        if found:
            tail.last_at = entry_of(found[-1].entry, tail.size - 1).at

    def _from_published(self, checkpoint: Checkpoint) -> Tail:
        """The tail that the tiles under the checkpoint give; the file written ahead is made again."""
        width = checkpoint.size % WIDTH
        start = checkpoint.size - width
        entries = stored_entries(self.store, tile_holding(None, start, checkpoint.size)) if width else []
        levels = self._levels(start)
        peaks = _peaks(start, levels)
        for entry in entries:
            peaks = peaks.grown(leaf_hash(entry))
        if peaks.root != checkpoint.root:
            raise damaged("The published entries do not lead to the signed root.")
        last_at = self._last_instant(checkpoint)
        start_peaks = _peaks(start, levels)
        tail = self._ahead_of(ahead.Head(self.origin, start, start_peaks.root, last_at), levels, start_peaks, entries)
        tail.last_at, tail.is_rebuilt = last_at, True
        return tail

    def _last_instant(self, checkpoint: Checkpoint) -> datetime | None:
        if checkpoint.size == 0:
            return None
        last = checkpoint.size - 1
        data = stored_entries(self.store, tile_holding(None, last, checkpoint.size))[-1]
        path = inclusion_path(last, checkpoint.size, nodes_of(self.store, checkpoint.size))
        if not is_included(last, checkpoint.size, leaf_hash(data), path, checkpoint.root):
            raise damaged("The last published entry is not the one that was signed.")
        return entry_of(data, last).at

    def _levels(self, size: int) -> list[list[bytes]]:
        levels = []
        for level in range(1, n_levels(size)):
            n_full, width = divmod(n_hashes(level, size), WIDTH)
            levels.append(stored_hashes(self.store, Tile(level, n_full, width)) if width else [])
        return levels

    def _ahead_of(
        self, head: ahead.Head, levels: list[list[bytes]], peaks: Peaks, entries: Sequence[bytes] = ()
    ) -> Tail:
        """Put the file written ahead of a bundle, with what the bundle already holds."""
        content = ahead.record(self.ahead_key, ahead.head_bytes(head), b"")
        code = content[-ahead.CODE_BYTES :]
        tail = Tail(head, levels, peaks, code, len(content), head.last_at)
        for entry in entries:
            content += ahead.record(self.ahead_key, entry, tail.code)
            tail.grow(entry, content[-ahead.CODE_BYTES :], len(content))
        self.store.write(ahead.file_name(tail.bundle), content, durable=True)
        return tail

    # -- growing

    def write_ahead(self, tail: Tail, entry: bytes, at: datetime, *, durable: bool = True) -> None:
        """Add an entry; it is part of the ledger, once it is durable, unless it is taken back."""
        record = ahead.record(self.ahead_key, entry, tail.code)
        self.store.append(ahead.file_name(tail.bundle), record, durable=durable)
        tail.grow(entry, record[-ahead.CODE_BYTES :], tail.end + len(record))
        tail.last_at = at

    def take_back(self, tail: Tail, end_before: int) -> bool:
        """Remove the last entry, which could not be published; False when it turns out to be published after all.

        When the storage does not even allow this, the entry stays, and whoever opens the ledger next publishes it.
        """
        with suppress(Refusal):
            checkpoint = read_checkpoint(self.store.read(CHECKPOINT) or b"", self.origin, self.public_key)
            if checkpoint.size == tail.size:
                return False
            self.store.cut(ahead.file_name(tail.bundle), end_before)
        return True

    def settle(self, tail: Tail, *, durable: bool) -> None:
        """Publish entries that others may have added and not yet made durable: that comes first."""
        self.store.sync(ahead.file_name(tail.bundle))
        self.publish(tail, durable=durable)

    def publish(self, tail: Tail, *, durable: bool = False) -> None:
        """Put the tiles and the checkpoint of a tail whose entries are all durable."""
        is_full = tail.is_full
        for tile, content in self._changed_tiles(tail):
            self.store.write(tile.name, content, durable=is_full or durable)
        checkpoint = Checkpoint(self.origin, tail.size, tail.peaks.root)
        note = checkpoint_note(checkpoint, self.public_key, self.signer.sign)
        self.store.write(CHECKPOINT, note, durable=is_full or durable)
        tail.note, tail.published, tail.is_whole, tail.is_behind = note, checkpoint, True, False

    def _changed_tiles(self, tail: Tail) -> list[tuple[Tile, bytes]]:
        width = len(tail.leaves)
        if not width:
            return []
        changed = [
            (Tile(None, tail.bundle, width), joined(tail.entries)),
            (Tile(0, tail.bundle, width), b"".join(tail.leaves)),
        ]
        if width == WIDTH:
            for level, hashes in enumerate(_raised(tail.levels, tree_root(tail.leaves)), 1):
                n = (n_hashes(level, tail.size) - 1) // WIDTH
                changed.append((Tile(level, n, len(hashes)), b"".join(hashes)))
                if len(hashes) < WIDTH:
                    break
        return changed

    def roll(self, tail: Tail) -> Tail:
        """Begin the next bundle once the present one is full and published; else the same tail."""
        if not tail.is_full:
            return tail
        levels = _raised(tail.levels, tree_root(tail.leaves))
        filled = [
            Tile(level, n_hashes(level, tail.size) // WIDTH - 1)
            for level, hashes in enumerate(levels, 1)
            if len(hashes) == WIDTH
        ]
        head = ahead.Head(self.origin, tail.size, tail.peaks.root, tail.last_at)
        rolled = self._ahead_of(head, [hashes if len(hashes) < WIDTH else [] for hashes in levels], tail.peaks)
        rolled.note, rolled.published = tail.note, tail.published
        self._remove_partials(filled)
        self._remove_ahead_of(tail.bundle)
        return rolled

    def _remove_ahead_of(self, bundle: int) -> None:
        self._remove_partials([Tile(None, bundle), Tile(0, bundle)])
        self.store.delete([ahead.file_name(bundle)])

    def _remove_partials(self, tiles: Sequence[Tile]) -> None:
        self.store.delete([name for tile in tiles for name in self.store.names(tile.partials)])


def _raised(levels: Sequence[Sequence[bytes]], tile_hash: bytes) -> list[list[bytes]]:
    """The levels above the leaves once one more tile of leaves is full; a full level is still shown full."""
    raised = [list(hashes) for hashes in levels]
    carry: bytes | None = tile_hash
    for hashes in raised:
        if carry is None:
            break
        hashes.append(carry)
        carry = tree_root(hashes) if len(hashes) == WIDTH else None
    if carry is not None:
        raised.append([carry])
    return raised


def _peaks(size: int, levels: Sequence[Sequence[bytes]]) -> Peaks:
    """The peaks of a tree of full bundles, from the right edge of its levels."""
    return peaks_at(size, nodes_from_tiles(size, lambda tile: list(levels[(tile.level or 0) - 1])))
