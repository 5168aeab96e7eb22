"""Published vectors of the certificate transparency projects (Apache-2.0: transparency-dev/merkle), and corruptions."""

import pytest

from enclos.ledger.rules.merkle import (
    EMPTY_ROOT,
    Peaks,
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    peaks_at,
    tree_root,
)

LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): INCLUSION[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (6, 7): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
SOME_HASH = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")


def node(height: int, index: int) -> bytes:
    leaves = LEAVES[index << height : (index + 1) << height]
    assert len(leaves) == 1 << height
    return tree_root(leaf_hash(leaf) for leaf in leaves)


def hashes(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(text) for text in texts)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Peaks().root == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots(size: int) -> None:
    assert tree_root(leaf_hash(leaf) for leaf in LEAVES[:size]) == ROOTS[size - 1]
    assert peaks_at(size, node).root == ROOTS[size - 1]


@pytest.mark.parametrize(("place", "path"), INCLUSION.items())
def test_inclusion_paths(place: tuple[int, int], path: tuple[str, ...]) -> None:
    index, size = place
    assert inclusion_path(index, size, node) == hashes(path)
    assert is_included(index, size, leaf_hash(LEAVES[index]), hashes(path), ROOTS[size - 1])


@pytest.mark.parametrize(("sizes", "path"), CONSISTENCY.items())
def test_consistency_paths(sizes: tuple[int, int], path: tuple[str, ...]) -> None:
    earlier, later = sizes
    assert consistency_path(earlier, later, node) == hashes(path)
    assert is_consistent(earlier, later, hashes(path), ROOTS[earlier - 1], ROOTS[later - 1])


@pytest.mark.parametrize(("place", "texts"), [item for item in INCLUSION.items() if item[1]])
def test_a_corrupted_inclusion_path_proves_nothing(place: tuple[int, int], texts: tuple[str, ...]) -> None:
    (index, size), path = place, hashes(texts)
    leaf, root = leaf_hash(LEAVES[index]), ROOTS[size - 1]
    wrong = [
        (index - 1, size, leaf, path, root),
        (index + 1, size, leaf, path, root),
        (index ^ 2, size, leaf, path, root),
        (index, size * 2, leaf, path, root),
        (index, size // 2, leaf, path, root),
        (index, size, b"WrongLeaf", path, root),
        (index, size, leaf, path, EMPTY_ROOT),
        (index, size, leaf, path, SOME_HASH),
        (index, size, leaf, path[:-1], root),
    ]
    wrong += [(index, size, leaf, other, root) for other in _corrupted(path, root)]
    assert not [case for case in wrong if is_included(*case)]


@pytest.mark.parametrize(("sizes", "texts"), [item for item in CONSISTENCY.items() if item[1]])
def test_a_corrupted_consistency_path_proves_nothing(sizes: tuple[int, int], texts: tuple[str, ...]) -> None:
    (earlier, later), path = sizes, hashes(texts)
    old, new = ROOTS[earlier - 1], ROOTS[later - 1]
    wrong = [
        (earlier - 1, later, path, old, new),
        (earlier + 1, later, path, old, new),
        (earlier ^ 2, later, path, old, new),
        (earlier, later * 2, path, old, new),
        (earlier, later // 2, path, old, new),
        (earlier, later, path, b"WrongRoot", new),
        (earlier, later, path, old, b"WrongRoot"),
        (earlier, later, path, new, old),
        (earlier, later, (), old, new),
        (earlier, later, path[:-1], old, new),
    ]
    wrong += [(earlier, later, other, old, new) for extra in (old, new) for other in _corrupted(path, extra)]
    assert not [case for case in wrong if is_consistent(*case)]


def _corrupted(path: tuple[bytes, ...], extra: bytes) -> list[tuple[bytes, ...]]:
    flipped = [(*path[:i], bytes([path[i][0] ^ 8]) + path[i][1:], *path[i + 1 :]) for i in range(len(path))]
    return [*flipped, (*path, b""), (*path, extra), (b"", *path), (extra, *path), (path[0], *path)]


@pytest.mark.parametrize(
    ("earlier", "later", "path", "old", "new", "answer"),
    [
        (0, 0, (), SOME_HASH, SOME_HASH, True),
        (0, 1, (), SOME_HASH, ROOTS[0], True),
        (1, 1, (), SOME_HASH, SOME_HASH, True),
        (0, 0, (), SOME_HASH, ROOTS[0], False),
        (1, 1, (), SOME_HASH, ROOTS[0], False),
        (1, 0, (), SOME_HASH, ROOTS[0], False),
        (2, 1, (), SOME_HASH, ROOTS[0], False),
        (1, 2, (), SOME_HASH, ROOTS[0], False),
        (0, 0, (EMPTY_ROOT,), EMPTY_ROOT, EMPTY_ROOT, False),
        (0, 1, (EMPTY_ROOT,), EMPTY_ROOT, EMPTY_ROOT, False),
        (1, 1, (EMPTY_ROOT,), EMPTY_ROOT, EMPTY_ROOT, False),
    ],
)
def test_consistency_at_the_edges(
    earlier: int, later: int, path: tuple[bytes, ...], old: bytes, new: bytes, answer: bool
) -> None:
    assert is_consistent(earlier, later, path, old, new) is answer


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (8, 8)])
def test_a_leaf_outside_the_tree_has_no_path(index: int, size: int) -> None:
    assert not is_included(index, size, SOME_HASH, (), SOME_HASH)
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_path(index, size, node)


def test_a_later_tree_is_not_the_beginning_of_an_earlier_one() -> None:
    with pytest.raises(ValueError, match="not larger"):
        consistency_path(3, 2, node)


def test_peaks_must_fit_their_size() -> None:
    with pytest.raises(ValueError, match="one peak for each bit"):
        Peaks(3, (SOME_HASH,))
