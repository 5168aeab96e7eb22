import pytest

from enclos.ledger.rules.merkle import (
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    peaks_at,
    tree_root,
)
from enclos.ledger.rules.tiles import (
    Tile,
    hashes_in,
    joined,
    n_levels,
    nodes_from_tiles,
    split,
    tile_holding,
    tile_of,
    tiles_of_level,
)


@pytest.mark.parametrize(
    ("tile", "name"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 1234067), "tile/1/x001/x234/067"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(63, 999), "tile/63/999"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(None, 1234067, 8), "tile/entries/x001/x234/067.p/8"),
    ],
)
def test_names_are_those_of_the_specification(tile: Tile, name: str) -> None:
    assert tile.name == name
    assert tile_of(name) == tile


@pytest.mark.parametrize(
    "name",
    [
        "checkpoint",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/0/000.p/1/2",
        "tile/data/000",
        "tile/0/../000",
        "tile/0/٠٠٠",
    ],
)
def test_other_names_are_no_tiles(name: str) -> None:
    assert tile_of(name) is None


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    """C2SP tlog-tiles, partial tiles, first example."""
    tiles = [list(tiles_of_level(level, 70_000)) for level in range(n_levels(70_000))]
    assert [len(level) for level in tiles] == [274, 2, 1]
    assert [level[-1] for level in tiles] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert tiles[1][0] == Tile(1, 0)


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above() -> None:
    """C2SP tlog-tiles, partial tiles, second example."""
    assert n_levels(256) == 2
    assert list(tiles_of_level(0, 256)) == [Tile(0, 0)]
    assert list(tiles_of_level(1, 256)) == [Tile(1, 0, 1)]
    assert n_levels(255) == 1
    assert n_levels(0) == 0


def test_a_bundle_is_entries_after_their_lengths() -> None:
    assert joined([b"", b"a", b"bc"]) == b"\0\0\0\1a\0\2bc"
    assert split(joined([b"", b"a", b"b" * 65535])) == [b"", b"a", b"b" * 65535]
    assert split(b"") == []


@pytest.mark.parametrize("bundle", [b"\0", b"\0\1", b"\0\2a", b"\0\1ab", b"\0\1a\0"])
def test_a_torn_bundle_is_none(bundle: bytes) -> None:
    with pytest.raises(ValueError, match="ends within"):
        split(bundle)


def test_a_torn_tile_is_none() -> None:
    with pytest.raises(ValueError, match="whole hashes"):
        hashes_in(b"x" * 33)


def test_proofs_come_out_of_tiles_as_out_of_the_whole_tree() -> None:
    size = 70_000
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(size)]
    levels = [leaves]
    while len(levels[-1]) >= 256:
        below = levels[-1]
        levels.append([tree_root(below[i : i + 256]) for i in range(0, len(below) // 256 * 256, 256)])

    def hashes_of(tile: Tile) -> list[bytes]:
        assert tile.level is not None
        assert tile == tile_holding(tile.level, tile.n * 256, size)
        return levels[tile.level][tile.n * 256 : tile.n * 256 + tile.width]

    node = nodes_from_tiles(size, hashes_of)
    root = tree_root(leaves)
    assert peaks_at(size, node).root == root
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        assert is_included(index, size, leaves[index], inclusion_path(index, size, node), root)
    for earlier in (1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999):
        old_root = tree_root(leaves[:earlier])
        assert is_consistent(earlier, size, consistency_path(earlier, size, node), old_root, root)
