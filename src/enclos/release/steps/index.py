"""What left earlier, read from an index beside the requests; the requests themselves stay what is true.

Hundreds of earlier requests take a second or more to open one by one. What of them is compared at first (counts of
classes, sums, days) lies a second time in segments: some requests each, sealed under the permit's key like the sets
themselves, so that they end with it. An entry holds while the sealed documents of its request and its sealed sets are
those that it was read from (their marks change with every writing); what lacks or differs is read and checked anew,
and the segments of its permit are written again. Persons in full are always read from the request's own sets.

A segment is written whole before others go, so that whoever is stopped leaves one too many; nothing is lost with all
of them but time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.ports import Archive, Desk
from enclos.release.sets import N_CLASSES, bits_of
from enclos.release.steps.documents import BOUND, EXPORTED, REQUEST, VOTES, has_begun, load
from enclos.release.steps.kept import (
    CLASSES,
    FOLLOWED,
    OWED,
    STANDING,
    Kept,
    Left,
    Members,
    counts_of,
    digest_of,
    read_kept,
    read_members,
    rows_of,
    standing_of,
    written,
)

_REQUESTS = b"requests"
_VERSION = 2
_MOST_SEGMENTS = 8
"""Of one permit, before they become one."""
_SCHEMA = pa.schema(
    [
        pa.field("classes", CLASSES),
        pa.field("sum", pa.uint64()),
        pa.field("drawn", pa.binary()),
        pa.field("standing", STANDING),
    ]
)


@dataclass(frozen=True, slots=True, repr=False)
class _Entry:
    """A request as a segment has it, and the marks that it was read under."""

    kept: Kept
    mark: str

    def __repr__(self) -> str:
        return f"_Entry({self.kept.request})"


def left_earlier(desk: Desk, archive: Archive, own: str = "") -> list[Kept]:
    """What left or was about to, of every permit whose key is still there; all but a request's own.

    Refuses: RELEASE_ALTERED when an earlier request, or its sets, are not what was judged; STORAGE_BROKEN.
    """
    segments = {permit: _read_segments(archive, permit) for permit in archive.indexed()}
    known = {entry.kept.request: entry for each in segments.values() for entry in each.entries}
    found: list[Kept] = []
    holds: dict[str, list[_Entry]] = defaultdict(list)
    fresh: dict[str, list[_Entry]] = defaultdict(list)
    for name in desk.requests():
        entry = known.get(name)
        if entry is not None and entry.mark == _mark(desk, archive, entry.kept.left.permit, name):
            holds[entry.kept.left.permit].append(entry)
            found.append(entry.kept)
            continue
        read = _read_request(desk, archive, name)
        if read is not None:
            found.append(read.kept)
            if read.mark:
                fresh[read.kept.left.permit].append(read)
    for permit, entries in fresh.items():
        _keep(archive, permit, segments.get(permit, _NONE), holds[permit], entries)
    return [each for each in found if each.request != own]


def _read_request(desk: Desk, archive: Archive, name: str) -> _Entry | None:
    """A request that left, checked, with its sets; None where it did not or where its permit's key is destroyed."""
    if not has_begun(desk.read(name, EXPORTED)):
        return None
    permit = str(json.loads(desk.read(name, REQUEST))["permit"])
    if not archive.has_key(permit):
        return None
    facts = load(desk, name).facts
    left = Left(permit, *(int(facts.get(each, 0)) for each in ("min_count", "n_estimates", "n_bytes")))
    if "persons" not in facts:  # made before sets were kept
        return _Entry(_without_sets(name, left), "")
    mark = _mark(desk, archive, permit, name)
    content = archive.read(permit, name)
    if content is None or digest_of(content) != facts["persons"]:
        raise refusal(
            Code.RELEASE_ALTERED,
            "The persons behind an earlier release are not those that were judged.",
            "Restore them from a backup; report this to the security officer.",
        )
    return _Entry(read_kept(name, content, left), mark)


def _mark(desk: Desk, archive: Archive, permit: str, request: str) -> str:
    """What changes when a document of the request that was judged, a vote on it or its sets are written anew."""
    return f"{desk.mark(request, (*BOUND, VOTES))}-{archive.mark(permit, request)}"


