"""A permit's perimeter on disk: one sealed file, at most a bit for each person of the snapshot it was opened on.

The persons of a bucket, in the order of their numbers, are a list that the snapshot keeps, and the permit says who of
them is likely to be in; the file says for whom that is wrong. The permit's numbers are not kept: they are a permutation
under a secret that lies in the file, so that they live and die with the permit's key. Only numbers that came another
way are written out: those that had to be kept when the warehouse gave everybody another number.
"""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import ViewTerms
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.secret_functions import ff1_encrypt
from enclos.stores.files import write_atomically
from enclos.stores.keys.file import LocalBlocks
from enclos.stores.lake import LakeSnapshot
from enclos.stores.sealed import seal, unseal
from enclos.views.model import Numbered
from enclos.views.plans import plan_roster
from enclos.views.rules import opening_of

PERIMETER_CONTEXT = "perimeter"
PERIMETER_FILE = "perimeter.sealed"

_FORMAT = 1
_HEAD = struct.Struct("<B32s32sQIII")
"""Format, secret, for what it was opened, snapshot, buckets, packed bytes, given rows."""
_SECRET_BYTES = 32
_CODEC = pa.Codec("zstd", compression_level=19)
_COLUMNS = ("bucket", "person_id", "permit_person")
_SCHEMA = pa.schema([("bucket", pa.int32()), ("person_id", pa.int64()), ("permit_person", pa.int64())])


@dataclass(frozen=True, slots=True, repr=False)
class _Content:
    """``roster`` is the snapshot whose persons are listed; ``differs`` says for whom of its buckets it is not as is
    likely; ``given`` are rows whose number does not follow from the secret, or whose person is on no list.
    """

    secret: bytes
    opened_for: str
    roster: int
    differs: dict[int, NDArray[np.bool_]]
    given: pa.Table


