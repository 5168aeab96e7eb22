"""What is added up over buckets: entries by day and ending, and the persons behind them."""

from __future__ import annotations

from collections.abc import Iterator
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


def _unite(by_key: dict[int, BitMap], keys: Ints, persons: Ints) -> None:
    for key, part in _parts(keys, persons) if len(keys) else ():
        if key in by_key:
            by_key[key] |= part
        else:
            by_key[key] = part
