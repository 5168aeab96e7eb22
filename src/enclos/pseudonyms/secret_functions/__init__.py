"""The keyed functions: level one at the sender, level two and record keys in the enclosure.

Each takes a block cipher whose key stays where it lives, and works on whole columns, never row by row.
"""

from enclos.pseudonyms.secret_functions.identities import LEVEL_ONE_FUNCTION, identity_messages, level_one_pseudonyms
from enclos.pseudonyms.secret_functions.numbers import (
    PERSON_FUNCTION,
    RECORD_FUNCTION,
    ff1_encrypt,
    person_numbers,
    record_keys,
)

__all__ = [
    "LEVEL_ONE_FUNCTION",
    "PERSON_FUNCTION",
    "RECORD_FUNCTION",
    "ff1_encrypt",
    "identity_messages",
    "level_one_pseudonyms",
    "person_numbers",
    "record_keys",
]
