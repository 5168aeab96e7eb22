"""Records of open buckets, in order of their concepts: what one definition has read, the next one finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np

from enclos.studies.circe.plans.records import plan_count
from enclos.studies.circe.rules.columns import Integers, begins, grouped, order_of
from enclos.studies.ports import CdmBucket

Columns: TypeAlias = Mapping[str, Integers]
_Name: TypeAlias = tuple[int, str]
"""A bucket, and what is kept of it."""
_MOST_BYTES_OF_NUMBER = 8


@runtime_checkable
class Edited(Protocol):
    """A bucket that can say which rows it has."""

    @property
    def edition(self) -> tuple[int, str]:
        """The bucket's number, and a text that decides all of its rows: the same text, the same rows."""


@dataclass(frozen=True, slots=True, repr=False)
class ByConcept:
    """Records in order of their concepts, those of one concept in order of persons."""

    columns: Columns

    def of(self, concepts: Sequence[int], names: Sequence[str]) -> dict[str, Integers]:
        """Columns of the records of some concepts, in order of persons.

        In: concepts — in order, each once
        """
        parts = [part for _, part in self.parts(concepts)]
        found = {name: _joined([self.columns[name][part] for part in parts]) for name in names}
        if len(parts) > 1:
            order = order_of(found["person_id"])
            found = {name: column[order] for name, column in found.items()}
        return found

    def parts(self, concepts: Sequence[int]) -> list[tuple[int, slice]]:
        """Where the records of each of some concepts are, of those that have any."""
        known, bounds = self.columns[_CONCEPT], self.columns[_BOUND]
        wanted = np.array(concepts, dtype=np.int64)
        at = np.searchsorted(known, wanted)
        there = np.flatnonzero(known.take(at, mode="clip") == wanted) if len(known) else at[:0]
        at = at[there]
        return [
            (concept, slice(begin, end))
            for concept, begin, end in zip(
                wanted[there].tolist(), bounds[at].tolist(), bounds[at + 1].tolist(), strict=True
            )
        ]


_CONCEPT, _BOUND = "concept", "bound"
"""The different concepts, and where the records of each begin, with where the last ones end."""


def by_concept(concept: Integers, columns: Columns) -> Columns:
    """What ``ByConcept`` looks at, of records in any order: those of one concept by persons where they have any, else
    as they came.
    """
    order = grouped(concept, columns.get("person_id"))
    concept, ordered = concept[order], {name: column[order] for name, column in columns.items()}
    first = np.flatnonzero(begins(concept)) if len(concept) else np.zeros(0, dtype=np.int64)
    return {_CONCEPT: concept[first], _BOUND: np.append(first, len(concept)), **ordered}


def _joined(parts: Sequence[Integers]) -> Integers:
    if not parts:
        return np.zeros(0, dtype=np.int64)
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).astype(np.int64)


class Kept:
    """What definitions read of buckets, for the definitions that come next; in the memory of this process alone.

    What is found is what would be read: everything of a bucket goes when the bucket has other rows. What there is no
    room for is read each time; nothing goes to make room, since a definition looks at all buckets in turn, so that each
    would be read again for the next one.
    Units: most_bytes — what it may take.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._editions: dict[int, str] = {}
        self._found: dict[_Name, tuple[Sequence[str], Columns]] = {}
        self._too_large: set[_Name] = set()
        self._n_bytes = 0

    def __repr__(self) -> str:
        return "Kept()"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("records of persons are never pickled")

    @property
    def n_bytes(self) -> int:
        """What it takes."""
        return self._n_bytes

    def forget(self) -> None:
        """Let go of everything."""
        for bucket in list(self._editions):
            self._leave(bucket)

    def enter(self, bucket: int, edition: str) -> None:
        """Say which rows a bucket has before something is asked of it."""
        if self._editions.get(bucket) != edition:
            self._leave(bucket)
            self._editions[bucket] = edition

    def columns(
        self,
        name: _Name,
        wanted: Sequence[str],
        n_rows: Callable[[], int],
        read: Callable[[Sequence[str]], Columns],
        most_rows: int | None = None,
        beside: Sequence[str] = (),
    ) -> Columns | None:
        """The columns of a table; those that are not there are read, with those that are. None: there is no room.

        In: n_rows — how many rows it has, asked before it is read; read — given names, what is to be kept; most_rows —
            a larger table is not kept; beside — columns that are likely to be wanted next, read too where there is room
        """
        held, found = self._found.get(name, (None, {}))
        if held is not None and set(wanted) <= set(held):
            return found
        if name in self._too_large:
            return None
        others, n = self._n_bytes - _size(found), n_rows()
        for more in (beside, ()):
            names = tuple(dict.fromkeys((*(held or ()), *wanted, *more)))
            room = (self._most_bytes - others) // (_MOST_BYTES_OF_NUMBER * max(len(names), 1))
            if n <= (room if most_rows is None else min(room, most_rows)):
                break
        else:
            self._too_large.add(name)
            return None
        self._drop(name)
        found = read(names)
        self._found[name] = names, found
        self._n_bytes += _size(found)
        return found

    def _leave(self, bucket: int) -> None:
        for name in [each for each in self._found if each[0] == bucket]:
            self._drop(name)
        self._too_large = {each for each in self._too_large if each[0] != bucket}
        self._editions.pop(bucket, None)

    def _drop(self, name: _Name) -> None:
        if name in self._found:
            self._n_bytes -= _size(self._found.pop(name)[1])


def _size(columns: Columns) -> int:
    return sum(column.nbytes for column in columns.values())


class KeptHere:
    """What is kept of one bucket; nothing where nothing is kept, or where the bucket does not say which rows it has."""

    def __init__(self, kept: Kept | None, bucket: CdmBucket) -> None:
        self.bucket = bucket
        self._kept: Kept | None = None
        if kept is not None and isinstance(bucket, Edited):
            self._kept, (self._number, edition) = kept, bucket.edition
            kept.enter(self._number, edition)

    def __bool__(self) -> bool:
        return self._kept is not None

    def keep(
        self,
        name: str,
        table: str,
        columns: Sequence[str],
        read: Callable[[Sequence[str]], Columns],
        most_rows: int | None = None,
        beside: Sequence[str] = (),
    ) -> Columns | None:
        """Columns of a table as they are kept under a name; None: they are not, or there is no room."""
        if self._kept is None:
            return None

        def n_rows() -> int:
            return int(self.bucket.query(plan_count(table))["n"][0].as_py())

        return self._kept.columns((self._number, name), columns, n_rows, read, most_rows, beside)
