"""The two keyed functions of the wall, over whole columns at once.

Person numbers are the image of a dense counter under FF1 (NIST SP 800-38G, section 5.1) with radix 2 and 43 digits:
a permutation, so collision-free by construction, and nothing of an identity goes into it. Stay, visit and executant
keys are the first 63 bits of AES-256 over the first 128 bits of a SHA-256: a pseudorandom function under the key.

Each function has its own key, derived from one secret by HKDF-SHA256 (RFC 5869) with the function's name, so that a
value shows under which function and version it was made (``FUNCTIONS``), and none serves for another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from enclos.lexicon.ids import PERSON_BITS
from enclos.lexicon.keys import SecretKey

PERSON_FUNCTION = "enclos person number 1: FF1-AES256, radix 2, 43 digits"
RECORD_FUNCTION = "enclos record key 1: AES256 of SHA256, 63 bits"
FUNCTIONS = (PERSON_FUNCTION, RECORD_FUNCTION)

Numbers = npt.NDArray[np.int64]
_ROUNDS = 10
_BLOCK = 16
_CHUNK = 1 << 13
"""Rows per pass: their cipher blocks stay in the processor's cache (measured: 3.4 M numbers/s, 1.8 M/s without)."""
_63_BITS = np.uint64((1 << 63) - 1)


def derived_key(secret: SecretKey, function: str) -> bytes:
    """The key of one function. Source: RFC 5869."""
    return HKDF(SHA256(), length=32, salt=None, info=function.encode("utf-8")).derive(secret.reveal())


def person_numbers(secret: SecretKey, counters: Numbers) -> Numbers:
    """The person number of each counter: a keyed permutation of [0, 2**43).

    Refuses: ValueError outside the range, where the permutation is not defined
    Source: NIST SP 800-38G, algorithm 7 (FF1.Encrypt)
    """
    return ff1_encrypt(derived_key(secret, PERSON_FUNCTION), 2, PERSON_BITS, counters)


def record_keys(secret: SecretKey, digests: bytes) -> Numbers:
    """A 63-bit key for each SHA-256 digest.

    In: digests — 32 bytes each, one after the other
    """
    if len(digests) % 32:
        raise ValueError("a digest has 32 bytes")
    encrypt = _Blocks(derived_key(secret, RECORD_FUNCTION))
    blocks = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32)[:, :_BLOCK]
    image = encrypt(np.ascontiguousarray(blocks))
    first = np.ascontiguousarray(image[:, :8]).view(">u8").ravel().astype(np.uint64)
    return (first & _63_BITS).astype(np.int64)


def ff1_encrypt(key: bytes, radix: int, n_digits: int, numbers: Numbers) -> Numbers:
    """FF1 with an empty tweak over numbers of ``n_digits`` digits, all at once.

    In: radix ** n_digits at most 2**62; numbers in [0, radix ** n_digits)
    Source: NIST SP 800-38G, algorithm 7; test vectors: NIST FF1 samples 1, 4 and 7
    """
    left_digits = n_digits // 2
    right_digits = n_digits - left_digits
    size = radix**n_digits
    if size > 1 << 62 or (len(numbers) and not (int(numbers.min()) >= 0 and int(numbers.max()) < size)):
        raise ValueError("FF1 is defined on numbers with the given digits only")
    encrypt = _Blocks(key)
    n_bytes = (((radix**right_digits - 1).bit_length()) + 7) // 8
    n_used = 4 * ((n_bytes + 3) // 4) + 4
    if n_used != 8:
        raise ValueError("this FF1 takes halves of one to four bytes")
    head = bytes([1, 2, 1, *radix.to_bytes(3, "big"), _ROUNDS, left_digits % 256])
    first = np.frombuffer(head + n_digits.to_bytes(4, "big") + bytes(4), dtype=np.uint8).reshape(1, _BLOCK)
    chain = encrypt(first)[0]
    image = np.empty_like(numbers)
    for start in range(0, len(numbers), _CHUNK):
        part = numbers[start : start + _CHUNK].astype(np.uint64)
        left, right = np.divmod(part, np.uint64(radix**right_digits))
        for turn in range(_ROUNDS):
            modulus = np.uint64(radix ** (left_digits if turn % 2 == 0 else right_digits))
            mixed = (left + _round(encrypt, chain, turn, right, n_bytes) % modulus) % modulus
            left, right = right, mixed
        image[start : start + _CHUNK] = (left * np.uint64(radix**right_digits) + right).astype(np.int64)
    return image


def _round(
    encrypt: _Blocks, chain: npt.NDArray[np.uint8], turn: int, half: npt.NDArray[np.uint64], n_bytes: int
) -> npt.NDArray[np.uint64]:
    """One round's number: CBC-MAC over the fixed first block (``chain``) and the block of this half."""
    blocks = np.zeros((len(half), _BLOCK), dtype=np.uint8)
    blocks[:, _BLOCK - 1 - n_bytes] = turn
    blocks[:, _BLOCK - n_bytes :] = half.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - n_bytes :]
    image = encrypt(blocks ^ chain)
    return np.ascontiguousarray(image[:, :8]).view(">u8").ravel().astype(np.uint64)


class _Blocks:
    """AES over whole arrays of 16-byte blocks; each block on its own, as the two constructions above need it."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(AES(key), ECB())  # noqa: S305 - the block cipher itself, inside FF1 and a fixed-length PRF

    def __call__(self, blocks: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        encryptor = self._cipher.encryptor()
        image = encryptor.update(blocks.tobytes()) + encryptor.finalize()
        return np.frombuffer(image, dtype=np.uint8).reshape(-1, _BLOCK)
