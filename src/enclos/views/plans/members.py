"""Who of a bucket is in the perimeter, told by two bitmaps instead of a join.

Person numbers are spread evenly over their 43 bits. One bitmap is looked up by the upper bits of a number, the other
by the lower ones. Everybody in the perimeter has both bits; the few others who have both as well, by chance, are
listed. Rows lie in the order of their persons, so that the first bitmap is read from end to end.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclos.lexicon.ids import PERSON_BITS
from enclos.views.ports import Snapshot

PERIMETER = "permit_perimeter"
"""The name of the temporary table that holds one bucket of the perimeter."""

_OUTSIDERS = "permit_outsiders"
"""The name of the temporary table (person_id) of the bucket's persons who are out."""

OPTED_OUT = "permit_opted_out"
"""The name of the registered table (person_id) of those who objected."""

HIGH, LOW = "permit_in_high", "permit_in_low"
"""The session variables that hold the bitmaps."""

_SPARSE_BITS, _LEAST_BITS, _MOST_BITS = 7, 10, 22
"""A bitmap has 2**7 places for each person who is in, but never more than half a mebibyte: larger ones are slow."""

MOST_EXCEPTIONS = 64
"""With more who have both bits by chance, a look into the perimeter costs less than the list."""


@dataclass(frozen=True, slots=True)
class Members:
    """How to tell who of one bucket is in.

    ``everyone`` says that nobody is out. ``bits`` is the length of a bitmap's index. ``exceptions`` have both bits
    without being in; None when they are too many to list: then the perimeter itself is asked.
    """

    everyone: bool
    bits: int
    exceptions: tuple[int, ...] | None

    def test(self, person: str) -> str:
        """The SQL that is true for rows of persons who are in; it never fails, whatever the number.

        In: person — SQL of a person's warehouse number.
        """
        if self.everyone:
            return "true"
        if self.exceptions is None:
            return f"{person} IN (SELECT person_id FROM {PERIMETER})"
        both = _both_bits(person, self.bits)
        if self.exceptions:
            both += f" AND {person} NOT IN ({', '.join(map(str, self.exceptions))})"
        return both


def bits_for(n_in: int) -> int:
    """The length of the bitmaps' index for so many persons who are in."""
    return min(max(n_in.bit_length() + _SPARSE_BITS, _LEAST_BITS), _MOST_BITS)


def plan_members(bits: int) -> tuple[str, ...]:
    """Statements that set the bitmaps of the open bucket; they read its perimeter."""
    return tuple(
        f"SET VARIABLE {name} = (SELECT bitstring_agg({place}, 0, {(1 << bits) - 1}) FROM {PERIMETER})"
        for name, place in _places("person_id", bits).items()
    )


def plan_outsiders(snapshot: Snapshot, bucket: int) -> str:
    """The persons of the bucket who are out, as a temporary table; a perimeter of another day may hold others."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {_OUTSIDERS} AS SELECT person_id FROM {snapshot.relation('person')} "
        f"WHERE bucket = {bucket} AND person_id NOT IN (SELECT person_id FROM {PERIMETER})"
    )


def plan_member_counts() -> str:
    """How many persons of the bucket are out, and how many are in."""
    return f"SELECT (SELECT count(*) FROM {_OUTSIDERS}), (SELECT count(*) FROM {PERIMETER})"


def plan_exceptions(bits: int) -> str:
    """Persons of the bucket who are out and have both bits: person_id, at most one more than can be listed."""
    return (
        f"SELECT person_id FROM {_OUTSIDERS} WHERE {_both_bits('person_id', bits)} "
        f"ORDER BY person_id LIMIT {MOST_EXCEPTIONS + 1}"
    )


def _both_bits(person: str, bits: int) -> str:
    return " AND ".join(f"get_bit(getvariable('{name}'), {place}) = 1" for name, place in _places(person, bits).items())


def _places(person: str, bits: int) -> dict[str, str]:
    """Where a person stands in each bitmap; any number has a place, so that nothing can fail."""
    mask = (1 << bits) - 1
    return {
        HIGH: f"(({person} >> {PERSON_BITS - bits}) & {mask})::INTEGER",
        LOW: f"({person} & {mask})::INTEGER",
    }
