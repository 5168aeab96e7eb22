"""Sets of persons that were released, and which of them a new one differs from by a few.

Whoever holds two tables can subtract them. A number that was released is therefore kept with the persons it counts,
and a new one is compared with every earlier one, of every permit: it may equal it, or differ by the minimum or more.
So may it be with the sums of earlier ones, and with what they leave of a larger one.

What is compared is who is in, not how many: two sets of one size can differ by two persons. Each set is told by how
many of its persons fall into each of 64 classes. For any sum of sets these counts differ by at most as many as the
persons do; what they leave open is compared person by person, so that nothing is refused for a coincidence. What is
equal to the person, as most sums of the strata of one table are, is told by a sum of 64 bits over all persons.

Units: distinct persons, under numbers of the warehouse; k is the permit's minimum count.
Check: tests/oracle/differencing.py tries every combination in plain Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np

from enclos.release.allowance import MOST_WITHIN, Allowance, Sought, Untried
from enclos.release.blocks import collisions_of_all_sums
from enclos.release.joins import MOST_IN_FOURS, MOST_IN_TRIPLES, adding_up
from enclos.release.ordered import Ordered, Places
from enclos.release.ranges import adding_to, combined
from enclos.release.sets import LEAST_DRAWN_FROM, Collision, Counts, Persons, Sets, less, n_different
from enclos.release.sketches import IsApart, Sketches, smallest
from enclos.release.standing import Standing

_PERSONS_PER = 4
"""Persons of a set in full that cost as much as a place."""
_PER_SET = 8
"""What it costs to look at the classes of a set."""
_A_FEW = 512
"""Sets that are looked at first where the nearest that fit are enough; then twice as many, and so on."""
_FIRST_BESIDE = 1536
"""The same where they may lie beside the new one, as most do."""
_SOME_HALVES = 1024
"""Sets that are looked at first where those that are a little more than half of a rest are enough."""
_AT_ONCE = 80
"""Sets of which all classes are looked at together: some more than are wanted beside a whole."""
MOST_BESIDE = 65
"""Sets within what the new one leaves of a whole, of which two or three are taken from it too: the largest."""
MOST_WHOLES = 12
"""Sets that hold the new one and from which several are taken: the smallest. One is taken from all of them."""


def collisions(new: Sets, old: Sets, k: int, sought: Sought) -> Iterator[Collision]:
    """New sets that differ by 1 to k - 1 persons from a combination of others in which an earlier set takes part.

    In:  combinations are one set; up to four that are added; one less up to three; two less one, as of a union or an
         intersection; any number of sets that share nobody, and what they leave of one; where sets are few, and none
         of these was found, any sums of any of them (``blocks``). Numbers of sets below
         ``len(old)`` are earlier sets, the others are new ones.
         sought — what may be done, and what was left out
         Equal sets are one, and the new set itself takes no part.
    Out: the first that is found for each new set.
    """
    if k <= 1 or not len(old) or not len(new):
        return
    n_persons = sum(int(each.counts.sum()) for each in (new, old) if each.among is not None)  # read one by one
    if not sought.begin(len(new), _PER_SET * (len(new) + len(old)) + n_persons // _PERSONS_PER):
        return
    search, left_out, is_any = _Search(new, old, k, sought.left), Counter[Untried](), False
    for number in range(len(new)):
        found = search.first(number)
        left_out.update(search.left_out)
        if found is not None:
            is_any = True
            yield found
    sought.left -= search.spent
    if not is_any:
        yield from collisions_of_all_sums(new, old, k, sought)
    if Untried.SUMS in sought.untried or search.is_many:  # of few sets all sums were tried
        for what, n in left_out.items():
            sought.leave_out(what, n)


class _Search:
    """All sets in the order of their sizes, so that what could make up a difference is a range."""

    def __init__(self, new: Sets, old: Sets, k: int, most_work: int) -> None:
        self._new, self._k = new, k
        self._all = Ordered(new, old, k)
        self._sizes, self._counts, self._sums = self._all.sizes, self._all.counts, self._all.sums
        many = len(self._all) > MOST_IN_TRIPLES  # of fewer all are tried
        self.is_many = many
        self._standing: Standing | None = None
        if many:
            standing = np.concatenate([old.who_stand(), new.who_stand()])
            self._standing = Standing(standing[self._all.numbers], self._sizes)
        self._who = new.who_among(self._standing.bits) if self._standing is not None else None
        self._who_stand = new.who_stand() if many else None
        self._met_now, self._own_now = np.zeros(0, np.int8), np.zeros(0, np.uint64)
        self._beside_now = np.zeros(0, np.bool_)
        self._allowance = Allowance(len(new), most_work)
        self._left_out: set[Untried] = set()
        self._sketches = Sketches(self._all.persons, self._sizes)

    @property
    def left_out(self) -> set[Untried]:
        """What of the last one was not tried."""
        return self._left_out | ({Untried.WORK} if self._allowance.is_short else set())

    @property
    def spent(self) -> int:
        """What all of them took."""
        return self._allowance.spent

    def first(self, number: int) -> Collision | None:
        """A combination that a new set collides with."""
        counts, total = self._new.counts[number], self._new.sums[number]
        persons = cache(lambda: self._new.persons(number))
        self._left_out = set()
        if self._standing is not None and self._who is not None and self._who_stand is not None:
            self._met_now, self._own_now = self._standing.met(self._who(number)), self._who_stand[number]
            self._beside_now = self._standing.may_lie_beside(self._met_now)
        self._allowance.begin()
        for plus, minus in self._candidates(counts, total, persons):
            places = (*plus, *minus)
            is_other = all(self._sums[place] != total for place in places)
            if not is_other or not any(self._all.is_old[place] for place in places):
                continue
            if not self._allowance.spend((int(counts.sum()) + int(self._sizes[list(places)].sum())) // _PERSONS_PER):
                continue
            added, taken = ([self._all.persons(place) for place in side] for side in (plus, minus))
            n = n_different(persons(), added, taken, self._k)
            if 0 < n < self._k:
                names = [tuple(sorted(int(self._all.numbers[place]) for place in side)) for side in (plus, minus)]
                return Collision(number, names[0], names[1], n)
        return None

    def _candidates(
        self, target: Counts, total: np.uint64, persons: Callable[[], Persons]
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Combinations whose classes differ by less than k: places of those added and of those taken away."""
        yield from ((each, ()) for each in self._alone(target, total))
        yield from ((each, ()) for each in self._in_pairs(target, total))
        yield from (((one,), (other,)) for one, other in self._rests(target, total))
        within = self._within(target, total)
        wholes = self._smallest_around(target, total, max(MOST_WHOLES, MOST_IN_FOURS) + 1)
        if len(wholes) > MOST_WHOLES or (self.is_many and len(within) > MOST_IN_FOURS):
            self._left_out.add(Untried.WHOLES)
        wholes = wholes[: max(MOST_WHOLES, MOST_IN_FOURS)]
        yield from ((each, ()) for each in self._joined(target, total, within, persons))
        yield from ((each, ()) for each in self._filling(target, within))
        yield from self._less_what_they_share(target, total, within, wholes)
        size = int(target.sum())
        for whole in wholes[:MOST_WHOLES]:
            rest, n_rest = self._counts[whole] - target, int(self._sizes[whole]) - size
            if self._fit_no_two(rest, n_rest, total, whole):
                continue
            pool = self._beside(rest, n_rest, total, whole)
            total_of, others_of = less(self._sums[whole], total), pool[pool != whole]
            sizes = self._sizes[others_of]
            if not len(sizes) or 2 * int(sizes[0]) >= n_rest + self._k:
                continue  # not even the smallest two
            for n_terms in (2, 3):
                if int(sizes[-n_terms:].sum()) > n_rest - self._k:  # else not even the largest
                    yield from (((whole,), each) for each in self._of_pool(rest, total_of, others_of, n_terms))
            yield from (((whole,), each) for each in self._filling(rest, others_of))

    def _less_what_they_share(
        self, target: Counts, total: np.uint64, within: Places, wholes: Sequence[int]
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Two sets less one: a union of two less what they share, or what two share by their union.

        Where the one that is taken lies within the target, so do the other two, and where it holds the target, they do:
        each is looked for among those, as many as the one that is taken can be. Of few sets all are tried.
        """
        if len(self._sizes) <= MOST_IN_TRIPLES:
            pools = [np.arange(len(self._sizes), dtype=np.int64)]
        else:
            pools = [within[-MOST_IN_FOURS:], np.array(wholes, dtype=np.int64)]
        for pool in pools:
            first, second = combined(len(pool), 2)
            sums = self._sizes[pool][first] + self._sizes[pool][second] - int(target.sum())
            rows, taken = np.nonzero(np.abs(sums[:, None] - self._sizes[pool]) < self._k)
            places = pool[np.column_stack([first[rows], second[rows], taken])]
            places = places[(places[:, 2] != places[:, 0]) & (places[:, 2] != places[:, 1])]
            found = self._all.near(target, total, places, np.array([1, 1, -1]))
            yield from (((one, other), (shared,)) for one, other, shared in found)

    def _filling(self, target: Counts, pool: Places) -> Iterator[tuple[int, ...]]:
        """Sets that share nobody and fill the target but for a few, the largest first.

        In: pool — sets that lie within the target but for a few, ascending
        """
        left, n_left, places = target, int(target.sum()), pool[::-1]
        sizes = self._sizes[places]
        chosen: list[int] = []
        while int(sizes.sum()) > n_left - self._k and len(places):  # else not even all of them
            left, chosen = left - self._counts[places[0]], [int(places[0]), *chosen]
            n_left -= int(sizes[0])
            near = (sizes[1:] < n_left + self._k).nonzero()[0] + 1  # before their classes are looked at
            near = near[np.minimum(left - self._counts.take(places[near], axis=0), 0).sum(axis=1) > -self._k]
            places, sizes = places[near], sizes[near]  # what does not fit now never will
        if not len(places) and len(chosen) > 1 and 0 < np.abs(left).sum() < self._k:
            yield tuple(chosen)

    def _alone(self, target: Counts, total: np.uint64) -> Iterator[tuple[int, ...]]:
        size = int(target.sum())
        places = np.arange(self._all.at(size - self._k + 1), self._all.at(size + self._k), dtype=np.int64)
        yield from self._all.near(target, total, places[:, None], np.ones(1, np.int64))

    def _in_pairs(self, target: Counts, total: np.uint64) -> Iterator[tuple[int, ...]]:
        """Two sets that add up to the target, the smaller one first."""
        size = int(target.sum())
        first = np.arange(self._all.at(size // 2 + self._k), dtype=np.int64)
        may = np.ones(len(self._sizes), np.bool_)
        if self._standing is not None:  # who has k persons beside the target is no part of it
            may = self._standing.may_be_within(self._met_now, self._k)
            first = np.flatnonzero(may[: len(first)])
        low, high = self._all.between(size - self._sizes[first])
        low = np.maximum(low, first + 1)
        rows, others = self._all.meeting(target, first, low, high, -1, self._allowance)
        places = np.column_stack([first[rows], others])
        yield from self._all.near(target, total, places[may[others]], np.ones(2, np.int64))

    def _rests(self, target: Counts, total: np.uint64) -> Iterator[tuple[int, int]]:
        """What any of the larger sets leaves when one other is taken away."""
        size = int(target.sum())
        start = int(self._all.at(size - self._k + 1))
        may = np.ones(len(self._sizes), np.bool_)
        if self._standing is not None:  # what lacks k persons of the target holds it not
            may = self._standing.may_be_around(self._met_now, self._own_now, self._k)
        wholes = np.flatnonzero(may[start:]) + start
        low, high = self._all.between(self._sizes[wholes] - size)
        rows, others = self._all.meeting(target, wholes, low, high, 1, self._allowance)
        places = np.column_stack([wholes[rows], others])
        places = places[places[:, 0] != places[:, 1]]
        yield from ((one, other) for one, other in self._all.near(target, total, places, np.array([1, -1])))

    def _of_pool(self, target: Counts, total: np.uint64, pool: Places, n_terms: int) -> Iterator[tuple[int, ...]]:
        """Combinations of so many of a small pool that add up to the target."""
        chosen = adding_to(self._sizes[pool], int(target.sum()), self._k, n_terms)
        if len(chosen[0]):
            places = pool[np.column_stack(chosen)]
            yield from self._all.near(target, total, places, np.ones(n_terms, np.int64))

    def _joined(
        self, target: Counts, total: np.uint64, pool: Places, persons: Callable[[], Persons]
    ) -> Iterator[tuple[int, ...]]:
        """Three or four of a pool that add up to the target."""

        def apart() -> IsApart | None:
            return self._sketches.apart(smallest(persons()), pool, self._k, self._allowance)

        for places in adding_up(target, self._counts[pool], self._k, self._allowance, apart):
            yield from self._all.near(target, total, pool[places], np.ones(places.shape[1], np.int64))

    def _within(self, target: Counts, total: np.uint64) -> Places:
        """The largest sets within the target but for a few, ascending."""
        if self._standing is None:
            return self._largest_within(target, total, MOST_WITHIN)
        places = self._standing.within(self._met_now)
        over = np.maximum(self._counts[places] - target, 0).sum(axis=1)
        places = places[(over < self._k) & (self._sums[places] != total)]
        small = self._largest_within(target, total, MOST_WITHIN, LEAST_DRAWN_FROM)
        every = np.sort(np.concatenate([small, places]))
        if len(every) > MOST_WITHIN or len(small) == MOST_WITHIN:
            self._left_out.add(Untried.WITHIN)
        return every[-MOST_WITHIN:]

    def _fit_no_two(self, rest: Counts, n_rest: int, total: np.uint64, whole: int) -> bool:
        """Whether no two of the largest sets within a rest fit into it, found without finding the largest.

        If so many as are the largest are each more than half of it, then so are the largest. They are looked for among
        those that are a little more than half, most of which lie within; there are none smaller where all are more.
        """
        start, stop = self._all.at(np.array([-(-(n_rest + self._k) // 2), n_rest + self._k])).tolist()
        if start == 0 and stop < MOST_BESIDE:
            return True
        end = min(start + _SOME_HALVES, stop)
        if self._standing is None or stop - start < 2 * _AT_ONCE:
            return False
        places = (self._standing.may_lie_in(start, end, whole) & self._beside_now[start:end]).nonzero()[0] + start
        if len(places) < MOST_BESIDE:
            return False
        within = self._all.lie_within(rest, places[:_AT_ONCE])
        n = np.count_nonzero(self._sums[within] != total)
        if n < MOST_BESIDE or not self._allowance.spend(_PER_SET * (end - start)):  # nothing where it helps nothing
            return False
        self._left_out.add(Untried.WHOLES)
        return True

    def _beside(self, rest: Counts, n_rest: int, total: np.uint64, whole: int) -> Places:
        """The largest sets within what the target leaves of a whole, but for a few, ascending."""
        if self._standing is None:
            return self._largest_within(rest, total, MOST_BESIDE)
        found: list[Places] = []
        stop = last = int(self._all.at(n_rest + self._k))
        n_left = MOST_BESIDE
        while stop > 0 and n_left > 0:
            start = max(0, stop - max(_FIRST_BESIDE, last - stop))  # as many again as were looked at
            if not self._allowance.spend(_PER_SET * (stop - start)):
                break
            may = self._standing.may_lie_in(start, stop, whole) & self._beside_now[start:stop]
            if np.count_nonzero(may) > _AT_ONCE:
                may &= self._all.may_lie_within(rest, start, stop)
            n_left -= self._take_largest(rest, total, may.nonzero()[0] + start, n_left, found)
            stop = start
        if n_left <= 0:
            self._left_out.add(Untried.WHOLES)
        return np.concatenate([np.zeros(0, np.int64), *found])[-MOST_BESIDE:]

    def _largest_within(self, target: Counts, total: np.uint64, most: int, below: int | None = None) -> Places:
        """The largest sets that have fewer than k persons more than the target in any classes, ascending.

        In: below — sets of fewer persons only
        """
        found: list[Places] = []
        stop = int(self._all.at(min(int(target.sum()) + self._k, below or 2**62)))
        n, n_left = _A_FEW, most
        while stop > 0 and n_left > 0 and self._allowance.spend(_PER_SET * min(n, stop)):
            start = max(0, stop - n)
            places = np.flatnonzero(self._all.may_lie_within(target, start, stop)) + start
            n_left -= self._take_largest(target, total, places, n_left, found)
            stop, n = start, 4 * n
        return np.concatenate([np.zeros(0, np.int64), *found])[-most:]

    def _take_largest(self, target: Counts, total: np.uint64, places: Places, most: int, found: list[Places]) -> int:
        """Put the largest of some sets that do lie within a target, so many or some more, before those found already.

        Out: how many
        """
        n = 0
        while len(places) and n < most:
            some, places = self._all.lie_within(target, places[-_AT_ONCE:]), places[:-_AT_ONCE]
            found.insert(0, some[self._sums[some] != total])
            n += len(found[0])
        return n

    def _smallest_around(self, target: Counts, total: np.uint64, most: int) -> list[int]:
        """The smallest sets that lack fewer than k of the target's persons."""
        found: list[int] = []
        size = int(target.sum())
        start = int(self._all.at(size - self._k))
        if self._standing is not None:
            for places in self._standing.may_hold(self._met_now, size, start):
                if len(found) >= most:
                    break
                for at in range(0, len(places), _AT_ONCE):
                    some = places[at : at + _AT_ONCE]
                    if len(found) >= most or not self._allowance.spend(_PER_SET * len(some)):
                        break
                    lacks = np.maximum(target - self._counts[some], 0).sum(axis=1) < self._k
                    found += some[lacks & (self._sums[some] != total)].tolist()
            return found[:most]
        while start < len(self._sizes) and len(found) < most:
            part = slice(start, start + _A_FEW)
            lacks = np.maximum(target - self._counts[part], 0).sum(axis=1) < self._k
            found += (np.flatnonzero(lacks & (self._sums[part] != total)) + start).tolist()
            start += _A_FEW
        return found[:most]
