"""Prevalence, person by person and day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from oracle.calendars import points, windows
from oracle.histories import Cohort, History, Requirement, Stretch, days_of, in_stratum, spells, stays


@dataclass
class Share:
    """What one window holds."""

    present: set[int] = field(default_factory=set)
    cases: set[int] = field(default_factory=set)
    n_stays: int = 0
    n_stays_with: int = 0
    """Stays, and those with the outcome: a person can have several."""


def prevalence_windows(
    histories: Sequence[History],
    requirement: Requirement,
    study: Stretch,
    *,
    kinds: Sequence[str],
    time_point: str | None,
    complete: bool,
) -> list[tuple[str, date, date]]:
    """The windows between the first and last day that anyone is present; days when a time point is given."""
    present = [stay for history in histories for stay in stays(history, requirement, study)]
    if not present:
        return []
    first, last = min(start for start, _ in present), max(end for _, end in present)
    if time_point is not None:
        return points(kinds, time_point, first, last)
    return windows(kinds, first, last, complete=complete)


def prevalence(
    histories: Sequence[History],
    requirement: Requirement,
    cohort: Cohort,
    study: Stretch,
    *,
    kinds: Sequence[str],
    time_point: str | None = None,
    complete: bool = True,
    whole: bool = False,
) -> dict[tuple[str, date, date], Share]:
    """The share of each window; ``whole`` counts only stays that hold every day of it."""
    shares: dict[tuple[str, date, date], Share] = {}
    for window in prevalence_windows(
        histories, requirement, study, kinds=kinds, time_point=time_point, complete=complete
    ):
        share = shares[window] = Share()
        window_days = set(days_of((window[1], window[2])))
        for history in histories:
            having = {day for spell in spells(history, cohort) for day in days_of(spell)}
            for stay in stays(history, requirement, study):
                if not in_stratum(history, stay, requirement):
                    continue
                shared = window_days & set(days_of(stay))
                if not shared or (whole and shared != window_days):
                    continue
                share.present.add(history.person_id)
                share.n_stays += 1
                if shared & having:
                    share.cases.add(history.person_id)
                    share.n_stays_with += 1
    return shares
