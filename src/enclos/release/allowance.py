"""How much a search among released sets may do, whatever left before; what it could not try, people decide.

Half of it is anybody's, the other half is shared out among the new sets, so that none is left without.

Units: a place or a person that is looked at.
Check: tests/unit/release/test_decoys.py.
"""

from __future__ import annotations

MOST_WORK = 1 << 29
"""Of one search. The bench's request takes a fifth of it."""
ALL_THAT_IT_TAKES = 1 << 62


class Allowance:
    """What is left of it, for one new set after the other."""

    def __init__(self, n_new: int, most: int) -> None:
        self._common = most // 2
        self._share = self._own = most // 2 // max(1, n_new)
        self.is_short = False
        """Whether something of the present one was not tried."""

    def begin(self) -> None:
        """Go on to the next new set."""
        self._own, self.is_short = self._share, False

    def fall_short(self) -> None:
        """Say that something is not tried."""
        self.is_short = True

    def spend(self, n: int) -> bool:
        """Whether so much may be done; it is taken where it may."""
        if n > self._own + self._common:
            self.fall_short()
            return False
        own = min(n, self._own)
        self._own, self._common = self._own - own, self._common - (n - own)
        return True
