"""What is added up over buckets: entries by day and ending, and the persons behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from enclos.studies.survival import plans

Ints: TypeAlias = npt.NDArray[np.int64]
_N_ENDINGS = 3


def _parts(keys: Ints, persons: Ints) -> Iterator[tuple[int, BitMap]]:
    """The persons of each key that occurs."""
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    dense = persons[order].astype(np.uint32)
    for key, part in zip(found.tolist(), np.split(dense, starts[1:]), strict=True):
        yield key, BitMap(part)


@dataclass(slots=True)
class ReasonTally:
    """Entries and persons by the reason that they are left out, or by none."""

    n_records: Ints
    persons: list[BitMap]

    @staticmethod
    def empty() -> ReasonTally:
        """Nobody yet."""
        n_reasons = plans.COMPETING_TOO_SHORT + 1
        return ReasonTally(np.zeros(n_reasons, dtype=np.int64), [BitMap() for _ in range(n_reasons)])

    def add(self, persons: Ints, reasons: Ints) -> None:
        """Add entries."""
        self.n_records += np.bincount(reasons, minlength=len(self.n_records))
        if len(persons):
            for reason, part in _parts(reasons, persons):
                self.persons[reason] |= part

    def left(self, reasons: tuple[int, ...]) -> tuple[int, BitMap]:
        """Entries, and persons with any, that none of the reasons takes."""
        others = [at for at in range(len(self.persons)) if at not in reasons]
        return int(self.n_records[others].sum()), BitMap.union(BitMap(), *(self.persons[at] for at in others))


@dataclass(slots=True)
class EndingTally:
    """How entries end, by day since entry."""

    gap_days: int
    n_endings: Ints
    """One row per way of ending, one column per day."""
    persons: BitMap
    with_event: list[dict[int, BitMap]]
    """Per kind of event and day, who had it; the first of them for the outcome."""
    lost: dict[int, BitMap]
    """Per day, who was lost."""
    leaving: dict[int, BitMap]
    """Who ends in each gap; gap n holds the days after n - 1 gaps up to n gaps, gap 0 the day of entry."""

    @staticmethod
    def empty(gap_days: int) -> EndingTally:
        """Nobody yet."""
        counts = np.zeros((_N_ENDINGS, 0), dtype=np.int64)
        return EndingTally(gap_days, counts, BitMap(), [{} for _ in range(_N_ENDINGS - 1)], {}, {})

    def add(self, persons: Ints, days: Ints, endings: Ints) -> None:
        """Add entries; at least one."""
        n_days = max(self.n_endings.shape[1], int(days.max()) + 1)
        counts = np.zeros((_N_ENDINGS, n_days), dtype=np.int64)
        counts[:, : self.n_endings.shape[1]] = self.n_endings
        np.add.at(counts, (endings, days), 1)
        self.n_endings = counts
        self.persons |= BitMap(persons.astype(np.uint32))
        for kind, by_day in enumerate(self.with_event, start=plans.OUTCOME):
            having = endings == kind
            _unite(by_day, days[having], persons[having])
        lost = endings == plans.CENSORED
        _unite(self.lost, days[lost], persons[lost])
        _unite(self.leaving, -(-days // self.gap_days), persons)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What happened between the shown days of a tally; persons by the place of the day."""

    n_at_risk: Ints
    n_ended: Ints
    """One row per way of ending."""
    at_risk: list[BitMap]
    """Still followed after the shown day before."""
    having: list[dict[int, BitMap]]
    """Per kind of event."""
    lost: dict[int, BitMap]


def gaps_of(tally: EndingTally, days: Ints) -> Gaps:
    """What happened since the shown day before each, and who was there.

    In: days — multiples of the tally's gap, then its last day
    """
    since = np.concatenate(([0], days[:-1] + 1))
    totals = np.concatenate((np.zeros((_N_ENDINGS, 1), dtype=np.int64), tally.n_endings.cumsum(axis=1)), axis=1)
    upper, lower = (np.minimum(each, totals.shape[1] - 1) for each in (days + 1, since))
    ended = totals[:, upper] - totals[:, lower]
    n_at_risk = totals[:, -1].sum() - totals[:, np.minimum(days, totals.shape[1] - 1)].sum(axis=0)
    having = [_by_gap(each, days) for each in tally.with_event]
    return Gaps(n_at_risk, ended, _at_risk_since(tally, len(days)), having, _by_gap(tally.lost, days))


def _by_gap(by_day: Mapping[int, BitMap], days: Ints) -> dict[int, BitMap]:
    """The persons of each day, put together by the first shown day on or after it."""
    parts: dict[int, list[BitMap]] = {}
    for day, persons in by_day.items():
        parts.setdefault(int(np.searchsorted(days, day)), []).append(persons)
    return {at: BitMap.union(BitMap(), *each) for at, each in parts.items()}


def _at_risk_since(tally: EndingTally, n_shown: int) -> list[BitMap]:
    """For each shown day, who was still followed after the shown day before it."""
    at_risk = [BitMap() for _ in range(n_shown)]
    later = BitMap()
    for at in range(n_shown - 1, -1, -1):
        later = later | tally.leaving.get(at, BitMap())
        at_risk[at] = later
    return at_risk


def _unite(by_key: dict[int, BitMap], keys: Ints, persons: Ints) -> None:
    for key, part in _parts(keys, persons) if len(keys) else ():
        if key in by_key:
            by_key[key] |= part
        else:
            by_key[key] = part
