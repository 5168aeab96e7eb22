"""The Merkle tree of RFC 6962 with SHA-256: hashes, roots, proofs of inclusion and of consistency.

Trees are never held whole. A tree that grows is its peaks (``Peaks``); a proof is asked of a function that gives the
hash of a perfect subtree, and so can be made from tiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from enclos.ledger.model import HASH_BYTES

EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeHash = Callable[[int, int], bytes]
"""The hash of the perfect subtree of height h that is the i-th of its height, counted from the left."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry. Source: RFC 6962 § 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side. Source: RFC 6962 § 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Peaks:
    """A tree of ``size`` leaves as the roots of its perfect subtrees, from the largest (left) to the smallest."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.hashes) != self.size.bit_count():
            raise ValueError("a tree has one peak for each bit of its size")

    def grown(self, leaf: bytes) -> Peaks:
        """The tree with one more leaf, whose hash is given."""
        hashes, carry = list(self.hashes), leaf
        size = self.size
        while size & 1:
            carry = node_hash(hashes.pop(), carry)
            size >>= 1
        return Peaks(self.size + 1, (*hashes, carry))

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return _folded(self.hashes)


def _folded(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, or over the roots of equal perfect subtrees."""
    peaks = Peaks()
    for leaf in leaves:
        peaks = peaks.grown(leaf)
    return peaks.root


def peaks_at(size: int, node: NodeHash) -> Peaks:
    """The peaks of the tree of that size."""
    return Peaks(size, tuple(node(height, index) for height, index in _perfect(0, size)))


def _perfect(start: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees that cover leaves ``start`` to ``end``, where ``start`` is aligned; left to right."""
    blocks = []
    while start < end:
        height = (end - start).bit_length() - 1
        blocks.append((height, start >> height))
        start += 1 << height
    return blocks


def _range_root(start: int, end: int, node: NodeHash) -> bytes:
    return _folded([node(height, index) for height, index in _perfect(start, end)])


def _left_size(size: int) -> int:
    """The largest power of two below ``size`` (>= 2): where RFC 6962 splits a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, node: NodeHash) -> tuple[bytes, ...]:
    """The audit path of a leaf, its sibling first. Source: RFC 6962 § 2.1.1.

    Refuses: ValueError when the leaf is not in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in the tree")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_path(earlier: int, later: int, node: NodeHash) -> tuple[bytes, ...]:
    """The proof that the tree of ``earlier`` leaves is the beginning of that of ``later``.

    Empty: no hash is needed from an empty tree or between equal trees.
    Refuses: ValueError when the earlier tree is the larger one.
    Source: RFC 6962 § 2.1.2.
    """
    if not 0 <= earlier <= later:
        raise ValueError("the earlier tree is not larger than the later one")
    if earlier in (0, later):
        return ()
    start, end, path = 0, later, []
    while end != earlier:
        middle = start + _left_size(end - start)
        if earlier <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    if start:  # the earlier root itself is known to whoever checks
        path.append(_range_root(start, end, node))
    return tuple(reversed(path))


def is_included(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that the leaf stands at the index in the tree. Source: RFC 9162 § 2.1.3.2."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *path):
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(earlier: int, later: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the path proves that the later tree begins with the earlier one. Source: RFC 9162 § 2.1.4.2."""
    if not 0 <= earlier <= later:
        return False
    if earlier in (0, later):
        return not path and (earlier != later or old_root == new_root)
    if not path or not _are_hashes(old_root, new_root, *path):
        return False
    return _both_roots(earlier, later, path, old_root) == (old_root, new_root)


def _both_roots(earlier: int, later: int, path: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes] | None:
    is_perfect = earlier & (earlier - 1) == 0
    first, rest = (old_root, path) if is_perfect else (path[0], path[1:])
    place, last = earlier - 1, later - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = first
    for sibling in rest:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
