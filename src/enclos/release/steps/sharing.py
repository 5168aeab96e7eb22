"""How the sets of a request lie to what left: found once for each release, and kept beside the request's sets.

To find who of a million persons a release counts takes a tenth of a second, and a request is looked at again and again.
Whoever serves an enclosure finds it before anybody looks (``find_beside``); a look finds what lacks all the same.
What is kept is what may be told, and by what a set is known: no person, and no place of one. It lies sealed under the
permit's key like the sets, and holds while the request's sets and the release's are those that it was found from (their
marks change with every writing) and the minimum is the same. What lacks or differs is found anew; nothing is lost with
all of it but time.
"""

from __future__ import annotations

import array
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from enclos.contracts.result import PersonNumbers
from enclos.release.ports import Archive
from enclos.release.steps.documents import Request
from enclos.release.steps.kept import Kept, Members, read_kept, written

FEW, NEARLY_ALL = 0, -1
"""Told in the place of a number: too few of a set are in the release, or too few are not."""
_VERSION = 1
_ABOUT = b"about"
_NO_SETS = "none"
_SETS = pa.schema([("digest", pa.binary(32)), ("name", pa.binary()), ("n_persons", pa.int64())])
Told = npt.NDArray[np.int64]
"""For each set a multiple of the minimum, FEW or NEARLY_ALL."""


@dataclass(frozen=True, slots=True, repr=False)
class Sharing:
    """The sets of a request, and how they lie to each of some releases.

    Shapes: told (n releases) of (n sets)
    """

    place_of: Mapping[bytes, int]
    """By ``digest_of_set``."""
    names: Sequence[bytes]
    """What tells each set under the present numbers of persons."""
    sizes: Sequence[int]
    told: Sequence[Told]

    def __repr__(self) -> str:
        return f"Sharing({len(self.sizes)} sets)"


def digest_of_set(members: bytes) -> bytes:
    """By what a set, serialised by the places of its members, is known without them."""
    return hashlib.sha256(members).digest()


def sharing_with(
    request: Request,
    releases: Sequence[Kept],
    min_count: int,
    archive: Archive,
    ends: Callable[[], bool] = lambda: False,
) -> Sharing | None:
    """How the sets of a request lie to some releases; None where its sets were not kept, or ended with their key.

    In: ends — asked before each release that is not known yet; where it says so nothing is kept, and None returned
    Refuses: STORAGE_BROKEN when the sets of one of them are gone.
    """
    permit = str(request.facts["permit"])
    if "persons" not in request.facts or not archive.has_key(permit):
        return None
    own_mark = archive.mark(permit, request.id)
    known = _read(archive.beside(permit, request.id), own_mark, min_count)
    marks = [_mark(archive, each) for each in releases]
    if known is None or known.schema.names[len(_SETS) :] != marks:
        own = _own(archive, permit, request.id)
        if own is None:
            return None
        known = _found(own, known, dict(zip(marks, releases, strict=True)), min_count, ends)
        if known is None:
            return None
        archive.keep_beside(permit, request.id, _content(known, own_mark, min_count))
    return Sharing(
        place_of={digest: place for place, digest in enumerate(known["digest"].to_pylist())},
        names=known["name"].to_pylist(),
        sizes=known["n_persons"].to_pylist(),
        told=[known[mark].to_numpy() for mark in marks],
    )


def _own(archive: Archive, permit: str, request: str) -> Kept | None:
    content = archive.read(permit, request)
    return None if content is None else read_kept(request, content)


def _mark(archive: Archive, release: Kept) -> str:
    """What tells a release's sets from any others; the name of its column."""
    mark = archive.mark(release.left.permit, release.request) if len(release) else _NO_SETS
    return f"{release.request} {mark}"


def _read(content: bytes, own_mark: str, min_count: int) -> pa.Table | None:
    """What was kept: a line for each set, a column for each release; None where it holds no longer."""
    try:
        with pa.ipc.open_stream(content) as reader:
            table = reader.read_all()
        is_of_now = json.loads(table.schema.metadata[_ABOUT]) == _about(own_mark, min_count)
    except (pa.ArrowException, KeyError, ValueError, TypeError):  # nothing, or what cannot be read
        return None
    return table if is_of_now else None


def _content(found: pa.Table, own_mark: str, min_count: int) -> bytes:
    return written(found.replace_schema_metadata({_ABOUT: json.dumps(_about(own_mark, min_count))}))


def _about(own_mark: str, min_count: int) -> dict[str, object]:
    return {"version": _VERSION, "own": own_mark, "min_count": min_count}


def _found(
    own: Kept, known: pa.Table | None, releases: Mapping[str, Kept], min_count: int, ends: Callable[[], bool]
) -> pa.Table | None:
    """Such a table; of releases that are known already it is taken. None where it was told to end before."""
    members = own.full()
    sets = [BitMap.deserialize(each) for each in members.places]
    table = pa.table(
        [[digest_of_set(each) for each in members.places], own.names, [len(each) for each in sets]], schema=_SETS
    )
    for mark, release in releases.items():
        if known is not None and mark in known.schema.names:
            told = known[mark].to_numpy()
        elif ends():
            return None
        else:
            told = _told(sets, _who_left(members.numbers, release.full()), min_count)
        table = table.append_column(mark, pa.array(told))
    return table


def _told(sets: Iterable[BitMap], left: BitMap, k: int) -> Told:
    """What may be told of each set beside those who left; rounded, and nothing where either part is of few persons.

    What is left of a whole whose other part is told would else be the number of a few.
    """

    def say(persons: BitMap) -> int:
        n, n_shared = len(persons), persons.intersection_cardinality(left)
        if n_shared < k:
            return FEW
        return NEARLY_ALL if n - n_shared < k else k * round(n_shared / k)

    return np.array([say(each) for each in sets], dtype=np.int64)


def _who_left(own: PersonNumbers, release: Members) -> BitMap:
    """Of one's own persons, the places of those whom any set of a release counts."""
    theirs = _counted(release)
    if np.array_equal(own, theirs):  # as of most requests under one permit
        return BitMap(range(len(own)))
    # Arrow's hash table takes a seventh of what numpy's isin takes of a million numbers that lie far apart.
    is_theirs = pc.is_in(pa.array(own), pa.array(theirs)).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(is_theirs).astype(np.uint32)
    return BitMap(array.array("I", places.tobytes()))  # a tenth of what it takes from numpy


def _counted(release: Members) -> PersonNumbers:
    """The numbers of all whom a release counts, in the order in which it has them."""
    counted = BitMap.union(BitMap(), *map(BitMap.deserialize, release.places))
    if len(counted) == len(release.numbers):
        return release.numbers
    return release.numbers[np.frombuffer(counted.to_array(), dtype=np.uint32)]
