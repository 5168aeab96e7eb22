"""Level two and record keys: numbers for the research wing, over whole columns at once.

Person numbers are the image of a dense counter under FF1 (NIST SP 800-38G, section 5.1) with radix 2 and 43 digits:
a permutation, so collision-free by construction, and nothing of an identity goes into it. Stay, visit and executant
keys are the first 63 bits of AES-256 over the first 128 bits of a SHA-256: a pseudorandom function under the key.

Each function has a key of its own that works where it lives, in a token or in the key store's process; a value shows
under which function and version it was made (``PERSON_FUNCTION``, ``RECORD_FUNCTION``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from enclos.lexicon.ids import PERSON_BITS
from enclos.lexicon.keys import BlockCipher
from enclos.pseudonyms.secret_functions.arrays import BLOCK_BYTES, OverArrays, over_arrays

PERSON_FUNCTION = "p2:ff1-aes256:1"
"""Level two: FF1 with radix 2 and 43 digits of a person's counter."""
RECORD_FUNCTION = "r2:aes256-sha256:1"
"""Keys of stays, visits and executants: 63 bits of AES-256 of a SHA-256."""

Numbers = npt.NDArray[np.int64]
_ROUNDS = 10
_CHUNK = 1 << 13
"""Rows per pass: their cipher blocks stay in the processor's cache (measured: 3.4 M numbers/s, 1.8 M/s without)."""
_63_BITS = np.uint64((1 << 63) - 1)


def person_numbers(cipher: BlockCipher, counters: Numbers) -> Numbers:
    """The person number of each counter: a keyed permutation of [0, 2**43).

    Refuses: ValueError outside the range, where the permutation is not defined
    Source: NIST SP 800-38G, algorithm 7 (FF1.Encrypt)
    """
    return ff1_encrypt(cipher, 2, PERSON_BITS, counters)


def person_counters(cipher: BlockCipher, numbers: Numbers) -> Numbers:
    """The counter of each person number: level two undone, for whoever may use its key.

    Source: NIST SP 800-38G, algorithm 8 (FF1.Decrypt)
    """
    return ff1_decrypt(cipher, 2, PERSON_BITS, numbers)


def record_keys(cipher: BlockCipher, digests: bytes) -> Numbers:
    """A 63-bit key for each SHA-256 digest.

    Readers join by person and key, so that records of two persons under one key are still two; a unit that holds such
    a pair is refused all the same (``steps.tables``). Within a person of 10 000 records the odds of one are 1 in 10^11.

    In: digests — 32 bytes each, one after the other
    """
    if len(digests) % 32:
        raise ValueError("a digest has 32 bytes")
    encrypt = over_arrays(cipher)
    blocks = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32)[:, :BLOCK_BYTES]
    image = encrypt(np.ascontiguousarray(blocks))
    first = np.ascontiguousarray(image[:, :8]).view(">u8").ravel().astype(np.uint64)
    return (first & _63_BITS).astype(np.int64)


def ff1_encrypt(cipher: BlockCipher, radix: int, n_digits: int, numbers: Numbers) -> Numbers:
    """FF1 with an empty tweak over numbers of ``n_digits`` digits, all at once.

    In: radix ** n_digits at most 2**62; numbers in [0, radix ** n_digits)
    Source: NIST SP 800-38G, algorithm 7; test vectors: NIST FF1 samples 1, 4 and 7
    """
    return _ff1(cipher, radix, n_digits, numbers, undo=False)


def ff1_decrypt(cipher: BlockCipher, radix: int, n_digits: int, numbers: Numbers) -> Numbers:
    """The numbers whose image ``ff1_encrypt`` gives; the cipher encrypts here too, as a Feistel network asks.

    Source: NIST SP 800-38G, algorithm 8
    """
    return _ff1(cipher, radix, n_digits, numbers, undo=True)


def _ff1(cipher: BlockCipher, radix: int, n_digits: int, numbers: Numbers, *, undo: bool) -> Numbers:
    left_digits = n_digits // 2
    right_digits = n_digits - left_digits
    size = radix**n_digits
    if size > 1 << 62 or (len(numbers) and not (int(numbers.min()) >= 0 and int(numbers.max()) < size)):
        raise ValueError("FF1 is defined on numbers with the given digits only")
    encrypt = over_arrays(cipher)
    n_bytes = (((radix**right_digits - 1).bit_length()) + 7) // 8
    n_used = 4 * ((n_bytes + 3) // 4) + 4
    if n_used != 8:
        raise ValueError("this FF1 takes halves of one to four bytes")
    head = bytes([1, 2, 1, *radix.to_bytes(3, "big"), _ROUNDS, left_digits % 256])
    first = np.frombuffer(head + n_digits.to_bytes(4, "big") + bytes(4), dtype=np.uint8).reshape(1, BLOCK_BYTES)
    chain = encrypt(first)[0]
    image = np.empty_like(numbers)
    turns = range(_ROUNDS - 1, -1, -1) if undo else range(_ROUNDS)
    for start in range(0, len(numbers), _CHUNK):
        part = numbers[start : start + _CHUNK].astype(np.uint64)
        left, right = np.divmod(part, np.uint64(radix**right_digits))
        for turn in turns:
            modulus = np.uint64(radix ** (left_digits if turn % 2 == 0 else right_digits))
            if undo:
                mask = _round(encrypt, chain, turn, left, n_bytes) % modulus
                left, right = (right + modulus - mask) % modulus, left
            else:
                mask = _round(encrypt, chain, turn, right, n_bytes) % modulus
                left, right = right, (left + mask) % modulus
        image[start : start + _CHUNK] = (left * np.uint64(radix**right_digits) + right).astype(np.int64)
    return image


def _round(
    encrypt: OverArrays, chain: npt.NDArray[np.uint8], turn: int, half: npt.NDArray[np.uint64], n_bytes: int
) -> npt.NDArray[np.uint64]:
    """One round's number: CBC-MAC over the fixed first block (``chain``) and the block of this half."""
    blocks = np.zeros((len(half), BLOCK_BYTES), dtype=np.uint8)
    blocks[:, BLOCK_BYTES - 1 - n_bytes] = turn
    blocks[:, BLOCK_BYTES - n_bytes :] = half.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - n_bytes :]
    image = encrypt(blocks ^ chain)
    return np.ascontiguousarray(image[:, :8]).view(">u8").ravel().astype(np.uint64)
