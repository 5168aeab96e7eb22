"""The tree as static files: tiles of 256 hashes, bundles of 256 entries. Source: C2SP tlog-tiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from enclos.ledger.model import HASH_BYTES
from enclos.ledger.rules.merkle import NodeHash, tree_root

WIDTH = 256
TILE_HEIGHT = 8
CHECKPOINT = "checkpoint"
VERIFYING_KEY = "ledger.vkey"
TILES = "tile"
SEALS = "seal"
"""The checkpoint that ended each day. Source: French security framework of the SNDS, § 7.1, daily sealing of traces."""

_LAST_LEVEL = 63
_NAME = re.compile(r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?")


def seal_of(day: date) -> str:
    """The name of the file that seals a day."""
    return f"{SEALS}/{day.isoformat()}"


def sealed_day(name: str) -> date | None:
    """The day that a file of this name seals; None when it is no seal."""
    try:
        day = date.fromisoformat(name.removeprefix(f"{SEALS}/"))
    except ValueError:
        return None
    return day if seal_of(day) == name else None


@dataclass(frozen=True, slots=True)
class Tile:
    """One file: the hashes of a level, or the entries (level None); the n-th of its level, ``width`` items wide."""

    level: int | None
    n: int
    width: int = WIDTH

    @property
    def name(self) -> str:
        """The file's name."""
        digits = str(self.n)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{TILES}/{level}/{path}{partial}"

    @property
    def partials(self) -> str:
        """The folder of the same tile's partial ones."""
        return f"{self.whole.name}.p"

    @property
    def whole(self) -> Tile:
        """The same tile when it is full."""
        return Tile(self.level, self.n)


def tile_of(name: str) -> Tile | None:
    """The tile that a file's name stands for, or None when it is no tile's name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    level, path, width = match.groups()
    tile = Tile(
        None if level == "entries" else int(level),
        int(path.replace("x", "").replace("/", "")),
        WIDTH if width is None else int(width),
    )
    is_valid = (tile.level or 0) <= _LAST_LEVEL and tile.name == name
    return tile if is_valid else None


def n_hashes(level: int, size: int) -> int:
    """How many hashes a level holds in a tree of that size."""
    return size >> (TILE_HEIGHT * level)


def n_levels(size: int) -> int:
    """How many levels of tiles a tree of that size has."""
    return -(-size.bit_length() // TILE_HEIGHT)


def tiles_of_level(level: int | None, size: int) -> Iterator[Tile]:
    """The tiles of a level (None: entry bundles) in a tree of that size; the last may be partial."""
    n_full, width = divmod(n_hashes(level or 0, size), WIDTH)
    for n in range(n_full):
        yield Tile(level, n)
    if width:
        yield Tile(level, n_full, width)


def tile_holding(level: int | None, place: int, size: int) -> Tile:
    """The tile that holds the item at ``place`` of a level, as wide as a tree of that size makes it."""
    n = place // WIDTH
    return Tile(level, n, min(WIDTH, n_hashes(level or 0, size) - n * WIDTH))


def joined(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle holds them, each after its length."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split(bundle: bytes) -> list[bytes]:
    """The entries of a bundle.

    Refuses: ValueError when the lengths do not fill the bundle exactly.
    """
    entries, offset = [], 0
    while offset < len(bundle):
        start = offset + 2
        end = start + int.from_bytes(bundle[offset:start], "big")
        if start > len(bundle) or end > len(bundle):
            raise ValueError("a bundle ends within an entry")
        entries.append(bundle[start:end])
        offset = end
    return entries


def hashes_in(tile: bytes) -> list[bytes]:
    """The hashes of a tile.

    Refuses: ValueError when the tile does not hold whole hashes.
    """
    if len(tile) % HASH_BYTES:
        raise ValueError("a tile holds whole hashes")
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


def nodes_from_tiles(size: int, hashes_of: Callable[[Tile], list[bytes]]) -> NodeHash:
    """The subtree hashes of a tree of that size, computed from its tiles as they are asked for."""

    def node(height: int, index: int) -> bytes:
        level, rest = divmod(height, TILE_HEIGHT)
        start = index << rest
        hashes = hashes_of(tile_holding(level, start, size))
        first = start % WIDTH
        wanted = hashes[first : first + (1 << rest)]
        if len(wanted) != 1 << rest:
            raise ValueError("a tile is shorter than the tree needs")
        return tree_root(wanted)

    return node
