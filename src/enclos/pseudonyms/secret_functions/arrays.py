"""A block cipher over arrays of 16-byte blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.lexicon.keys import BlockCipher

BLOCK_BYTES = 16
Blocks: TypeAlias = npt.NDArray[np.uint8]
"""Rows of 16 bytes."""
OverArrays: TypeAlias = Callable[[Blocks], Blocks]


def over_arrays(cipher: BlockCipher) -> OverArrays:
    """The cipher as a function of an array, each block on its own, as FF1 and a CMAC in bulk need it."""

    def encrypt(blocks: Blocks) -> Blocks:
        image = cipher.encrypt(blocks.tobytes())
        return np.frombuffer(image, dtype=np.uint8).reshape(-1, BLOCK_BYTES)

    return encrypt
