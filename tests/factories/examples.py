"""How many examples generative tests draw: all that they name in the long tests, half of them in the quick ones."""

from __future__ import annotations

import os

_IS_LONG = "ENCLOS_TESTS_LONG" in os.environ


def drawn(n: int) -> int:
    """The examples to draw of those that a test names."""
    return n if _IS_LONG else n // 2
