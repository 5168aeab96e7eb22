"""Reading the published files: tiles, entries and the hashes that proofs are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from enclos.ledger.model import HASH_BYTES, Entry
from enclos.ledger.ports import LedgerReader
from enclos.ledger.rules.entries import read_entry
from enclos.ledger.rules.merkle import NodeHash
from enclos.ledger.rules.tiles import Tile, hashes_in, nodes_from_tiles, split, tiles_of_level
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal


def damaged(what: str) -> Refusal:
    """The refusal of a ledger whose files are not as they were signed."""
    return refusal(Code.LEDGER_DAMAGED, what, "Keep the files as they are and report it to the access body.")


def stored_hashes(reader: LedgerReader, tile: Tile) -> list[bytes]:
    """The hashes of a tile, from its own file or, once it has filled, from the full one.

    Refuses: LEDGER_DAMAGED when neither file holds them.
    """
    content = reader.read(tile.name)
    if content is None:
        content = (reader.read(tile.whole.name) or b"")[: tile.width * HASH_BYTES]
    if len(content) != tile.width * HASH_BYTES:
        raise damaged(f"The tile {tile.name} is missing or has a wrong length.")
    return hashes_in(content)


def stored_entries(reader: LedgerReader, bundle: Tile) -> list[bytes]:
    """The entries of a bundle, from its own file or, once it has filled, from the full one.

    Refuses: LEDGER_DAMAGED when neither file holds them.
    """
    content = reader.read(bundle.name)
    is_own = content is not None
    try:
        entries = split(content if content is not None else reader.read(bundle.whole.name) or b"")
    except ValueError:
        raise damaged(f"The bundle {bundle.name} is torn.") from None
    if len(entries) < bundle.width or (is_own and len(entries) > bundle.width):
        raise damaged(f"The bundle {bundle.name} is missing or holds another number of entries.")
    return entries[: bundle.width]


def nodes_of(reader: LedgerReader, size: int) -> NodeHash:
    """The subtree hashes of the tree of that size, as the tiles hold them; each tile is read once."""
    seen: dict[Tile, list[bytes]] = {}

    def hashes_of(tile: Tile) -> list[bytes]:
        if tile not in seen:
            seen[tile] = stored_hashes(reader, tile)
        return seen[tile]

    return nodes_from_tiles(size, hashes_of)


def read_entries(reader: LedgerReader, size: int, start: int = 0) -> Iterator[tuple[int, Entry]]:
    """Index and entry, from ``start`` up to ``size``, as the bundles hold them; hashes are not checked here.

    Refuses: LEDGER_DAMAGED when a bundle is missing or an entry cannot be read.
    """
    return _entries(lambda bundle: stored_entries(reader, bundle), size, start)


def _entries(entries_of: Callable[[Tile], list[bytes]], size: int, start: int) -> Iterator[tuple[int, Entry]]:
    for bundle in tiles_of_level(None, size):
        first = bundle.n * 256
        if first + bundle.width <= start:
            continue
        for index, data in enumerate(entries_of(bundle), first):
            if index >= start:
                yield index, entry_of(data, index)


def entry_of(data: bytes, index: int) -> Entry:
    """The entry of its bytes.

    Refuses: LEDGER_DAMAGED when they are not what the ledger writes.
    """
    try:
        return read_entry(data)
    except (ValueError, RecursionError):
        raise damaged(f"Entry {index} is not in the ledger's form.") from None