class KeptPersons:
    """A perimeter's persons by bucket, for the questions that come next; in the memory of this process alone.

    They are kept under a digest of all that decides them, and go when a question comes with another one. Where there is
    no room they are looked up each time.
    Units: most_bytes — what they may take.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._decided_by = b""
        self._rows: dict[int, pa.Table] = {}

    def __repr__(self) -> str:
        return "KeptPersons()"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("numbers of persons are never pickled")

    @property
    def n_bytes(self) -> int:
        """What they take."""
        return sum(rows.nbytes for rows in self._rows.values())

    def forget(self) -> None:
        """Let go of everything."""
        self._rows.clear()

    def rows(self, decided_by: bytes, bucket: int, find: Callable[[], pa.Table]) -> pa.Table:
        """The persons of a bucket: as they were found under the same digest, else as they are found now."""
        if decided_by != self._decided_by:
            self.forget()
            self._decided_by = decided_by
        if bucket not in self._rows:
            found = find()
            if self.n_bytes + found.nbytes > self._most_bytes:
                return found
            self._rows[bucket] = found
        return self._rows[bucket]


class PerimeterFile:
    """``permits/<permit>/perimeter.sealed``, under the permit's own key.

    In: engine — has the lake attached; snapshot — the build that is read; it knows which other builds are kept;
        terms — of the permit's versions, since it may have been opened under any; kept — persons that were looked up
        before; lineage — a text that changes when the lake's builds do, by which they are kept
    Refuses: STORAGE_BROKEN when the file is altered or does not fit its snapshot.
    """

    def __init__(
        self,
        engine: SqlEngine,
        snapshot: LakeSnapshot,
        path: Path,
        key: SecretKey,
        terms: Iterable[ViewTerms],
        *,
        kept: KeptPersons | None = None,
        lineage: str = "",
    ) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self._path = path
        self._key = key
        self._terms = {opening_of(each): each for each in terms}
        self._read: _Content | None = None
        self._kept = kept
        self._lineage = lineage
        self._sealed_digest: bytes | None = None
        """Of the file that was read; None when what it says is not what lies there."""

    def __repr__(self) -> str:
        return "PerimeterFile()"

    def exists(self) -> bool:
        """Whether the permit was opened, on a snapshot that is kept."""
        return self._path.is_file() and self._snapshot.keeps(self._content().roster)

    def opened_for(self) -> str:
        """For which population and period it was opened."""
        return self._content().opened_for

    def rows(self, bucket: int | None = None) -> pa.Table:
        """Its persons: bucket, person_id, permit_person; of one bucket where one is named."""
        content = self._content()
        if bucket is None or self._kept is None or self._sealed_digest is None:
            return self._found(content, bucket)
        of = repr((self._sealed_digest, self._lineage, self._terms[content.opened_for]))
        return self._kept.rows(sha256(of.encode()).digest(), bucket, lambda: self._found(content, bucket))

    def _found(self, content: _Content, bucket: int | None) -> pa.Table:
        parts = [content.given if bucket is None else content.given.filter(pc.field("bucket") == bucket)]
        for number in content.differs:
            if bucket in {None, number}:
                persons = self._listed(content, number)
                numbers = self.renumbered(Numbered.PERSON, persons)
                parts.append(_table(np.full(len(persons), number, np.int32), persons, numbers))
        return pa.concat_tables(parts)

    def persons(self, bucket: int) -> NDArray[np.int64]:
        """The warehouse's numbers of its persons of a bucket, without the permit's own, which take time."""
        content = self._content()
        given = content.given.filter(pc.field("bucket") == bucket)["person_id"].to_numpy()
        return np.concatenate([given, self._listed(content, bucket)]) if bucket in content.differs else given

    def _listed(self, content: _Content, bucket: int) -> NDArray[np.int64]:
        listed, is_likely = self._roster(self._terms[content.opened_for], content.roster, bucket)
        if len(listed) != len(content.differs[bucket]):
            raise _broken()
        return listed[is_likely ^ content.differs[bucket]]

    def renumbered(self, kind: Numbered, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The permit's own numbers for the warehouse's: FF1 under a key of this permit and kind."""
        key = hmac.new(self._content().secret, b"enclos permit numbers 1\n" + kind.word.encode(), "sha256").digest()
        return ff1_encrypt(LocalBlocks(key), 2, kind.bits, numbers)

    def write(self, rows: pa.Table, terms: ViewTerms) -> int:
        """Put these rows of a permit in the place of its perimeter, whole or not at all; gives the bytes written."""
        secret, roster = self._content().secret, self._snapshot.id
        bucket, persons, numbers = (rows[name].to_numpy() for name in _COLUMNS)
        is_own = self.renumbered(Numbered.PERSON, persons) == numbers
        is_listed = np.zeros(len(persons), np.bool_)
        differs: dict[int, NDArray[np.bool_]] = {}
        for number in self._snapshot.buckets:
            here = bucket == number
            listed, is_likely = self._roster(terms, roster, number)
            differs[number] = np.isin(listed, persons[here & is_own]) ^ is_likely
            is_listed[here] = np.isin(persons[here], listed)
        given = rows.select(_COLUMNS).cast(_SCHEMA).filter(pa.array(~(is_own & is_listed))).combine_chunks()
        content = _Content(secret, opening_of(terms), roster, differs, given)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, seal(self._key, _to_bytes(content), PERIMETER_CONTEXT), "a perimeter")
        self._terms[content.opened_for] = terms
        self._read, self._sealed_digest = content, None
        return self._path.stat().st_size

    def anchor(self) -> None:
        """Say the same by the snapshot that is read, since the one that it was opened on will go."""
        self.write(self.rows(), self._terms[self.opened_for()])

    def replace_persons(self, rows: pa.Table) -> None:
        """Let the same permit numbers stand for other persons."""
        self.write(rows, self._terms[self.opened_for()])

    def _roster(self, terms: ViewTerms, snapshot: int, bucket: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The persons of a bucket of a snapshot, by number, and who is likely to be in."""
        found = self._engine.query(plan_roster(terms, self._snapshot.at(snapshot), bucket))
        return found["person_id"].to_numpy(), found["is_likely"].to_numpy()

    def _content(self) -> _Content:
        """What the file says; before there is one, a new secret."""
        if self._read is None:
            if self._path.is_file():
                sealed = self._path.read_bytes()
                self._read = _from_bytes(unseal(self._key, sealed, PERIMETER_CONTEXT))
                self._sealed_digest = sha256(sealed).digest()
            else:
                self._read = _Content(os.urandom(_SECRET_BYTES), "", self._snapshot.id, {}, _SCHEMA.empty_table())
        return self._read


def _to_bytes(content: _Content) -> bytes:
    lengths = np.array([[number, len(each)] for number, each in content.differs.items()], "<u4")
    bits = b"".join(np.packbits(each).tobytes() for each in content.differs.values())
    given = b"".join(content.given[name].to_numpy().tobytes() for name in _COLUMNS)
    packed = bytes(_CODEC.compress(bits, asbytes=True))
    head = _HEAD.pack(
        _FORMAT, content.secret, bytes.fromhex(content.opened_for), content.roster, len(lengths), len(packed),
        content.given.num_rows,
    )  # fmt: skip
    return head + lengths.tobytes() + packed + bytes(_CODEC.compress(given, asbytes=True))


def _from_bytes(content: bytes) -> _Content:
    format_, secret, opened_for, roster, n_buckets, n_packed, n_given = _HEAD.unpack_from(content)
    if format_ != _FORMAT:
        raise _broken()
    bits_at = _HEAD.size + n_buckets * 8
    lengths = np.frombuffer(content[_HEAD.size : bits_at], "<u4").reshape(-1, 2).astype(np.int64)
    n_bytes = (lengths[:, 1] + 7) // 8
    plain = _CODEC.decompress(content[bits_at : bits_at + n_packed], int(n_bytes.sum()), asbytes=True)
    bits, ends = np.frombuffer(plain, np.uint8), np.cumsum(n_bytes)
    differs = {
        int(number): np.unpackbits(bits[end - size : end], count=int(n)).astype(np.bool_)
        for (number, n), size, end in zip(lengths, n_bytes, ends, strict=True)
    }
    plain = _CODEC.decompress(content[bits_at + n_packed :], n_given * 20, asbytes=True)
    given = _table(
        np.frombuffer(plain[: n_given * 4], np.int32),
        np.frombuffer(plain[n_given * 4 : n_given * 12], np.int64),
        np.frombuffer(plain[n_given * 12 :], np.int64),
    )
    return _Content(secret, opened_for.hex(), roster, differs, given)


def _table(bucket: NDArray[np.int32], persons: NDArray[np.int64], numbers: NDArray[np.int64]) -> pa.Table:
    return pa.table([pa.array(bucket), pa.array(persons), pa.array(numbers)], names=list(_COLUMNS))


def _broken() -> Refusal:
    return refusal(
        Code.STORAGE_BROKEN,
        "A perimeter does not fit the snapshot that it was opened on.",
        "Open the permit again: enclos permit open DIR PERMIT.",
    )
