"""Windows with what was counted in them, and the estimates that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import SEPARATOR
from enclos.studies.model import Interval
from enclos.studies.rules import estimates
from enclos.studies.rules.calendar import Windows, in_words
from enclos.studies.standard.rules import standardised


@dataclass(frozen=True, slots=True)
class Label:
    """The window of one estimate."""

    interval: Interval
    first_day: int
    last_day: int

    def additional(self, prefix: str) -> tuple[str, str]:
        """Name and level of the result's additional column; an overall window does not name its interval."""
        names = [f"{prefix}_start_date", f"{prefix}_end_date"]
        levels = [in_words(self.first_day), in_words(self.last_day)]
        if self.interval is not Interval.OVERALL:
            names.append("analysis_interval")
            levels.append(self.interval.value)
        return SEPARATOR.join(names), SEPARATOR.join(levels)


@dataclass(slots=True)
class IncidenceEstimates:
    """Windows of one pair with what was counted in them."""

    labels: list[Label] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Of each window its number among those of its interval, the same for every pair of an analysis."""
    n_events: list[int] = field(default_factory=list)
    person_days: list[int] = field(default_factory=list)
    at_risk: list[BitMap] = field(default_factory=list)
    cases: list[BitMap] = field(default_factory=list)

    def add(self, label: Label, place: int, n_events: int, person_days: int, at_risk: BitMap, cases: BitMap) -> None:
        """Add a window; one in which nobody is at risk has no rate and is left out, as in the peer."""
        if not at_risk:
            return
        self.labels.append(label)
        self.places.append(place)
        self.n_events.append(n_events)
        self.person_days.append(person_days)
        self.at_risk.append(at_risk)
        self.cases.append(cases)

    def columns(self) -> list[list[str | None]]:
        """The text of each estimate, in the order of the result."""
        n_events = np.array(self.n_events, dtype=np.int64)
        person_days = np.array(self.person_days, dtype=np.int64)
        years = estimates.person_years(person_days)
        rate = estimates.per_100k_person_years(n_events, years)
        lower, upper = estimates.poisson_interval_per_100k(n_events, years)
        counts = ([len(each) for each in self.at_risk], self.n_events, self.person_days)
        return [*map(_whole, counts), *map(_printed, (years, rate, lower, upper))]


@dataclass(slots=True)
class StandardisedEstimates:
    """Rates per year with their intervals, and who is behind them."""

    labels: list[Label] = field(default_factory=list)
    rates: list[tuple[float, float, float]] = field(default_factory=list)
    at_risk: list[BitMap] = field(default_factory=list)
    cases: list[BitMap] = field(default_factory=list)

    @classmethod
    def of(cls, groups: Sequence[tuple[IncidenceEstimates, int]]) -> StandardisedEstimates:
        """The rates of the windows that every age group has somebody at risk in.

        In:  groups — each age group with its weight
        Out: a window from the first to the last day of any of them
        """
        found = cls()
        rows = [
            {(label.interval, place): at for at, (label, place) in enumerate(zip(own.labels, own.places, strict=True))}
            for own, _ in groups
        ]
        for window in rows[0]:
            if not all(window in each for each in rows):
                continue
            parts = [(own, each[window], weight) for (own, weight), each in zip(groups, rows, strict=True)]
            labels = [own.labels[at] for own, at, _ in parts]
            first, last = min(each.first_day for each in labels), max(each.last_day for each in labels)
            years = [own.person_days[at] / estimates.DAYS_PER_YEAR for own, at, _ in parts]
            n_events = [own.n_events[at] for own, at, _ in parts]
            found.labels.append(Label(window[0], first, last))
            found.rates.append(standardised(n_events, years, [weight for _, _, weight in parts]))
            found.at_risk.append(BitMap.union(*(own.at_risk[at] for own, at, _ in parts)))
            found.cases.append(BitMap.union(*(own.cases[at] for own, at, _ in parts)))
        return found

    def columns(self) -> list[list[str | None]]:
        """The text of each estimate, in the order of the result."""
        return [[estimates.printed(estimates.per_100k(rates[at])) for rates in self.rates] for at in range(3)]


@dataclass(slots=True)
class PrevalenceEstimates:
    """Windows of one pair with who was counted in them."""

    labels: list[Label] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)
    """Persons, or stays, and those with the outcome."""
    present: list[BitMap] = field(default_factory=list)
    cases: list[BitMap] = field(default_factory=list)

    def add(self, label: Label, counts: tuple[int, int], present: BitMap, cases: BitMap) -> None:
        """Add a window with the persons behind its counts."""
        self.labels.append(label)
        self.counts.append(counts)
        self.present.append(present)
        self.cases.append(cases)

    def columns(self) -> list[list[str | None]]:
        """The text of each estimate, in the order of the result."""
        n_of, n_cases = np.array(self.counts, dtype=np.int64).reshape(-1, 2).T
        lower, upper = estimates.wilson_interval(n_cases, n_of)
        shares = (estimates.share(n_cases, n_of), lower, upper)
        return [*map(_whole, (n_of.tolist(), n_cases.tolist())), *map(_printed, shares)]


def _whole(numbers: Sequence[int]) -> list[str | None]:
    return [str(number) for number in numbers]


def _printed(numbers: estimates.Floats) -> list[str | None]:
    return [estimates.printed(number) for number in numbers.tolist()]


def labels_of(interval: Interval, windows: Windows) -> list[Label]:
    """The label of each window."""
    spans = zip(windows.first_days.tolist(), windows.last_days.tolist(), strict=True)
    return [Label(interval, first_day, last_day) for first_day, last_day in spans]
