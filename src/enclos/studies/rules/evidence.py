"""Estimates with the persons behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from enclos.contracts.result import EstimateType, Values
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
    values: Values | None = None
    """What means and quantiles among the estimates owe to few."""


def cohort_attrition(cohort: str, stages: Iterable[tuple[str, Feature]]) -> Iterator[Row]:
    """What each reason leaves of a cohort and what it takes away; nothing is taken away at the start.

    In:     stages — each reason with what is left
    Source: CohortCharacteristics 1.1, summariseCohortAttrition.
    """
    start: BitMap | None = None
    before: Feature | None = None
    for number, (reason, left) in enumerate(stages, start=1):
        start = left.persons if start is None else start
        gone = Feature() if before is None else Feature(before.n - left.n, before.persons - left.persons)
        counts = (
            ("number_records", left.n, left.persons),
            ("number_subjects", len(left.persons), left.persons),
            ("excluded_records", gone.n, gone.persons),
            ("excluded_subjects", len(gone.persons), gone.persons),
        )
        for variable, n, persons in counts:
            place = Place("cohort_name", cohort, variable, None, ("reason", reason), ("reason_id", str(number)))
            yield Row(place, [Estimate("count", EstimateType.INTEGER, str(n))], persons, start)
        before = left


def add_rows(report: Report, result_id: int, rows: Iterable[Row]) -> None:
    """Add estimates to a result, each place with its cell."""
    for row in rows:
        report.add(result_id, row.place, row.estimates)
        report.add_cell(result_id, row.place, row.persons, row.among, row.values)
