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

import numpy as np
import numpy.typing as npt

from enclos.release.ranges import Places, expanded

DAYS, AFTER, EVENTS = "days", "days after entry", "events"


@dataclass(frozen=True, slots=True)
class Followed:
    """What a set of persons lost or had in a stretch of days, both ends included; ``persons`` tells the set."""

    kind: str
    persons: Hashable
    first: int
    last: int
    amount: int


def few_between(new: Sequence[Followed], old: Sequence[Followed], k: int) -> Iterator[tuple[int, int]]:
    """New amounts that with others leave few: the place of the new one, and of an earlier one that takes part.

    In:  old — what left earlier; one of these takes part
    Out: the first that is found for each new one
    """
    groups: dict[tuple[str, Hashable], dict[Followed, int]] = defaultdict(dict)
    for place, each in enumerate(old):
        groups[each.kind, each.persons].setdefault(each, place)
    beside = {name: _Stretches(list(group)) for name, group in groups.items()}
    for number, one in enumerate(new) if k > 1 else ():
        name = one.kind, one.persons
        found = beside[name].first_beside(one, k) if name in beside else None
        if found is not None:
            yield number, groups[name][found]


class _Stretches:
    """Stretches of one kind of the same persons, column by column: the weeks of ten years are 130 000 pairs."""

    def __init__(self, stretches: Sequence[Followed]) -> None:
        self.stretches = stretches
        self.first, self.last, self.amount = (
            np.array([getattr(each, name) for each in stretches], dtype=np.int64)
            for name in ("first", "last", "amount")
        )

    def first_beside(self, new: Followed, k: int) -> Followed | None:
        """The first that leaves few beside a new one: one is taken from another, or two that share no day from one that
        holds both.
        """
        is_other = (self.first != new.first) | (self.last != new.last) | (self.amount != new.amount)
        alone = np.flatnonzero(is_other & _is_few(self.amount - new.amount, k))
        if len(alone):
            return self.stretches[int(alone[0])]
        within = np.flatnonzero(is_other & (self.first >= new.first) & (self.last <= new.last))
        holding = np.flatnonzero(is_other & (self.first <= new.first) & (self.last >= new.last))
        beside = np.flatnonzero(is_other & ((self.first > new.last) | (self.last < new.first)))
        places = [len(self.stretches)]
        for one, other in _pairs(within, within):
            leaves_few = _is_few(new.amount - self.amount[one] - self.amount[other], k)
            is_apart = (self.first[one] > self.last[other]) | (self.last[one] < self.first[other])
            places += np.minimum(one, other)[leaves_few & is_apart].tolist()
        for whole, part in _pairs(holding, beside):
            leaves_few = _is_few(self.amount[whole] - new.amount - self.amount[part], k)
            holds = (self.first[whole] <= self.first[part]) & (self.last[whole] >= self.last[part])
            places += np.minimum(whole, part)[leaves_few & holds].tolist()
        return self.stretches[min(places)] if len(places) > 1 else None


def _pairs(one: Places, other: Places) -> Iterator[tuple[Places, Places]]:
    """Every pair of one and another, many at a time."""
    for rows, at in expanded(np.zeros(len(one), np.int64), np.full(len(one), len(other))):
        yield one[rows], other[at]


def _is_few(amounts: Places, k: int) -> npt.NDArray[np.bool_]:
    few: npt.NDArray[np.bool_] = (amounts != 0) & (np.abs(amounts) < k)
    return few
