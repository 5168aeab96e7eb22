"""The sets of persons of one request, as they are kept: under numbers of the warehouse, with what beside them left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import PersonNumbers
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.release.followed import Followed
from enclos.release.model import Assessment, Renumber
from enclos.release.sets import (
    N_CLASSES,
    N_DRAWN,
    Bits,
    Counts,
    Drawn,
    Found,
    Persons,
    Sets,
    Sums,
    bits_of,
    drawn_of,
    found_among,
    name_of,
    told_of,
)
from enclos.release.totals import Total

_NUMBERS, OWED, FOLLOWED = b"numbers", b"owed", b"followed"
_NOTHING = b"[]"
CLASSES = pa.list_(pa.uint32(), N_CLASSES)
STANDING = pa.list_(pa.uint64(), N_DRAWN)
_SCHEMA = pa.schema(
    [
        pa.field("classes", CLASSES),
        pa.field("sum", pa.uint64()),
        pa.field("members", pa.binary()),
        pa.field("drawn", pa.binary()),
        pa.field("standing", STANDING),
    ]
)


@dataclass(frozen=True, slots=True)
class Left:
    """What of a request counts towards what left: its permit, its minimum, how much it is."""

    permit: str = ""
    min_count: int = 0
    n_estimates: int = 0
    n_bytes: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """The sets of one request; ``full`` reads the persons of all of them, which few requests need.

    Shapes: counts (n sets, N_CLASSES), sums (n sets), drawn (n sets).
    """

    request: str
    counts: Counts
    sums: Sums
    drawn: Sequence[bytes | None]
    """What lots of each set were drawn by when persons had other numbers; None where they have those numbers."""
    beside: Mapping[bytes, bytes]
    """What is kept of sums and of stretches of days, each with the place of its set; nothing of earlier times."""
    full: Callable[[], Members]
    standing: Drawn
    """Who stands for each set (n sets, N_DRAWN)."""
    left: Left = Left()

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"Kept({self.request})"

    @property
    def sets(self) -> Sets:
        """As they are compared with others."""
        return Sets(self.counts, self.sums, self.persons, self.standing, lambda bits: self.full().among(bits))

    @property
    def names(self) -> list[bytes]:
        """What tells each set under the present numbers of persons."""
        return [name_of(counts, int(total)) for counts, total in zip(self.counts, self.sums, strict=True)]

    def followed(self) -> Iterator[Followed]:
        """Days that were lost and events that were had; equal sets have equal names."""
        for at, kind, first, last, amount in json.loads(self.beside[FOLLOWED]):
            yield Followed(kind, name_of(self.counts[at], int(self.sums[at])), first, last, amount)

    def totals(self) -> Iterator[Total]:
        """The sums, with their persons."""
        for at, of, total, largest, around in json.loads(self.beside[OWED]):
            persons = partial(self.persons, at)
            yield Total(of, total, tuple(largest), self.counts[at], int(self.sums[at]), persons, around)

    def persons(self, number: int) -> Persons:
        """One set in full."""
        return self.full().persons(number)


@dataclass(frozen=True, slots=True, repr=False)
class Members:
    """The persons of each set: places among numbers of the warehouse."""

    places: Sequence[bytes]
    numbers: PersonNumbers
    bits: Callable[[], Bits]
    """Of all numbers, which who reads one set in full needs not."""

    def among(self, bits: Bits) -> Found:
        """Who of some is in each set."""
        return found_among(bits, self.bits(), lambda number: BitMap.deserialize(self.places[number]))

    def standing(self) -> Drawn:
        """Who stands for each set."""
        bits = self.bits()
        rows = [drawn_of(bits.take(_places(each))) for each in self.places]
        return np.array(rows, dtype=np.uint64).reshape(len(rows), N_DRAWN)

    def persons(self, number: int) -> Persons:
        """One set in full."""
        return np.sort(self.numbers[_places(self.places[number])])

    def __repr__(self) -> str:
        return f"Members({len(self.places)})"


def counts_of(table: pa.Table) -> Counts:
    """The counts of classes, from their column."""
    flat = table["classes"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    counts: Counts = flat.astype(np.int32).reshape(-1, N_CLASSES)
    return counts


def standing_of(table: pa.Table) -> Drawn:
    """Who stands for each set, from their column."""
    flat = table["standing"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    standing: Drawn = flat.astype(np.uint64).reshape(-1, N_DRAWN)
    return standing


def rows_of(numbers: npt.NDArray[np.integer], kind: pa.DataType) -> pa.Array:
    """Such a column, from its numbers."""
    flat = numbers.astype(kind.value_type.to_pandas_dtype()).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), kind.list_size).cast(kind)


def read_kept(request: str, content: bytes, left: Left = Left()) -> Kept:
    """The sets of a request as they were kept."""
    table = _table(content)
    said = table.schema.metadata
    known = "drawn" in table.schema.names
    drawn: list[bytes | None] = table["drawn"].to_pylist() if known else [None] * len(table)
    sums: Sums = table["sum"].to_numpy()
    beside = {name: bytes(said.get(name, _NOTHING)) for name in (OWED, FOLLOWED)}
    full = cache(lambda: _members(table))
    standing = standing_of(table) if "standing" in table.schema.names else full().standing()
    return Kept(request, counts_of(table), sums, drawn, beside, full, standing, left)


def read_members(content: bytes) -> Members:
    """The persons of each set of a request as they were kept."""
    return _members(_table(content))


def volume_of(permit: str, earlier: Iterable[Kept]) -> tuple[int, int]:
    """How many estimates and bytes left under a permit: each table once, whoever has it."""
    own = [each.left for each in earlier if each.left.permit == permit]
    return sum(each.n_estimates for each in own), sum(each.n_bytes for each in own)


def kept_sets(found: Assessment, renumber: Renumber, drawn: Mapping[bytes, bytes] = MappingProxyType({})) -> bytes:
    """The sets of persons whose number would be shown, each once, under numbers of the warehouse, and what sums owe.

    In: drawn — by what lots of sets are drawn that left when persons had other numbers
    """
    told = found.told
    sets = {each.persons.serialize(): each for each in told if each.persons}
    shared = next((each.person_numbers for each in told), np.zeros(0, np.int64))
    if any(not _same(each.person_numbers, shared) for each in told):
        raise ValueError("the cells of a result share their persons' numbers")
    numbers = np.ascontiguousarray(renumber(shared), dtype=np.int64)
    places = {name: place for place, name in enumerate(sets)}
    owed = [(places[each.persons.serialize()], each.of, each.total, each.largest, each.around) for each in found.owed]
    followed = [
        (places[each.persons.serialize()], each.kind, each.first, each.last, each.amount) for each in found.stretches
    ]
    beside = {
        OWED: json.dumps(sorted(set(owed), key=repr)).encode("utf-8"),
        FOLLOWED: json.dumps(sorted(set(followed))).encode("utf-8"),
    }
    return _content(list(sets), numbers, beside, drawn.get)


def renumbered_sets(content: bytes, old: PersonNumbers, new: PersonNumbers) -> bytes:
    """The same sets after the warehouse's numbers moved; done twice, it is as once."""
    kept, members = read_kept("", content), read_members(content)
    numbers = members.numbers
    if np.isin(numbers, new).sum() >= np.isin(numbers, old).sum():
        return content
    order = np.argsort(old)
    place = np.minimum(np.searchsorted(old, numbers, sorter=order), len(old) - 1)
    moved = np.where(old[order[place]] == numbers, new[order[place]], numbers)
    drawn = iter([earlier or name for earlier, name in zip(kept.drawn, kept.names, strict=True)])
    return _content(members.places, moved, kept.beside, lambda _: next(drawn))