def _without_sets(name: str, left: Left) -> Kept:
    nothing: Mapping[bytes, bytes] = {OWED: b"[]", FOLLOWED: b"[]"}
    nobody = np.zeros(0, np.int64)
    members = Members((), nobody, partial(bits_of, nobody))
    counts, sums = np.zeros((0, N_CLASSES), np.int32), np.zeros(0, np.uint64)
    return Kept(name, counts, sums, (), nothing, lambda: members, members.standing(), left)


@dataclass(frozen=True, slots=True)
class _Segments:
    """The segments of one permit by name, and all that can be read of them."""

    names: tuple[str, ...]
    entries: tuple[_Entry, ...]
    is_sound: bool


_NONE = _Segments((), (), is_sound=True)


def _read_segments(archive: Archive, permit: str) -> _Segments:
    """What the segments of a permit say; one that cannot be read says nothing, and is written anew."""
    if not archive.has_key(permit):
        return _NONE
    entries: dict[str, _Entry] = {}
    segments, is_sound = archive.segments(permit), True
    for content in segments.values():
        try:
            entries |= {entry.kept.request: entry for entry in _entries(archive, permit, content)}
        except (pa.ArrowException, KeyError, ValueError, TypeError):  # of another version, or none at all
            is_sound = False
    return _Segments(tuple(segments), tuple(entries.values()), is_sound)


def _entries(archive: Archive, permit: str, content: bytes) -> Iterator[_Entry]:
    with pa.ipc.open_stream(content) as reader:
        table = reader.read_all()
    said = json.loads(table.schema.metadata[_REQUESTS])
    if said["version"] != _VERSION:
        raise ValueError("a segment of another version")
    counts, sums, drawn = counts_of(table), table["sum"].to_numpy(), table["drawn"].to_pylist()
    standing = standing_of(table)
    start = 0
    for each in said["requests"]:
        part = slice(start, start + int(each["n_sets"]))
        start = part.stop
        beside = {name: str(each[name.decode()]).encode() for name in (OWED, FOLLOWED)}
        left = Left(permit, int(each["min_count"]), int(each["n_estimates"]), int(each["n_bytes"]))
        full = cache(partial(_full, archive, permit, str(each["request"])))
        kept = Kept(str(each["request"]), counts[part], sums[part], drawn[part], beside, full, standing[part], left)
        yield _Entry(kept, str(each["mark"]))


def _full(archive: Archive, permit: str, request: str) -> Members:
    content = archive.read(permit, request)
    if content is None:
        raise refusal(Code.STORAGE_BROKEN, "The key of an earlier release is gone while it is compared.", "Ask again.")
    return read_members(content)


def _keep(archive: Archive, permit: str, segments: _Segments, holds: Sequence[_Entry], fresh: Sequence[_Entry]) -> None:
    """One segment more; all in one where there are many, or where one says what holds no longer."""
    is_whole = segments.is_sound and len(holds) == len(segments.entries) and len(segments.names) < _MOST_SEGMENTS
    written_anew = fresh if is_whole else [*holds, *fresh]
    archive.keep_segment(permit, _segment(written_anew))
    if not is_whole:
        archive.drop_segments(permit, segments.names)


def _segment(entries: Sequence[_Entry]) -> bytes:
    said: list[dict[str, Any]] = [
        {
            "request": each.kept.request,
            "mark": each.mark,
            "n_sets": len(each.kept),
            "min_count": each.kept.left.min_count,
            "n_estimates": each.kept.left.n_estimates,
            "n_bytes": each.kept.left.n_bytes,
            **{name.decode(): each.kept.beside[name].decode() for name in (OWED, FOLLOWED)},
        }
        for each in entries
    ]
    counts = np.concatenate([each.kept.counts for each in entries])
    standing = np.concatenate([each.kept.standing for each in entries])
    sums = pa.array(np.concatenate([each.kept.sums for each in entries]))
    drawn = pa.array([each for entry in entries for each in entry.kept.drawn], pa.binary())
    schema = _SCHEMA.with_metadata({_REQUESTS: json.dumps({"version": _VERSION, "requests": said}).encode()})
    columns = [rows_of(counts, CLASSES), sums, drawn, rows_of(standing, STANDING)]
    return written(pa.table(columns, schema=schema))
