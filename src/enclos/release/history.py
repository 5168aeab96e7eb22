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
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.release.allowance import Allowance, Sought, Untried
from enclos.release.blocks import collisions_of_all_sums
from enclos.release.joins import adding_up
from enclos.release.ranges import combined, expanded, marked
from enclos.release.sets import LEAST_DRAWN_FROM, Collision, Counts, Persons, Sets, coarse, less, n_different
from enclos.release.standing import Standing

Places: TypeAlias = npt.NDArray[np.int64]
"""Where sets stand in the order of their sizes."""

_N_FIRST = 16
"""Classes that are looked at before all of them are."""
_MOST_STEPS = 256
"""Places of a range that are looked at one after another, all ranges together; longer ranges are written out."""
_PERSONS_PER = 4
"""Persons of a set in full that cost as much as a place."""
_PER_SET = 8
"""What it costs to look at the classes of a set."""
_A_FEW = 512
"""Sets that are looked at first where the nearest that fit are enough; then twice as many, and so on."""
_FIRST_BESIDE = 128
"""The same where they may lie beside the new one, as most do."""
MOST_WITHIN = 512
"""Sets within the new one of which three or four are added, or as many as fill it: the largest. All sets there are
are tried one by one and in pairs."""
MOST_BESIDE = 65
"""Sets within what the new one leaves of a whole, of which two or three are taken from it too: the largest."""
MOST_IN_TRIPLES = 64
"""Sets of which every three are tried; of more, those that meet (``joins``)."""
MOST_WHOLES = 12
"""Sets that hold the new one and from which several are taken: the smallest. One is taken from all of them."""
MOST_IN_FOURS = 20
"""Sets of which four are added, three are taken from one, or two are added and one is taken: the largest. Of few sets,
two of all are added and one of all is taken."""


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
        self._new, self._old, self._k = new, old, k
        sums = np.concatenate([old.sums, new.sums])
        self._order = np.unique(sums, return_index=True)[1]  # equal sets once, as earlier ones where they are
        counts = np.concatenate([old.counts, new.counts])
        sizes = counts.sum(axis=1)[self._order]
        by_size = np.argsort(sizes, kind="stable")
        self._order, self._sizes = self._order[by_size], sizes[by_size]
        self._counts, self._sums = counts[self._order], sums[self._order]
        self._coarse = coarse(self._counts)
        self._columns = np.ascontiguousarray(self._coarse.T)
        self._first = np.ascontiguousarray(self._counts[:, :_N_FIRST])
        self._power, self._marks = marked(self._sizes)
        self._is_old = self._order < len(old)
        many = len(self._sizes) > MOST_IN_TRIPLES  # of fewer all are tried
        self.is_many = many
        self._standing = (
            Standing(np.concatenate([old.who_stand(), new.who_stand()])[self._order], self._sizes) if many else None
        )
        self._who = new.who_among(self._standing.bits) if self._standing is not None else None
        self._who_stand = new.who_stand() if many else None
        self._met_now = np.zeros(0, np.int64)
        self._beside_now = self._met_now
        self._allowance = Allowance(len(new), most_work)
        self._left_out: set[Untried] = set()

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
        persons: Persons | None = None
        self._left_out = set()
        if self._standing is not None and self._who is not None and self._who_stand is not None:
            self._met_now, self._own_now = self._standing.met(self._who(number)), self._who_stand[number]
            self._beside_now = np.flatnonzero(self._standing.may_lie_beside(self._met_now))
        self._allowance.begin()
        for plus, minus in self._candidates(counts, total):
            places = (*plus, *minus)
            if not any(self._is_old[place] for place in places) or any(self._sums[each] == total for each in places):
                continue
            if not self._allowance.spend((int(counts.sum()) + int(self._sizes[list(places)].sum())) // _PERSONS_PER):
                continue
            persons = self._new.persons(number) if persons is None else persons
            added, taken = ([self._persons(place) for place in side] for side in (plus, minus))
            n = n_different(persons, added, taken, self._k)
            if 0 < n < self._k:
                names = [tuple(sorted(int(self._order[place]) for place in side)) for side in (plus, minus)]
                return Collision(number, names[0], names[1], n)
        return None

    def _candidates(self, target: Counts, total: np.uint64) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Combinations whose classes differ by less than k: places of those added and of those taken away."""
        yield from ((each, ()) for each in self._alone(target, total))
        yield from ((each, ()) for each in self._in_pairs(target, total))
        yield from (((one,), (other,)) for one, other in self._rests(target, total))
        within = self._within(target, total)
        wholes = self._smallest_around(target, total, max(MOST_WHOLES, MOST_IN_FOURS) + 1)
        if len(wholes) > MOST_WHOLES or (self.is_many and len(within) > MOST_IN_FOURS):
            self._left_out.add(Untried.WHOLES)
        wholes = wholes[: max(MOST_WHOLES, MOST_IN_FOURS)]
        yield from ((each, ()) for each in self._of_pool(target, total, within[-MOST_IN_TRIPLES:], 3))
        yield from ((each, ()) for each in self._of_pool(target, total, within[-MOST_IN_FOURS:], 4))
        yield from ((each, ()) for each in self._joined(target, total, within))
        yield from ((each, ()) for each in self._filling(target, within))
        yield from self._less_what_they_share(target, total, within, wholes)
        for whole in wholes[:MOST_WHOLES]:
            rest = self._counts[whole] - target
            pool = self._beside(rest, total, whole)
            total_of, others_of = less(self._sums[whole], total), pool[pool != whole]
            yield from (((whole,), each) for each in self._of_pool(rest, total_of, others_of, 2))
            yield from (((whole,), each) for each in self._of_pool(rest, total_of, others_of, 3))
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
            found = self._near(target, total, places, np.array([1, 1, -1]))
            yield from (((one, other), (shared,)) for one, other, shared in found)

    def _filling(self, target: Counts, pool: Places) -> Iterator[tuple[int, ...]]:
        """Sets that share nobody and fill the target but for a few, the largest first."""
        left, places = target.astype(np.int64), pool[::-1]
        chosen: list[int] = []
        while len(places):
            places = places[self._sizes[places] < int(left.sum()) + self._k]  # before their classes are looked at
            fits = np.flatnonzero(np.minimum(left - self._counts[places], 0).sum(axis=1) > -self._k)
            if not len(fits):
                break
            left, chosen = left - self._counts[places[fits[0]]], [int(places[fits[0]]), *chosen]
            places = places[fits[1:]]  # what does not fit now never will
        if len(chosen) > 1 and 0 < np.abs(left).sum() < self._k:
            yield tuple(chosen)

    def _alone(self, target: Counts, total: np.uint64) -> Iterator[tuple[int, ...]]:
        size = int(target.sum())
        places = np.arange(self._from(size - self._k + 1), self._from(size + self._k), dtype=np.int64)
        yield from self._near(target, total, places[:, None], np.ones(1, np.int64))

    def _in_pairs(self, target: Counts, total: np.uint64) -> Iterator[tuple[int, ...]]:
        """Two sets that add up to the target, the smaller one first."""
        size = int(target.sum())
        first = np.arange(self._from(size // 2 + self._k), dtype=np.int64)
        may: npt.NDArray[np.bool_] | None = None
        if self._standing is not None:  # who has k persons beside the target is no part of it
            may = self._standing.may_be_within(self._met_now, self._k)
            first = np.flatnonzero(may[: len(first)])
        low, high = self._between(size - self._sizes[first])
        low = np.maximum(low, first + 1)
        for rows, others in self._met(target, first, low, high, -1):
            places = np.column_stack([first[rows], others])
            places = places if may is None else places[may[others]]
            yield from self._near(target, total, places, np.ones(2, np.int64))

    def _rests(self, target: Counts, total: np.uint64) -> Iterator[tuple[int, int]]:
        """What any of the larger sets leaves when one other is taken away."""
        size = int(target.sum())
        start = int(self._from(size - self._k + 1))
        wholes = np.arange(start, len(self._sizes), dtype=np.int64)
        if self._standing is not None:  # what lacks k persons of the target holds it not
            wholes = wholes[self._standing.may_be_around(self._met_now, self._own_now, self._k)[start:]]
        low, high = self._between(self._sizes[wholes] - size)
        for rows, others in self._met(target, wholes, low, high, 1):
            places = np.column_stack([wholes[rows], others])
            places = places[places[:, 0] != places[:, 1]]
            yield from ((one, other) for one, other in self._near(target, total, places, np.array([1, -1])))

    def _met(
        self, target: Counts, first: Places, low: Places, high: Places, sign: int
    ) -> Iterator[tuple[Places, Places]]:
        """Places of each range that fit its first set in two sums of classes: which range, and the place.

        In: sign — 1 where they are taken from the first set, -1 where they are added to it
        """
        aims = coarse(target[None])[0, :2]
        goals = [sign * (column[first] - int(aim)) for column, aim in zip(self._columns[:2], aims, strict=True)]
        if not self._allowance.spend(len(first) + int(np.maximum(high - low, 0).sum())):
            return
        long = high - low > _MOST_STEPS
        rows = np.flatnonzero((low < high) & ~long)
        found: list[tuple[Places, Places]] = []
        widths = (high - low)[rows].astype(np.uint16)
        rows = rows[np.argsort(widths, kind="stable")[::-1]]  # the longest first: who is left is always at the front
        n_left = len(rows) - np.cumsum(np.bincount(widths))
        places, column, span = low[rows], self._columns[0].view(np.uint32), np.uint32(2 * self._k - 1)
        aimed = (goals[0][rows] + np.int32(self._k - 1)).view(np.uint32)  # modulo 2^32: less than k either way is less
        for n in n_left[:-1].tolist():
            near = np.flatnonzero(aimed[:n] - column.take(places[:n]) < span)
            if len(near):
                some, theirs = rows[near], places[near]
                near = np.abs(goals[1][some] - self._columns[1][theirs]) < self._k
                found.append((some[near], theirs[near]))
            places[:n] += 1
        if found:
            yield np.concatenate([rows for rows, _ in found]), np.concatenate([places for _, places in found])
        for rows, places in expanded(np.where(long, low, 0), np.where(long, high, 0)):
            near = np.abs(goals[0][rows] - self._columns[0][places]) < self._k
            yield rows[near], places[near]

    def _of_pool(self, target: Counts, total: np.uint64, pool: Places, n_terms: int) -> Iterator[tuple[int, ...]]:
        """Combinations of so many of a small pool that add up to the target."""
        own, size = self._sizes[pool], int(target.sum())
        if not own[:n_terms].sum() - self._k < size < own[-n_terms:].sum() + self._k:
            return  # not even the smallest, or the largest
        chosen = combined(len(pool), n_terms)
        missing = own[chosen[0]] - size
        for each in chosen[1:]:
            missing += own[each]
        near = np.flatnonzero(np.abs(missing) < self._k)
        if len(near):
            places = pool[np.column_stack([each[near] for each in chosen])]
            yield from self._near(target, total, places, np.ones(n_terms, np.int64))

    def _near(self, target: Counts, total: np.uint64, places: Places, signs: Places) -> Iterator[tuple[int, ...]]:
        """Those of some combinations that come near the target in all classes, but are not it."""
        for counts, aim in ((self._coarse, coarse(target[None])[0]), (self._counts, target)):
            if not len(places):
                return
            together = sum(int(sign) * counts[places[:, at]] for at, sign in enumerate(signs))
            places = places[np.abs(together - aim).sum(axis=1) < self._k]
        taken = signs.astype(np.uint64)  # modulo 2^64, as the sums
        sums = (self._sums[places] * taken).sum(axis=1, dtype=np.uint64)
        yield from (tuple(each) for each in places[sums != total].tolist())

    def _joined(self, target: Counts, total: np.uint64, pool: Places) -> Iterator[tuple[int, ...]]:
        """Three or four of a pool in which not all of them are tried one by one."""
        if len(pool) <= MOST_IN_FOURS:
            return
        for places in adding_up(target, self._counts[pool], self._k, self._allowance):
            yield from self._near(target, total, pool[places], np.ones(places.shape[1], np.int64))

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

    def _beside(self, rest: Counts, total: np.uint64, whole: int) -> Places:
        """The largest sets within what the target leaves of a whole, but for a few, ascending."""
        if self._standing is None:
            return self._largest_within(rest, total, MOST_BESIDE)
        stop = self._from(int(rest.sum()) + self._k)
        places = self._beside_now[: np.searchsorted(self._beside_now, stop)]
        found: list[Places] = []
        n, n_left = _FIRST_BESIDE, MOST_BESIDE
        while len(places) and n_left > 0 and self._allowance.spend(_PER_SET * len(places[-n:])):
            may, places, n = self._standing.may_lie_in(places[-n:], whole), places[:-n], 4 * n
            while len(may) and n_left > 0:
                some, may = may[-_FIRST_BESIDE:], may[:-_FIRST_BESIDE]
                some = some[np.maximum(self._counts[some] - rest, 0).sum(axis=1) < self._k]
                found.insert(0, some[self._sums[some] != total])
                n_left -= len(found[0])
        if n_left <= 0:
            self._left_out.add(Untried.WHOLES)
        return np.concatenate([np.zeros(0, np.int64), *found])[-MOST_BESIDE:]

    def _largest_within(self, target: Counts, total: np.uint64, most: int, below: int | None = None) -> Places:
        """The largest sets that have fewer than k persons more than the target in any classes, ascending.

        In: below — sets of fewer persons only
        """
        found: list[Places] = []
        aims, first = coarse(target[None])[0][:, None], target[:_N_FIRST]
        stop = int(self._from(min(int(target.sum()) + self._k, below or 2**62)))
        n, n_left = _A_FEW, most
        while stop > 0 and n_left > 0:
            start = max(0, stop - n)
            if not self._allowance.spend(_PER_SET * (stop - start)):
                break
            over = np.maximum(self._columns[:, start:stop] - aims, 0).sum(axis=0, dtype=np.int32)
            places = np.flatnonzero(over < self._k) + start
            while len(places) and n_left > 0:
                some, places = places[-_A_FEW:], places[:-_A_FEW]
                some = some[np.maximum(self._first[some] - first, 0).sum(axis=1) < self._k]
                some = some[np.maximum(self._counts[some] - target, 0).sum(axis=1) < self._k]
                some = some[self._sums[some] != total]
                found.insert(0, some)
                n_left -= len(some)
            stop, n = start, 4 * n
        return np.concatenate([np.zeros(0, np.int64), *found])[-most:]

    def _smallest_around(self, target: Counts, total: np.uint64, most: int) -> list[int]:
        """The smallest sets that lack fewer than k of the target's persons."""
        found: list[int] = []
        size = int(target.sum())
        start = int(self._from(size - self._k))
        if self._standing is not None:
            for places in self._standing.may_hold(self._met_now, size, start):
                for at in range(0, len(places), _A_FEW):
                    some = places[at : at + _A_FEW]
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

    def _from(self, size: Any) -> Any:
        """The first place whose set has so many persons or more."""
        return np.searchsorted(self._sizes, size, side="left")

    def _between(self, sizes: npt.NDArray[np.int64]) -> tuple[Places, Places]:
        """Places from which and up to which sets have so many persons or fewer than k more or less, and some beside."""
        last = len(self._marks) - 2
        low = self._marks[np.clip((sizes - self._k + 1) >> self._power, 0, last + 1)]
        high = self._marks[np.clip(((sizes + self._k - 1) >> self._power) + 1, 0, last + 1)]
        return low, high

    def _persons(self, place: int) -> Persons:
        number = int(self._order[place])
        n_old = len(self._old)
        return self._old.persons(number) if number < n_old else self._new.persons(number - n_old)
