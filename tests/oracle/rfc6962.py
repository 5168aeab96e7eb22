"""RFC 6962 § 2.1 as it is written: recursive, over whole lists of entries."""

from __future__ import annotations

import hashlib


def tree_hash(entries: list[bytes]) -> bytes:
    """MTH(D[n])."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = _k(len(entries))
    return hashlib.sha256(b"\x01" + tree_hash(entries[:k]) + tree_hash(entries[k:])).digest()


def audit_path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(entries) == 1:
        return []
    k = _k(len(entries))
    if m < k:
        return [*audit_path(m, entries[:k]), tree_hash(entries[k:])]
    return [*audit_path(m - k, entries[k:]), tree_hash(entries[:k])]


def consistency_proof(m: int, entries: list[bytes]) -> list[bytes]:
    """PROOF(m, D[n]), 0 < m <= n."""
    return _subproof(m, entries, is_known=True)


def _subproof(m: int, entries: list[bytes], *, is_known: bool) -> list[bytes]:
    if m == len(entries):
        return [] if is_known else [tree_hash(entries)]
    k = _k(len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], is_known=is_known), tree_hash(entries[k:])]
    return [*_subproof(m - k, entries[k:], is_known=False), tree_hash(entries[:k])]


def _k(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k
