"""Encrypted Parquet under another key, module by module: nothing is decoded, no row is read, no offset moves.

A file is a row of modules (page headers, pages, indexes, filters) between two marks, each after its length; a footer,
whose own module follows a few plain bytes, ends it. Each module is AES-GCM with a nonce of its own and, as the engine
writes it, bound to nothing else. So each can be opened under the old key and closed under the new one in its place.

Source: Apache Parquet, Encryption.md, sections 5.1 to 5.4 (module and footer formats, AES_GCM_V1)
"""

from __future__ import annotations

import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_MARK = b"PARE"
_NONCE, _TAG, _LENGTH = 12, 16, 4
_CRYPTO_BYTES = 64
"""More than the plain bytes before the footer's module take: they name the algorithm."""


def reencrypted_parquet(content: bytes, old: bytes, new: bytes) -> bytes:
    """The same file, as many bytes, under the new key; every module is authenticated on the way.

    Refuses: STORAGE_BROKEN when it is no encrypted Parquet, altered, or under another key.
    """
    footer, last, end = _footer(content)
    result = bytearray(content)
    again = _Again(content, memoryview(result), AESGCM(old), AESGCM(new))
    at = len(_MARK)
    while at < footer:
        at = again.module(at, footer)
    again.module(last, end)
    return bytes(result)


class _Again:
    """Opens modules and closes them in their places."""

    def __init__(self, content: bytes, result: memoryview, opening: AESGCM, closing: AESGCM) -> None:
        self._content, self._given, self._result = content, memoryview(content), result
        self._opening, self._closing = opening, closing
        self._plain = bytearray()
        """One place for what is open, since fresh memory for each page costs more than the cipher does."""

    def module(self, at: int, stop: int) -> int:
        """The module that begins there, and where it ends."""
        start = at + _LENGTH
        end = start + _length(self._content, at)
        if end > stop or end - start < _NONCE + _TAG:
            raise _broken()
        sealed, n_plain = slice(start + _NONCE, end), end - start - _NONCE - _TAG
        if len(self._plain) < n_plain:
            self._plain = bytearray(n_plain)
        plain = memoryview(self._plain)[:n_plain]
        try:
            self._opening.decrypt_into(self._content[start : start + _NONCE], self._given[sealed], None, plain)
        except InvalidTag:
            raise _broken() from None
        nonce = os.urandom(_NONCE)
        self._result[start : start + _NONCE] = nonce
        self._closing.encrypt_into(nonce, plain, None, self._result[sealed])
        return end


def opens_parquet(content: bytes, key: bytes) -> bool:
    """Whether the file's footer opens under the key."""
    try:
        _, last, end = _footer(content)
        start = last + _LENGTH
        AESGCM(key).decrypt(content[start : start + _NONCE], content[start + _NONCE : end], None)
    except (InvalidTag, Refusal):
        return False
    return True


def _footer(content: bytes) -> tuple[int, int, int]:
    """Where the footer begins, where its module does, and where both end."""
    if len(content) < 2 * len(_MARK) + _LENGTH or content[:4] != _MARK or content[-4:] != _MARK:
        raise _broken()
    end = len(content) - len(_MARK) - _LENGTH
    footer = end - _length(content, end)
    starts = range(max(footer, len(_MARK)), min(footer + _CRYPTO_BYTES, end - _LENGTH))
    last = next((each for each in starts if each + _LENGTH + _length(content, each) == end), end)
    if footer < len(_MARK) or last == end or end - last < _LENGTH + _NONCE + _TAG:
        raise _broken()
    return footer, last, end


def _length(content: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", content, at)[0]) if at + _LENGTH <= len(content) else -1


def _broken() -> Refusal:
    return refusal(
        Code.STORAGE_BROKEN,
        "A file of sealed rows is altered, or its key is another one.",
        "Verify what the host keeps: enclos hosting verify DIR. Restore it from a backup.",
    )
