"""How much a search among sets may do, whatever left before and whatever is asked for; what it left out is said.

Half of it is anybody's, the other half is shared out among the new sets, so that none is left without. One request has
one allowance for all its searches within it, however often sets are hidden and the rest is searched again.

Units: a place or a person that is looked at.
Check: tests/unit/release/test_decoys.py, tests/unit/release/test_untried.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

MOST_WORK = 1 << 29
"""Of all searches of one kind for a request: among what left, or within it. The bench's request takes a fifth of it."""
MOST_WITHIN = 1024
"""Sets within a new one of which three or four are added, or as many as fill it: the largest. All sets there are are
tried one by one and in pairs."""
MOST_PARTS = 512
"""Numbers within a whole of which two are taken from it, or as many as fit: the largest."""
MOST_SETS = 64
"""Sets of which any sums are tried; a block of persons is told by as many bits."""


class Untried(Enum):
    """What was left out, and of how many numbers; the sentence is for those who decide."""

    WORK = "the search of {n} number(s) ended at its limit"
    WITHIN = (
        f"{{n}} number(s) count persons of more than {MOST_WITHIN} others, of which not all threes and fours were added"
    )
    WHOLES = "of {n} number(s) not all was tried that several others leave of a larger one, or two less what they share"
    SUMS = (
        f"any sums of five and more that cross are sought among {MOST_SETS} numbers of a few million persons, "
        "and here are {n}"
    )
    PARTS = (
        f"{{n}} sum(s) or mean(s) are of persons of more than {MOST_PARTS} released ones, "
        "of which not all twos were taken away"
    )
    RESTS = "of {n} sum(s) or mean(s) not all was tried that three or more, or several beside them, leave of one"
    BLOCKS = "{n} number(s) cross in so many groups of few that only the smallest of these were added, up to six"


_ENDED = frozenset({Untried.WORK, Untried.WITHIN, Untried.PARTS})
"""Some numbers were not searched as all others are, and who crowds the search can bring it about: people decide. The
others say how far any search among many goes: it is told, and an enclosure names what leaves without people or not."""


class Sought:
    """What the searches of one request may still do, and what they left out."""

    def __init__(self, most: int = MOST_WORK) -> None:
        self.left = most
        self._untried: dict[Untried, int] = {}

    @property
    def untried(self) -> Mapping[Untried, int]:
        """What was left out, and of how many numbers."""
        return self._untried

    @property
    def said(self) -> str:
        """The same in words; nothing where all was tried."""
        return "; ".join(each.value.format(n=self._untried[each]) for each in Untried if each in self._untried)

    @property
    def is_ended(self) -> bool:
        """Whether some numbers were searched less than others are, so that people decide."""
        return bool(_ENDED & self._untried.keys())

    def leave_out(self, what: Untried, n: int = 1) -> None:
        """Say that something of so many numbers is not tried."""
        self._untried[what] = max(n, self._untried.get(what, 0))

    def begin(self, n_new: int, n: int) -> bool:
        """Whether a search may begin for which so much is looked at before anything is compared."""
        if n > self.left:
            self.left = 0
            self.leave_out(Untried.WORK, n_new)
            return False
        self.left -= n
        return True


class Allowance:
    """What is left of it, for one new set after the other."""

    def __init__(self, n_new: int, most: int) -> None:
        self._common = most // 2
        self._share = self._own = most // 2 // max(1, n_new)
        self.spent = 0
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
        self.spent += n
        return True
