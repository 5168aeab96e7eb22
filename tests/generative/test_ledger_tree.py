"""The tree's arithmetic against RFC 6962's own recursive definitions, and entries against RFC 8785."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from enclos.ledger.model import Action, Entry, Kind
from enclos.ledger.rules.entries import entry_bytes, read_entry
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
from enclos.lexicon.canonical import canonical_bytes
from oracle.rfc6962 import audit_path, consistency_proof, tree_hash

entries = st.lists(st.binary(max_size=4), min_size=1, max_size=130)


@given(entries, st.data())
def test_roots_and_proofs_are_those_of_the_definition(entries: list[bytes], data: st.DataObject) -> None:
    size = len(entries)
    earlier = data.draw(st.integers(0, size), label="earlier")
    index = data.draw(st.integers(0, size - 1), label="index")
    leaves = [leaf_hash(entry) for entry in entries]

    def node(height: int, place: int) -> bytes:
        return tree_root(leaves[place << height : (place + 1) << height])

    root = tree_hash(entries)
    assert tree_root(leaves) == peaks_at(size, node).root == root
    path = inclusion_path(index, size, node)
    assert list(path) == audit_path(index, entries)
    assert is_included(index, size, leaves[index], path, root)
    steps = consistency_path(earlier, size, node)
    assert list(steps) == (consistency_proof(earlier, entries) if earlier else [])
    assert is_consistent(earlier, size, steps, tree_hash(entries[:earlier]), root)


@given(entries, st.data())
def test_one_changed_bit_breaks_a_proof(entries: list[bytes], data: st.DataObject) -> None:
    size = len(entries)
    index = data.draw(st.integers(0, size - 1), label="index")
    leaves = [leaf_hash(entry) for entry in entries]
    path = list(
        inclusion_path(index, size, lambda height, place: tree_root(leaves[place << height : (place + 1) << height]))
    )
    parts = [leaves[index], tree_hash(entries), *path]
    which = data.draw(st.integers(0, len(parts) - 1), label="part")
    bit = data.draw(st.integers(0, 255), label="bit")
    parts[which] = (int.from_bytes(parts[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    assert not is_included(index, size, parts[0], parts[2:], parts[1])


@given(st.integers(0, 2**40))
def test_peaks_are_as_many_as_the_bits_of_the_size(size: int) -> None:
    assert len(peaks_at(size, lambda *_: bytes(32)).hashes) == size.bit_count()
    grown = Peaks(size, (bytes(32),) * size.bit_count()).grown(bytes(32))
    assert grown.size == size + 1


WRITTEN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), WRITTEN, min_size=1, max_size=6))
def test_entries_are_written_as_the_standard_of_canonical_json_says(facts: dict[str, Any]) -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    data = entry_bytes(Entry(Kind.EVENT, Action.LOGIN, at, "salted:aa", facts=facts))
    document = {"v": 1, "kind": "event", "action": "login", "at": "2026-11-02T00:00:00.000Z", "actor": "salted:aa"}
    assert data == canonical_bytes({**document, "facts": facts})
    assert dict(read_entry(data).facts) == facts
