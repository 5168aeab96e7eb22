"""Check a whole ledger with nothing but its files, its public key and its origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime

from enclos.ledger.model import Action, Checkpoint, Entry, Fault, Kind, LedgerReport
from enclos.ledger.ports import LedgerReader
from enclos.ledger.rules.entries import read_entry
from enclos.ledger.rules.merkle import Peaks, leaf_hash, tree_root
from enclos.ledger.rules.notes import read_checkpoint, read_unsigned
from enclos.ledger.rules.order import fault_in_order
from enclos.ledger.rules.tiles import (
    CHECKPOINT,
    SEALS,
    TILE_HEIGHT,
    TILES,
    WIDTH,
    Tile,
    joined,
    n_hashes,
    n_levels,
    seal_of,
    sealed_day,
    tile_holding,
    tile_of,
    tiles_of_level,
)
from enclos.ledger.steps.reading import is_cut_short, stored_entries, stored_hashes
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal


def examine_ledger(
    store: LedgerReader, public_key: bytes, origin: str, witness_checkpoint: bytes | None = None
) -> LedgerReport:
    """What the ledger holds and all that is wrong with it, as far as it can be read.

    Checked: the checkpoint's signature; every entry's hash, every tile and the root; that time never runs back and
    each outcome follows its own intent; that each day's seal, from the first on, holds that day's entries, no more and
    no fewer; that the ledger contains the witness's checkpoint. Files that a crash left
    beyond the checkpoint are no part of the ledger and must only agree with it.
    In: witness_checkpoint — a checkpoint of this ledger that was kept elsewhere; without one, nobody can see that the
        newest entries were taken off and the rest signed again.
    Refuses: LEDGER_UNSIGNED when there is no checkpoint that can be believed: then nothing can be said.
    """
    checkpoint = read_checkpoint(store.read(CHECKPOINT) or b"", origin, public_key)
    earlier = None if witness_checkpoint is None else read_checkpoint(witness_checkpoint, origin, public_key)
    reading = _Reading(store, checkpoint, earlier)
    reading.run()
    return LedgerReport(
        origin=origin,
        size=checkpoint.size,
        root=checkpoint.root,
        n_entries=dict(reading.n_entries),
        n_open=len(reading.open_intents),
        last_at=reading.last_at,
        n_seals=len(reading.seals),
        faults=tuple(reading.faults),
    )


def verify_ledger(
    store: LedgerReader, public_key: bytes, origin: str, witness_checkpoint: bytes | None = None
) -> LedgerReport:
    """What the ledger holds, when nothing is wrong with it.

    In: as ``examine_ledger``.
    Refuses: the first fault, with how many there are.
    """
    report = examine_ledger(store, public_key, origin, witness_checkpoint)
    if report.faults:
        first = report.faults[0]
        more = f" ({len(report.faults)} faults in all)" if len(report.faults) > 1 else ""
        raise refusal(first.code, first.what + more, "Keep the files as they are and report it to the access body.")
    return report


@dataclass(slots=True)
class _Reading:
    """One pass over a ledger, from the first entry to the last."""

    store: LedgerReader
    checkpoint: Checkpoint
    earlier: Checkpoint | None
    faults: list[Fault] = field(default_factory=list)
    n_entries: Counter[Action] = field(default_factory=Counter)
    open_intents: dict[int, Entry] = field(default_factory=dict)
    last_at: datetime | None = None
    seals: dict[date, Checkpoint] = field(default_factory=dict)
    days: dict[date, Checkpoint] = field(default_factory=dict)
    """For each day but the last that has entries: the tree at its end."""
    hashes: list[list[bytes]] = field(default_factory=list)
    """For each level: the hash of every item, made from the entries."""

    def run(self) -> None:
        peaks = Peaks()
        if self.earlier and self.earlier.size > self.checkpoint.size:
            self._fault(Code.LEDGER_FORKED, "The ledger is shorter than the witness remembers it.")
        self._compare_witness(peaks)
        leaves: list[bytes] = []
        for data in self._all_entries():
            leaves.append(leaf_hash(data))
            self._take(data, len(leaves) - 1, peaks)
            peaks = peaks.grown(leaves[-1])
            self._compare_witness(peaks)
        if peaks.size != self.checkpoint.size or peaks.root != self.checkpoint.root:
            self._fault(Code.LEDGER_DAMAGED, "The entries do not lead to the signed root.")
        self.hashes = _levels(leaves)
        self._compare_tiles()
        self._compare_other_files()
        self._compare_seals()

    def _fault(self, code: Code, what: str) -> None:
        self.faults.append(Fault(code, what))

    def _all_entries(self) -> Iterator[bytes]:
        for bundle in tiles_of_level(None, self.checkpoint.size):
            try:
                yield from stored_entries(self.store, bundle)
            except Refusal as lacking:
                self._fault(lacking.code, lacking.what)
                return

    def _take(self, data: bytes, index: int, before: Peaks) -> None:
        try:
            entry = read_entry(data)
        except (ValueError, RecursionError):
            self._fault(Code.LEDGER_DAMAGED, f"Entry {index} is not in the ledger's form.")
            return
        if wrong := fault_in_order(entry, self.last_at, self.open_intents):
            self._fault(Code.LEDGER_DISORDERED, f"Entry {index} {wrong}.")
        if self.last_at is not None and self.last_at.date() < entry.at.date():
            self.days[self.last_at.date()] = Checkpoint(self.checkpoint.origin, before.size, before.root)
        self.last_at = entry.at if self.last_at is None else max(self.last_at, entry.at)
        if entry.intent is not None:
            self.open_intents.pop(entry.intent, None)
            return
        self.n_entries[entry.action] += 1
        if entry.kind is Kind.INTENT:
            self.open_intents[index] = entry

    def _compare_witness(self, peaks: Peaks) -> None:
        if self.earlier and self.earlier.size == peaks.size and self.earlier.root != peaks.root:
            self._fault(Code.LEDGER_FORKED, f"The first {peaks.size} entries are not those that the witness saw.")

    def _compare_tiles(self) -> None:
        for level in range(n_levels(self.checkpoint.size)):
            for tile in tiles_of_level(level, self.checkpoint.size):
                try:
                    stored = stored_hashes(self.store, tile)
                except Refusal as lacking:
                    self._fault(lacking.code, lacking.what)
                    continue
                if stored != self._made(tile):
                    self._fault(Code.LEDGER_DAMAGED, f"The tile {tile.name} is not that of the entries.")

    def _made(self, tile: Tile) -> list[bytes]:
        start = tile.n * WIDTH
        level = self.hashes[tile.level or 0] if (tile.level or 0) < len(self.hashes) else []
        return level[start : start + tile.width]

    def _compare_other_files(self) -> None:
        """Partial tiles of earlier checkpoints, and what a crash left beyond the last one, must agree with the tree."""
        for name in sorted(self.store.names(TILES)):
            tile = tile_of(name)
            if tile is None:
                self._fault(Code.LEDGER_DAMAGED, "There is a file among the tiles that is none.")
            elif not self._agrees(tile, self.store.read(name)):
                self._fault(Code.LEDGER_DAMAGED, f"The file {name} is not that of the entries.")

    def _compare_seals(self) -> None:
        """Each day since the first seal is sealed, and by the tree as it was at the day's end.

        The signature on a seal may be of a key that was rotated since; that its tree is part of this one, which is
        signed, says more.
        """
        for name in sorted({*self.store.names(SEALS), *self._seals_by_day()}):
            day = sealed_day(name)
            try:
                seal = None if day is None else read_unsigned(self.store.read(name) or b"", self.checkpoint.origin)
            except Refusal:
                seal = None
            if day is None or seal is None or self.days.get(day) != seal:
                if day is not None and day not in self.days and seal is not None and seal.size == self.checkpoint.size:
                    continue  # put just before the entry that begins the next day, which a crash then kept out
                self._fault(Code.LEDGER_DAMAGED, f"The file {name} is not the seal of that day's entries.")
            else:
                self.seals[day] = seal
        first = min(self.seals, default=None)
        for day in sorted(self.days.keys() - self.seals.keys()):
            if first is not None and day > first and self.store.read(seal_of(day)) is None:
                self._fault(Code.LEDGER_DAMAGED, f"The file {seal_of(day)} is missing.")

    def _seals_by_day(self) -> list[str]:
        """The seals that are there for the days that there were; a web address has no list of them."""
        return [seal_of(day) for day in self.days if self.store.read(seal_of(day)) is not None]

    def _agrees(self, tile: Tile, content: bytes | None) -> bool:
        n_in_tree = min(tile.width, n_hashes(tile.level or 0, self.checkpoint.size) - tile.n * WIDTH)
        if n_in_tree <= 0 or tile == tile_holding(tile.level, tile.n * WIDTH, self.checkpoint.size):
            return True  # wholly beyond the checkpoint, or needed by it and compared already
        made = self._put(tile, n_in_tree)
        if content is None or is_cut_short(content, made):
            return True  # no longer needed, and removed, or a power cut left its beginning or nothing
        return tile.width > n_in_tree and content.startswith(made)

    def _put(self, tile: Tile, width: int) -> bytes:
        """What a tile's file begins with, as far as the checkpoint reaches."""
        if tile.level is not None:
            return b"".join(self._made(tile)[:width])
        bundle = tile_holding(None, tile.n * WIDTH, self.checkpoint.size)
        with suppress(Refusal):  # it was a fault already
            return joined(stored_entries(self.store, bundle)[:width])
        return b""


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    levels = [leaves]
    while len(levels[-1]) >= WIDTH:
        below = levels[-1]
        levels.append(list(_tile_roots(below)))
    return levels


def _tile_roots(hashes: list[bytes]) -> Iterable[bytes]:
    for start in range(0, len(hashes) >> TILE_HEIGHT << TILE_HEIGHT, WIDTH):
        yield tree_root(hashes[start : start + WIDTH])
