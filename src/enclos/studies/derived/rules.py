"""Who is drawn, once the persons of all buckets are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.studies.derived.model import Side

_Ints: TypeAlias = npt.NDArray[np.int64]
_FIRST_LOOK = 16
"""Candidates looked at at once; most entries find somebody among the first."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Spans:
    """Columns of one length: stretches of persons, with where the seed puts the person.

    Two persons of one group are alike; rank is the hash of the seed and the person's number.
    """

    group: _Ints
    rank: _Ints
    person: _Ints
    first_day: _Ints
    last_day: _Ints

    def ordered(self) -> Spans:
        """By group, then as the seed has it; a person's stretches follow each other."""
        return self.at(np.lexsort((self.last_day, self.first_day, self.person, self.rank, self.group)))

    def at(self, rows: npt.NDArray[np.generic]) -> Spans:
        """Some of the rows."""
        return Spans(*(column[rows] for column in (self.group, self.rank, self.person, self.first_day, self.last_day)))


def sampled(entries: Spans, n_persons: int) -> Spans:
    """All entries of the persons whom the seed puts first.

    Empty: fewer persons than asked are all in
    """
    order = np.lexsort((entries.first_day, entries.person, entries.rank))
    person = entries.person[order]
    is_new = np.ones(len(person), dtype=np.bool_)
    is_new[1:] = person[1:] != person[:-1]
    return entries.at(order[np.cumsum(is_new) <= n_persons])


def matched(entries: Spans, others: Spans, ratio: int, keep: Side) -> Spans:
    """The persons matched to entries from the entry's first day to the end of their observation, or those entries.

    Entries choose in turn as the seed has them, each the first person left who is alike and observed on its first day;
    all that found one choose again until each has as many as the ratio. So no entry goes without while somebody left
    fits it, and none has a second before all have chosen once.

    In:     entries — of the cohort; others — the observation periods of persons who never enter it
    Source: CohortConstructor 0.5, matchCohorts: without replacement, each person once, index date of the entry. The
            peer spreads persons over entries before it looks whether they are observed, and can leave entries without
            a match that somebody would fit.
    """
    entries, others = entries.ordered(), others.ordered()
    bounds = np.searchsorted(others.group, entries.group), np.searchsorted(others.group, entries.group, side="right")
    pairs: list[tuple[int, int]] = []
    for start, end in _runs(entries.group):
        low, high = int(bounds[0][start]), int(bounds[1][start])
        found = _pairs(entries.first_day[start:end].tolist(), others.at(np.arange(low, high)), ratio)
        pairs += [(start + entry, low + other) for entry, other in found]
    entry, other = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    if keep is Side.CASES:
        return entries.at(np.unique(entry))
    chosen = others.at(other)
    return Spans(chosen.group, chosen.rank, chosen.person, entries.first_day[entry], chosen.last_day)


def _runs(group: _Ints) -> Iterator[tuple[int, int]]:
    changes = np.flatnonzero(group[1:] != group[:-1]) + 1
    yield from pairwise([0, *changes.tolist(), len(group)]) if len(group) else ()


def _pairs(days: list[int], others: Spans, ratio: int) -> Iterator[tuple[int, int]]:
    """Entry and other of each match within one group."""
    is_free = np.ones(len(others.person), dtype=np.bool_)
    choosing = list(enumerate(days))
    head = 0
    for _ in range(ratio):
        again = []
        for entry, day in choosing:
            while head < len(is_free) and not is_free[head]:
                head += 1
            other = _first(day, others, is_free, head)
            if other is None:
                continue
            _take(other, others.person, is_free)
            again.append((entry, day))
            yield entry, other
        choosing = again


def _first(day: int, others: Spans, is_free: npt.NDArray[np.bool_], head: int) -> int | None:
    """The first row of somebody free who is observed on the day."""
    at, width = head, _FIRST_LOOK
    while at < len(is_free):
        some = slice(at, at + width)
        fits = is_free[some] & (others.first_day[some] <= day) & (others.last_day[some] >= day)
        if fits.any():
            return at + int(fits.argmax())
        at, width = at + width, 4 * width
    return None


def _take(row: int, person: _Ints, is_free: npt.NDArray[np.bool_]) -> None:
    """A person is taken with all their periods, which follow each other."""
    for step in (-1, 1):
        at = row
        while 0 <= at < len(person) and person[at] == person[row]:
            is_free[at] = False
            at += step