def digest_of(content: bytes) -> str:
    """What tells the sets of a request, whatever numbers the warehouse has."""
    kept = read_kept("", content)
    parts = [*kept.full().places, *(said for said in kept.beside.values() if said != _NOTHING)]
    return sha256_hex(canonical_bytes([sha256_hex(each) for each in parts]))


def _content(
    members: Sequence[bytes],
    numbers: PersonNumbers,
    beside: Mapping[bytes, bytes],
    drawn: Callable[[bytes], bytes | None],
) -> bytes:
    bits = bits_of(numbers)
    counts, sums = np.zeros((len(members), N_CLASSES), np.int32), np.zeros(len(members), np.uint64)
    standing = np.zeros((len(members), N_DRAWN), np.uint64)
    for at, each in enumerate(members):
        own = bits.take(_places(each))
        counts[at], sums[at] = told_of(own)
        standing[at] = drawn_of(own)
    names = [name_of(*one) for one in zip(counts, sums.tolist(), strict=True)]
    by = [drawn(name) for name in names]
    table = pa.table(
        {
            "classes": rows_of(counts, CLASSES),
            "sum": sums,
            "members": list(members),
            "drawn": [None if each == name else each for each, name in zip(by, names, strict=True)],
            "standing": rows_of(standing, STANDING),
        },
        schema=_SCHEMA.with_metadata({_NUMBERS: numbers.tobytes(), **beside}),
    )
    return written(table)


def written(table: pa.Table) -> bytes:
    """A table as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _table(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()


def _members(table: pa.Table) -> Members:
    numbers = np.frombuffer(table.schema.metadata[_NUMBERS], dtype=np.int64)
    return Members(table["members"].to_pylist(), numbers, cache(partial(bits_of, numbers)))


def _places(members: bytes) -> npt.NDArray[np.uint32]:
    return np.frombuffer(BitMap.deserialize(members).to_array(), dtype=np.uint32)


def _same(one: PersonNumbers, other: PersonNumbers) -> bool:
    return one is other or np.array_equal(one, other)
