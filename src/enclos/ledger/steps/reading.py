"""Reading the published files: tiles, entries and the hashes that proofs are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enclos.ledger.model import HASH_BYTES, Entry
from enclos.ledger.ports import LedgerReader
from enclos.ledger.rules.entries import parse_entry
from enclos.ledger.rules.merkle import NodeHash, inclusion_path, is_included, leaf_hash, tree_root
from enclos.ledger.rules.tiles import TILE_HEIGHT, WIDTH, Tile, hashes_in, nodes_from_tiles, split, tiles_of_level
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal


def damaged(what: str) -> Refusal:
    """The refusal of a ledger whose files are not as they were signed."""
    return refusal(Code.LEDGER_DAMAGED, what, "Keep the files as they are and report it to the access body.")


def is_blank(content: bytes | None) -> bool:
    """Whether a file is missing, or as a power cut leaves one that was not yet durable."""
    return content is None or not content.strip(b"\0")


def is_cut_short(content: bytes, whole: bytes) -> bool:
    """Whether a file is the beginning of what was put, as a power cut leaves one of several blocks: shorter, or with
    zeros where the rest was to be.
    """
    return len(content) <= len(whole) and whole.startswith(content.rstrip(b"\0"))


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


def read_entries(
    reader: LedgerReader, size: int, root: bytes, start: int = 0, newest: Sequence[bytes] = ()
) -> Iterator[tuple[int, Entry]]:
    """Index and entry, from ``start`` to the end; every bundle is proved to lead to the root before it is believed.

    In: size, root — the tree of the entries in full bundles; newest — the entries after them, known to be right.
    Refuses: LEDGER_DAMAGED when a bundle is missing or is not what was signed.
    """
    node = nodes_of(reader, size)
    for bundle in tiles_of_level(None, size):
        if (bundle.n + 1) * WIDTH <= start:
            continue
        entries = stored_entries(reader, bundle)
        bundle_root = tree_root(leaf_hash(entry) for entry in entries)
        path = inclusion_path(bundle.n, size // WIDTH, lambda height, index: node(height + TILE_HEIGHT, index))
        if not is_included(bundle.n, size // WIDTH, bundle_root, path, root):
            raise damaged(f"The bundle {bundle.name} is not what was signed.")
        yield from _parsed(entries, bundle.n * WIDTH, start)
    yield from _parsed(newest, size, start)


def _parsed(entries: Sequence[bytes], first: int, start: int) -> Iterator[tuple[int, Entry]]:
    for index, data in enumerate(entries, first):
        if index >= start:
            yield index, entry_of(data, index)


def entry_of(data: bytes, index: int) -> Entry:
    """The entry of bytes that are known to be the ledger's own.

    Refuses: LEDGER_DAMAGED when they hold none.
    """
    try:
        return parse_entry(data)
    except (ValueError, RecursionError):
        raise damaged(f"Entry {index} is not in the ledger's form.") from None
