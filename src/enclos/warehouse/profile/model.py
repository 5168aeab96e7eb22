"""The nouns of the profile: an analysis, its rows, the profile of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

N_STRATA = 5
Strata = tuple[str | None, str | None, str | None, str | None, str | None]
COUNT_COLUMNS = ("analysis_id", *(f"stratum_{number}" for number in range(1, N_STRATA + 1)), "count_value")
SPREAD_COLUMNS = (
    *COUNT_COLUMNS,
    "min_value",
    "max_value",
    "avg_value",
    "stdev_value",
    "median_value",
    "p10_value",
    "p25_value",
    "p75_value",
    "p90_value",
)
"""The columns of the peer's two result tables, in its order."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """One question to the data, under the id that Achilles gives it."""

    id: int
    is_distribution: bool
    category: str
    name: str
    strata: tuple[str, ...]


class CountRow(NamedTuple):
    """One count: persons or records, as the analysis' name says.

    Out: strata are text; None where the column is empty or the analysis has no such stratum.
    """

    analysis_id: int
    strata: Strata
    count_value: int


class SpreadRow(NamedTuple):
    """How a number is spread in a stratum.

    Units: as the analysis' name says. A percentile is the smallest value that at least so many percent of the
    values do not exceed; the standard deviation is the sample's, None for a single value.
    """

    analysis_id: int
    strata: Strata
    count_value: int
    min_value: float | None
    max_value: float | None
    avg_value: float | None
    stdev_value: float | None
    median_value: float | None
    p10_value: float | None
    p25_value: float | None
    p75_value: float | None
    p90_value: float | None


Row = CountRow | SpreadRow


@dataclass(frozen=True, slots=True)
class Profile:
    """Every analysis of a snapshot. Counts are exact and unsuppressed: they stay inside the platform."""

    profiled_on: date
    source: str
    analyses: tuple[Analysis, ...]
    rows: Mapping[int, tuple[Row, ...]]
    n_scans: int

    def of(self, analysis_id: int) -> tuple[Row, ...]:
        """The rows of an analysis; none when nothing was counted."""
        return self.rows.get(analysis_id, ())

    def count(self, analysis_id: int, *strata: str | None) -> int:
        """The count of one stratum, 0 when it has no row; without strata, that of the whole analysis' only row."""
        wanted = (*strata, *(None,) * (N_STRATA - len(strata)))
        return next((row.count_value for row in self.of(analysis_id) if row.strata == wanted), 0)

    def table(self, *, distributions: bool) -> list[tuple[Any, ...]]:
        """The rows of ``achilles_results`` or of ``achilles_results_dist``, columns as COUNT_ or SPREAD_COLUMNS."""
        return [
            (row.analysis_id, *row.strata, *row[2:])
            for analysis in self.analyses
            if analysis.is_distribution is distributions
            for row in self.of(analysis.id)
        ]
