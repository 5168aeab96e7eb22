"""CMAC over many messages of one length at once.

For messages of m whole blocks CMAC is CBC-MAC whose last block is masked with the subkey K1; with n messages side by
side each of its m steps is one pass of the cipher over n blocks, so m calls to a token do the work of n.

Source: NIST SP 800-38B, sections 6.1 and 6.2; RFC 4493
"""

from __future__ import annotations

import numpy as np

from enclos.lexicon.keys import BlockCipher
from enclos.pseudonyms.secret_functions.arrays import BLOCK_BYTES, Blocks, over_arrays

_ROWS_PER_PASS = 1 << 20
"""16 MiB of blocks, which a token takes in one call."""


def first_subkey(cipher: BlockCipher) -> Blocks:
    """K1: the image of the zero block, doubled in GF(2**128). Source: NIST SP 800-38B, section 6.1."""
    image = int.from_bytes(cipher.encrypt(bytes(BLOCK_BYTES)), "big")
    doubled = (image << 1) & ((1 << 128) - 1) ^ (0x87 if image >> 127 else 0)
    return np.frombuffer(doubled.to_bytes(BLOCK_BYTES, "big"), dtype=np.uint8)


def cmac_of_each(cipher: BlockCipher, messages: Blocks) -> Blocks:
    """The CMAC (16 bytes) of each row.

    In: messages — bytes, one row each; a row is one or more whole blocks
    Refuses: ValueError for rows of another length, where this is not CMAC
    Empty: no row gives none
    """
    width = messages.shape[1]
    if width == 0 or width % BLOCK_BYTES:
        raise ValueError("messages are whole blocks")
    encrypt, subkey = over_arrays(cipher), first_subkey(cipher)
    tags = np.empty((len(messages), BLOCK_BYTES), dtype=np.uint8)
    for start in range(0, len(messages), _ROWS_PER_PASS):
        part = messages[start : start + _ROWS_PER_PASS]
        state: Blocks = np.zeros((len(part), BLOCK_BYTES), dtype=np.uint8)
        for at in range(0, width, BLOCK_BYTES):
            state = state ^ part[:, at : at + BLOCK_BYTES]
            if at + BLOCK_BYTES == width:
                state = state ^ subkey
            state = encrypt(state)
        tags[start : start + len(part)] = state
    return tags
