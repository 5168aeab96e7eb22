"""Compare what would leave with all that left before, of every permit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import PersonNumbers
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.lexicon.verdicts import Verdict
from enclos.release.followed import Followed, few_between
from enclos.release.history import N_CLASSES, Collision, Counts, Persons, Sets, Sums, collisions, name_of, told_by
from enclos.release.model import Assessment, Finding, Renumber, Rule
from enclos.release.ports import Archive, Desk
from enclos.release.rules.policy import policy
from enclos.release.steps.documents import EXPORTED, Request, load
from enclos.release.totals import Total, telling

_NUMBERS, _OWED, _FOLLOWED = b"numbers", b"owed", b"followed"
_NOTHING = b"[]"
_SETS, _FROM = "set(s) of persons differ", "from what was released, or from sums and rests of it"
_SUMS = "sum(s), mean(s) or count(s) of records differ from released ones by what few persons may have made up"
_STRETCHES = "rate(s) of the same persons in other days leave days or events of a few beside released ones"
_SCHEMA = pa.schema(
    [
        pa.field("classes", pa.list_(pa.uint32(), N_CLASSES)),
        pa.field("sum", pa.uint64()),
        pa.field("members", pa.binary()),
        pa.field("drawn", pa.binary()),
    ]
)


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """The sets of one request."""

    request: str
    table: pa.Table
    min_count: int = 0

    @property
    def counts(self) -> Counts:
        flat = self.table["classes"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        counts: Counts = flat.astype(np.int32).reshape(-1, N_CLASSES)
        return counts

    @property
    def sums(self) -> Sums:
        sums: Sums = self.table["sum"].to_numpy()
        return sums

    @property
    def names(self) -> list[bytes]:
        """What tells each set under the present numbers of persons."""
        return [name_of(counts, int(total)) for counts, total in zip(self.counts, self.sums, strict=True)]

    @property
    def drawn(self) -> list[bytes | None]:
        """What lots of each set were drawn by when persons had other numbers; None where they have those numbers."""
        known = "drawn" in self.table.schema.names
        return self.table["drawn"].to_pylist() if known else [None] * len(self.table)

    @property
    def beside(self) -> dict[bytes, bytes]:
        """What is kept of sums and of stretches of days, each with the place of its set; nothing of earlier times."""
        return {name: bytes(self.table.schema.metadata.get(name, _NOTHING)) for name in (_OWED, _FOLLOWED)}

    def followed(self) -> Iterator[Followed]:
        """Days that were lost and events that were had; equal sets have equal names."""
        names = self.names
        for at, kind, first, last, amount in json.loads(self.beside[_FOLLOWED]):
            yield Followed(kind, names[at], first, last, amount)

    def totals(self) -> Iterator[Total]:
        """The sums, with their persons."""
        counts, sums = self.counts, self.sums
        for at, of, total, largest, around in json.loads(self.beside[_OWED]):
            yield Total(of, total, tuple(largest), counts[at], int(sums[at]), partial(self.persons, at), around)

    def persons(self, number: int) -> Persons:
        members = BitMap.deserialize(self.table["members"][number].as_py())
        numbers = np.frombuffer(self.table.schema.metadata[_NUMBERS], dtype=np.int64)
        return np.sort(numbers[np.frombuffer(members.to_array(), dtype=np.uint32)])


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
        _OWED: json.dumps(sorted(set(owed), key=repr)).encode("utf-8"),
        _FOLLOWED: json.dumps(sorted(set(followed))).encode("utf-8"),
    }
    content = _content(list(sets), numbers, beside)
    if not drawn:
        return content
    kept = _read("", content)
    return _content(list(sets), numbers, beside, [drawn.get(each) for each in kept.names])


def drawn_names(desk: Desk, archive: Archive) -> dict[bytes, bytes]:
    """By what lots are drawn of sets that left when persons had other numbers: the oldest name of each present one."""
    found: dict[bytes, bytes] = {}
    for each in left_earlier(desk, archive):
        pairs = zip(each.names, each.drawn, strict=True) if any(each.drawn) else ()
        for name, drawn in pairs:
            if drawn is not None:
                found.setdefault(name, drawn)
    return found


def renumbered_sets(content: bytes, old: PersonNumbers, new: PersonNumbers) -> bytes:
    """The same sets after the warehouse's numbers moved; done twice, it is as once."""
    kept = _read("", content)
    numbers = np.frombuffer(kept.table.schema.metadata[_NUMBERS], dtype=np.int64)
    if np.isin(numbers, new).sum() >= np.isin(numbers, old).sum():
        return content
    order = np.argsort(old)
    place = np.minimum(np.searchsorted(old, numbers, sorter=order), len(old) - 1)
    moved = np.where(old[order[place]] == numbers, new[order[place]], numbers)
    drawn = [earlier or name for earlier, name in zip(kept.drawn, kept.names, strict=True)]
    return _content(kept.table["members"].to_pylist(), moved, kept.beside, drawn)


def digest_of(content: bytes) -> str:
    """What tells the sets of a request, whatever numbers the warehouse has."""
    kept = _read("", content)
    beside = [said for said in kept.beside.values() if said != _NOTHING]
    parts = [*kept.table["members"].to_pylist(), *beside]
    return sha256_hex(canonical_bytes([sha256_hex(each) for each in parts]))


