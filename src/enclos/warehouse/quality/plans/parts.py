"""Parts of a snapshot by key: rows that share a key are in one part, whatever bucket they lie in.

A bucket holds whole persons and numbers of rows are composed of the person's, so a part is a run of buckets wherever
every key of a column lies in the bucket that it says. That is looked at and never taken for granted: of a column with a
key elsewhere every part reads all rows, and takes those whose keys are its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from enclos.lexicon.ids import ORDINALS_PER_PERSON
from enclos.warehouse.quality.model import TableShape
from enclos.warehouse.quality.plans.scan import WHOLE, quoted

BUCKET = "bucket"
"""The column before those of OMOP that says where a row of the lake lies."""


class Keys(Enum):
    """What keys are: how many of them a person may have."""

    OF_PERSONS = 1
    OF_ROWS = ORDINALS_PER_PERSON


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of keys of one table."""

    table: str
    column: str
    keys: Keys

    def says_a_bucket(self, shape: TableShape) -> bool:
        """Whether a bucket follows from the keys: from whole numbers it does, from texts it does not."""
        return shape.columns[self.column] in WHOLE


@dataclass(frozen=True, slots=True)
class KeyPart:
    """The keys of a run of buckets: from ``first`` to ``last`` of ``n_buckets``."""

    first: int
    last: int
    n_buckets: int


def cut_keys(n_keys: int, n_buckets: int, keys_per_part: int) -> tuple[KeyPart, ...]:
    """Cut the buckets into runs of about as many keys, a bucket at least."""
    n_parts = max(1, min(n_buckets, -(-n_keys // keys_per_part)))
    starts = [number * n_buckets // n_parts for number in range(n_parts + 1)]
    return tuple(KeyPart(first, after - 1, n_buckets) for first, after in pairwise(starts))


def _home(key: KeyColumn, n_buckets: int) -> str:
    """The bucket that a key says, NULL without a key."""
    person = quoted(key.column) if key.keys is Keys.OF_PERSONS else f"({quoted(key.column)} // {key.keys.value})"
    return f"(({person} % {n_buckets} + {n_buckets}) % {n_buckets})"


def plan_strays(shape: TableShape, key: KeyColumn, n_buckets: int) -> str:
    """Whether a row lies in another bucket than its key says, or in none: one boolean."""
    return (
        f"SELECT EXISTS (FROM {shape.relation} WHERE {BUCKET} IS NULL OR {BUCKET} NOT BETWEEN 0 AND {n_buckets - 1}"
        f" OR {BUCKET} <> {_home(key, n_buckets)})"
    )


def part_shape(shape: TableShape, key: KeyColumn, part: KeyPart, *, by_bucket: bool) -> TableShape:
    """The rows of a table whose keys are of a part; those without a key are in one part.

    In: by_bucket — every key lies in the bucket that it says.
    """
    place = BUCKET if by_bucket else f"coalesce({_home(key, part.n_buckets)}, 0)"
    rows = f"(SELECT * FROM {shape.relation} WHERE {place} BETWEEN {part.first} AND {part.last})"
    return TableShape(rows, shape.columns)
