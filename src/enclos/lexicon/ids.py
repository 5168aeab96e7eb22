"""Row ids are composed: person number times 2**20 plus an ordinal within the person.

Source: design § 3.3. A person number is below 2**43, so that a row id fits a signed 64-bit integer.
"""

from __future__ import annotations

from typing import NewType

ORDINAL_BITS = 20
ORDINALS_PER_PERSON = 1 << ORDINAL_BITS
ORDINAL_MASK = ORDINALS_PER_PERSON - 1
PERSON_BITS = 43
MAX_PERSONS = 1 << PERSON_BITS
PLACE_BITS = 53
"""Numbers of professionals and places, in the warehouse and under a permit: every program can hold them."""

PersonId = NewType("PersonId", int)
"""A person in the warehouse; never leaves it."""
PermitPerson = NewType("PermitPerson", int)
"""A person under one permit; random, never reused under another."""
RowId = NewType("RowId", int)


def compose(person: int, ordinal: int) -> RowId:
    """The row id of the ``ordinal``-th row of a person.

    Refuses: ValueError outside the ranges, since an overflow would give two rows one id.
    """
    if not 0 <= person < MAX_PERSONS or not 0 <= ordinal < ORDINALS_PER_PERSON:
        raise ValueError("person or ordinal out of range")
    return RowId((person << ORDINAL_BITS) | ordinal)


def person_of(row: RowId) -> int:
    """The person that a row belongs to."""
    return row >> ORDINAL_BITS


def ordinal_of(row: RowId) -> int:
    """The ordinal of a row within its person."""
    return row & ORDINAL_MASK