def _content(
    members: Sequence[bytes], numbers: PersonNumbers, beside: Mapping[bytes, bytes], drawn: Sequence[bytes | None] = ()
) -> bytes:
    places = [np.frombuffer(BitMap.deserialize(each).to_array(), dtype=np.uint32) for each in members]
    told = [told_by(numbers[each]) for each in places]
    by = drawn or [None] * len(members)
    table = pa.table(
        {
            "classes": [counts.astype(np.uint32) for counts, _ in told],
            "sum": [total for _, total in told],
            "members": list(members),
            "drawn": [None if each == name_of(*one) else each for each, one in zip(by, told, strict=True)],
        },
        schema=_SCHEMA.with_metadata({_NUMBERS: numbers.tobytes(), **beside}),
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def history_finding(kept: bytes, min_count: int, earlier: Sequence[Kept]) -> Finding:
    """Whether the sets of a request tell of a few persons together with what left before (``left_earlier``)."""
    found = _collided(_read("", kept), min_count, earlier)
    if not found:
        said = "no released numbers together tell of fewer persons than the minimum, or of what few make up"
        return Finding(Rule.HISTORY, Verdict.PASS, said)
    return Finding(Rule.HISTORY, Verdict.REFUSE, found)


def check_history(request: Request, *, desk: Desk, archive: Archive) -> None:
    """Go on when nothing that left since the request was made collides with it.

    Refuses: RELEASE_DIFFERENCE; RELEASE_ALTERED when its persons are not those that were judged.
    """
    if "persons" not in request.facts:  # made before sets were kept: nothing is known to compare
        raise _again("The persons behind this request were not kept when it was made.")
    kept = archive.read(str(request.facts["permit"]), request.id)
    if kept is None or digest_of(kept) != request.facts["persons"]:
        raise refusal(
            Code.RELEASE_ALTERED,
            "The persons behind this request are not those that were judged.",
            "Make a new request; report this to the security officer.",
        )
    min_count = int(request.facts["min_count"])
    found = _collided(_read(request.id, kept), min_count, left_earlier(desk, archive, own=request.id))
    if found:
        raise _again(f"Since this was asked for, {found}.")


def _same(one: PersonNumbers, other: PersonNumbers) -> bool:
    return one is other or np.array_equal(one, other)


def _again(what: str) -> Refusal:
    return refusal(Code.RELEASE_DIFFERENCE, what, "Make a new request, with wider groups where it is refused.")


def _collided(new: Kept, min_count: int, earlier: Sequence[Kept]) -> str:
    """What collides with what left, and with which requests; nothing where nothing does."""
    strictest = max([min_count, *(each.min_count for each in earlier)])
    said = (
        (_collisions(new, earlier, strictest), f"{_SETS} by fewer than {min_count} persons {_FROM}"),
        (_telling(new, earlier, strictest), _SUMS),
        (_few_between(new, earlier, strictest), _STRETCHES),
    )
    return "; ".join(
        f"{len(found)} {what}: see request(s) {', '.join(sorted(set().union(*found)))}" for found, what in said if found
    )


def _telling(new: Kept, earlier: Sequence[Kept], k: int) -> list[set[str]]:
    """For each sum that tells one which is not known to be of enough, the earlier request that takes part."""
    old = [(total, each.request) for each in earlier for total in each.totals()]
    found = telling(list(new.totals()), [total for total, _ in old], k, policy().dominance.dominates)
    return [{old[place][1]} for _, place in found]


def _few_between(new: Kept, earlier: Sequence[Kept], k: int) -> list[set[str]]:
    """For each stretch that leaves few days or events beside others, the earlier request that takes part."""
    old = [(one, each.request) for each in earlier for one in each.followed()]
    found = few_between(list(new.followed()), [one for one, _ in old], k)
    return [{old[place][1]} for _, place in found]


def _collisions(new: Kept, earlier: Sequence[Kept], k: int) -> list[set[str]]:
    """For each set that collides, the earlier requests that take part."""
    starts = np.cumsum([0, *(len(each.table) for each in earlier)])
    counts = np.concatenate([np.zeros((0, N_CLASSES), np.int32), *(each.counts for each in earlier)])
    sums = np.concatenate([np.zeros(0, np.uint64), *(each.sums for each in earlier)])

    def place(number: int) -> tuple[Kept, int]:
        at = int(np.searchsorted(starts, number, side="right")) - 1
        return earlier[at], number - int(starts[at])

    def persons(number: int) -> Persons:
        one, within = place(number)
        return one.persons(within)

    def named(collision: Collision) -> set[str]:
        numbers = [each for each in collision.others if each < len(counts)]
        return {place(number)[0].request for number in numbers}

    found = collisions(Sets(new.counts, new.sums, new.persons), Sets(counts, sums, persons), k)
    return [named(collision) for collision in found]


def left_earlier(desk: Desk, archive: Archive, own: str = "") -> list[Kept]:
    """What left or was about to, of every permit whose key is still there; all but a request's own."""
    found = []
    for name in desk.requests():
        if name == own or desk.read(name, EXPORTED) == b"null":
            continue
        request = load(desk, name)
        if not request.course.begun_at:
            continue
        facts = request.facts
        content = archive.read(str(facts["permit"]), name) if "persons" in facts else None
        if content is not None:
            found.append(replace(_read(name, content), min_count=int(facts["min_count"])))
    return found


def _read(request: str, content: bytes) -> Kept:
    with pa.ipc.open_stream(content) as reader:
        return Kept(request, reader.read_all())
