"""What a difference between what was stored and what is found means."""

from __future__ import annotations

import pytest

from enclos.hosting.model import Fault, Finding, Manifest, Seal
from enclos.hosting.rules import fault_of, is_behind
from enclos.hosting.steps import seal_objects, verify_objects

ONE, OTHER = Seal(3, "aa"), Seal(3, "bb")


class Kept:
    """Objects in memory."""

    def __init__(self, **content: bytes) -> None:
        self.content = content

    def names(self):
        return iter(sorted(self.content))

    def read(self, name):
        yield from (self.content[name][i : i + 1] for i in range(len(self.content[name])))

    def put(self, name, content):
        self.content[name] = content

    def remove(self, name):
        self.content.pop(name, None)


@pytest.mark.parametrize(
    ("sealed", "found", "fault"),
    [
        (ONE, ONE, None),
        (ONE, OTHER, Fault.ALTERED),
        (ONE, Seal(4, "aa"), Fault.ALTERED),
        (ONE, None, Fault.MISSING),
        (None, None, Fault.MISSING),
        (None, ONE, Fault.UNSEALED),
    ],
)
def test_an_object_is_as_it_was_stored_or_it_has_a_fault(sealed, found, fault):
    assert fault_of(sealed, found) is fault


@pytest.mark.parametrize(
    ("manifest", "newest", "written", "behind"),
    [
        (0, None, None, False),  # nothing was ever built
        (7, 7, (7, "d"), False),
        (7, 5, (7, "d"), True),  # an earlier catalog
        (5, 7, (7, "d"), True),  # an earlier manifest
        (7, 7, (7, "e"), True),  # another manifest
        (8, 8, (7, "e"), False),  # a build was killed before the ledger heard of its end
        (0, 7, (7, ""), False),  # built before there were manifests
        (7, None, (7, "d"), True),
    ],
)
def test_an_earlier_catalog_or_manifest_is_behind_the_ledger(manifest, newest, written, behind):
    assert is_behind(Manifest(manifest), newest, written, "d") is behind


def test_whatever_a_host_does_to_an_object_is_found():
    kept = Kept(a=b"one", b=b"two", c=b"", d=b"four")
    manifest = seal_objects(kept, {"a", "b", "c"}, Manifest(), 1)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    good = verify_objects(kept, {"a", "b", "c"}, manifest)
    assert (good.n_objects, good.n_bytes, good.findings, good.strangers) == (3, 6, (), ("d",))
    kept.content |= {"a": b"two", "b": b"one"}  # exchanged
    del kept.content["c"]
    bad = verify_objects(kept, {"a", "b", "c", "d"}, manifest)
    assert bad.findings == (
        Finding("a", Fault.ALTERED),
        Finding("b", Fault.ALTERED),
        Finding("c", Fault.MISSING),
        Finding("d", Fault.UNSEALED),
    )


def test_what_was_sealed_is_not_sealed_again():
    kept = Kept(a=b"one")
    first = seal_objects(kept, {"a"}, Manifest(), 1)
    kept.content |= {"a": b"altered", "b": b"new"}
    second = seal_objects(kept, {"a", "b"}, first, 2)
    assert second.seals["a"] == first.seals["a"] and second.snapshot == 2
    assert seal_objects(kept, {"b"}, second, 3).seals.keys() == {"b"}
    with pytest.raises(KeyError):
        seal_objects(kept, {"gone"}, second, 3)
