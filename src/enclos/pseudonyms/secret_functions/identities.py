"""Level one: the sender's pseudonym of an identity, AES-256-CMAC of a message of fixed length.

A message is 32 bytes of ASCII, two whole blocks: the NIR's 13 characters, the birth date as YYYYMMDD, the sex (1 or
2) and ten bytes that name the function. Fixed length makes the messages prefix-free and the encoding of an identity
unique: two messages are equal only when the identities are. The ten bytes keep functions under one key apart.

Source: NIST SP 800-38B; docs/decisions/0010-level-one-cmac.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enclos.lexicon.keys import BlockCipher
from enclos.pseudonyms.secret_functions.arrays import BLOCK_BYTES, Blocks
from enclos.pseudonyms.secret_functions.cmac import cmac_of_each
from enclos.pseudonyms.secret_functions.distinct import DistinctTags

LEVEL_ONE_FUNCTION = "p1:cmac-aes256:1"
"""Stands in the name of the pseudonym's column or identifier system, so that the function is visible in its result."""
LOCAL_ID_FUNCTION = "i1:cmac-aes256:1"
"""The same for a source's own ids of records."""

_PERSON_LABEL, _RECORD_LABEL = b"enclos-p1\x01", b"enclos-i1\x01"
_NIR, _BIRTH, _SEX, _LABEL = slice(0, 13), slice(13, 21), slice(21, 22), slice(22, 32)
MESSAGE_BYTES = 32
NIR_RULE = r"^[1-478][0-9]{4}([0-9]{2}|2[AB])[0-9]{6}([0-9]{2})?$"
BIRTH_RULE = r"^(1[89]|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
SEX_RULE = r"^[12MF]$"


def identity_messages(nir: pa.Array, birth: pa.Array, sex: pa.Array) -> Blocks:
    """The message of each identity, one row of 32 bytes.

    In: nir — 13 characters, or 15 with the key, which is left out; birth — YYYY-MM-DD; sex — 1 or M, 2 or F. All of
        them fit NIR_RULE, BIRTH_RULE and SEX_RULE.
    Refuses: ValueError for a value that is empty or not of its form
    """
    messages = np.empty((len(nir), MESSAGE_BYTES), dtype=np.uint8)
    messages[:, _NIR] = _fixed(pc.utf8_slice_codeunits(nir, 0, 13), 13)
    dates = _fixed(birth, 10)
    messages[:, _BIRTH] = dates[:, [0, 1, 2, 3, 5, 6, 8, 9]]
    letters = _fixed(sex, 1)
    messages[:, _SEX] = np.where(letters == ord("M"), ord("1"), np.where(letters == ord("F"), ord("2"), letters))
    messages[:, _LABEL] = np.frombuffer(_PERSON_LABEL, dtype=np.uint8)
    return messages


def level_one_pseudonyms(cipher: BlockCipher, messages: Blocks, seen: DistinctTags | None = None) -> pa.Array:
    """The level-one pseudonym of each identity's message: 32 hexadecimal digits.

    In: seen — those of the run so far; who gives it checks them together at the run's end
    Refuses: PSEUDONYM_COLLISION when two identities have one pseudonym (checked, not assumed)
    """
    return _checked(cipher, messages, seen)


def record_pseudonyms(cipher: BlockCipher, names: Sequence[str], seen: DistinctTags | None = None) -> list[str]:
    """The pseudonym of each of a source's own ids: CMAC of its SHA-256 cut to 22 bytes, and the function's label.

    In: seen — as for ``level_one_pseudonyms``
    Refuses: PSEUDONYM_COLLISION
    """
    messages = np.empty((len(names), MESSAGE_BYTES), dtype=np.uint8)
    messages[:, _LABEL] = np.frombuffer(_RECORD_LABEL, dtype=np.uint8)
    digests = b"".join(hashlib.sha256(name.encode("utf-8")).digest()[:22] for name in names)
    messages[:, :22] = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 22)
    found: list[str] = _checked(cipher, messages, seen).to_pylist()
    return found


def _checked(cipher: BlockCipher, messages: Blocks, seen: DistinctTags | None) -> pa.Array:
    tags = cmac_of_each(cipher, messages)
    known = DistinctTags() if seen is None else seen
    known.add(messages, tags)
    if seen is None:
        known.check()
    return _hexadecimal(tags)


def _fixed(texts: pa.Array, width: int) -> Blocks:
    """Texts of one width as rows of bytes."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if whole.null_count or not (len(whole) == 0 or pc.all(pc.equal(pc.binary_length(whole), width)).as_py()):
        raise ValueError("a part of an identity is missing or not of its form")
    whole = whole.cast(pa.string())
    data = whole.buffers()[2]
    if data is None or len(whole) == 0:
        return np.empty((0, width), dtype=np.uint8)
    first = int(np.frombuffer(whole.buffers()[1], dtype=np.int32)[whole.offset])
    return np.frombuffer(data, dtype=np.uint8)[first : first + len(whole) * width].reshape(-1, width)


def _hexadecimal(tags: Blocks) -> pa.Array:
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    pairs = np.array([[digits[n >> 4], digits[n & 15]] for n in range(256)], dtype=np.uint8).view(np.uint16).ravel()
    text, size = pairs[tags], 2 * BLOCK_BYTES
    offsets = np.arange(0, (len(tags) + 1) * size, size, dtype=np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.large_string(), len(tags), buffers)
