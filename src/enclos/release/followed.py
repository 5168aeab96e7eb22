"""Days at risk and repeated events of the same persons, told of more than one stretch of time.

Two rates of the same persons until the last day of a year and until the day before leave how many of them were still
there on that day, and so how many had left: a curve day by day, which leaves in no other way. The days that a group
lost (its persons times the days of the stretch, less its days at risk) are the sum of what each lost; few days are of
few persons. So lost days of one stretch, of two that are subtracted, or of one less two of its parts, are none or the
minimum. The same holds of events of the same cases: few events are of few.

Sets that differ by a few persons are refused as sets (``history``); those that differ by more say nothing of these
days.

Units: days and events; k is the permit's minimum count of persons.
Check: tests/unit/release/test_followed.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

DAYS, AFTER, EVENTS = "days", "days after entry", "events"


@dataclass(frozen=True, slots=True)
class Followed:
    """What a set of persons lost or had in a stretch of days, both ends included; ``persons`` tells the set."""

    kind: str
    persons: Hashable
    first: int
    last: int
    amount: int

    def holds(self, other: Followed) -> bool:
        """Whether another stretch lies within this one."""
        return self.first <= other.first and other.last <= self.last

    def meets(self, other: Followed) -> bool:
        """Whether a day is in both stretches."""
        return self.first <= other.last and other.first <= self.last


def few_between(new: Sequence[Followed], old: Sequence[Followed], k: int) -> Iterator[tuple[int, int]]:
    """New amounts that with others leave few: the place of the new one, and of an earlier one that takes part.

    In:  old — what left earlier; one of these takes part
    Out: the first that is found for each new one
    """
    groups: dict[tuple[str, Hashable], dict[Followed, int]] = defaultdict(dict)
    for place, each in enumerate(old):
        groups[each.kind, each.persons].setdefault(each, place)
    for number, one in enumerate(new) if k > 1 else ():
        places = {each: at for each, at in groups[one.kind, one.persons].items() if each != one}
        found = next(_few(one, list(places), k), None)
        if found is not None:
            yield number, places[found]


def _few(new: Followed, old: Sequence[Followed], k: int) -> Iterator[Followed]:
    yield from (other for other in old if 0 < abs(new.amount - other.amount) < k)
    for pair in combinations(old, 2):
        for whole, one, other in ((new, *pair), (pair[0], new, pair[1]), (pair[1], new, pair[0])):
            is_split = whole.holds(one) and whole.holds(other) and not one.meets(other)
            if is_split and 0 < abs(whole.amount - one.amount - other.amount) < k:
                yield pair[0]
