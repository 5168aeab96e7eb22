"""Estimates with the persons behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from enclos.contracts.result import EstimateType
from enclos.studies.rules.report import Estimate, Place, Report
from enclos.studies.rules.spread import Spread


@dataclass(slots=True)
class Feature:
    """Entries that have something, and the persons behind them."""

    n: int = 0
    persons: BitMap = field(default_factory=BitMap)

    def add(self, n: int, persons: BitMap) -> None:
        """Add entries of a bucket."""
        self.n += n
        self.persons |= persons


@dataclass(slots=True)
class Measure:
    """A value of each entry that has one, and the persons behind them."""

    spread: Spread = field(default_factory=Spread)
    persons: BitMap = field(default_factory=BitMap)
    kind: EstimateType = EstimateType.INTEGER


@dataclass(frozen=True, slots=True)
class Row:
    """Estimates of one place with the persons behind them."""

    place: Place
    estimates: Sequence[Estimate]
    persons: BitMap
    among: BitMap


def add_rows(report: Report, result_id: int, rows: Iterable[Row]) -> None:
    """Add estimates to a result, each place with its cell."""
    for row in rows:
        report.add(result_id, row.place, row.estimates)
        report.add_cell(result_id, row.place, row.persons, row.among)
