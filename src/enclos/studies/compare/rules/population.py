"""Who is compared, from when to when, and what happens to them.

Source: CohortMethod 6.0.2, getDbCohortMethodData (CreateCohorts.sql) and createStudyPopulation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.studies.compare.model import Duplicates, Eligibility, Following, FollowUp
from enclos.studies.model import Sex
from enclos.studies.plans.entries import FEMALE, MALE
from enclos.studies.rules.calendar import day_of

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]
_NEVER = 2**40


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Entries into the target or the comparator, one per position, in the order that breaks ties.

    Units: days; those before entry are counted from the start of observation, the others from entry.
    """

    person: Ints
    """Dense numbers, for bitmaps."""
    treated: Bools
    """Whether the entry is into the target."""
    first_day: Ints
    age: Ints
    """Completed years; -1 where not known."""
    sex: Ints
    days_observed: Ints
    """From the start of observation to entry."""
    days_to_cohort_end: Ints
    days_to_observed_end: Ints
    days_to_switch: Ints
    """To the person's first later entry into the other cohort; huge where there is none."""

    def __len__(self) -> int:
        return len(self.person)

    def take(self, kept: npt.NDArray[np.generic]) -> Entries:
        """Some of the entries."""
        return Entries(**{each.name: getattr(self, each.name)[kept] for each in fields(self)})


def no_switch(n: int) -> Ints:
    """Days to a switch that never comes."""
    return np.full(n, _NEVER, dtype=np.int64)


def eligible(entries: Entries, asked: Eligibility) -> list[tuple[str, Bools]]:
    """Each requirement in turn, with the entries that are left after it.

    In: entries — all entries of both cohorts, sorted by person, then first day
    """
    kept = np.ones(len(entries), dtype=np.bool_)
    steps: list[tuple[str, Bools]] = [("Entries into the cohorts", kept)]

    def keep(reason: str, those: Bools) -> None:
        nonlocal kept
        kept = kept & those
        steps.append((reason, kept))

    if asked.first_exposure:
        keep("First entry of the person into the cohort", _first_of_arm(entries))
    if asked.days_prior_observation:
        reason = f"At least {asked.days_prior_observation} days of prior observation"
        keep(reason, entries.days_observed >= asked.days_prior_observation)
    if asked.date_range.start_on is not None or asked.date_range.end_on is not None:
        keep("Entry within the study dates", _in_range(entries, asked))
    if (asked.ages.min_years, asked.ages.max_years) != (0, 150):
        in_group = (entries.age >= asked.ages.min_years) & (entries.age <= asked.ages.max_years)
        keep(f"Aged {asked.ages.word} at entry", in_group)
    if asked.sex is not Sex.BOTH:
        keep(f"{asked.sex.word} sex", entries.sex == (MALE if asked.sex is Sex.MALE else FEMALE))
    if asked.duplicates is not Duplicates.KEEP_ALL:
        keep("Not in both cohorts, or the first only", _without_duplicates(entries, kept, asked.duplicates))
    if asked.common_period:
        keep("Entry while both cohorts are entered", _in_common_period(entries, kept))
    return steps


def _in_range(entries: Entries, asked: Eligibility) -> Bools:
    first = -_NEVER if asked.date_range.start_on is None else day_of(asked.date_range.start_on)
    last = _NEVER if asked.date_range.end_on is None else day_of(asked.date_range.end_on)
    return (entries.first_day >= first) & (entries.first_day <= last)


def _first_of_arm(entries: Entries) -> Bools:
    arm = entries.person * 2 + entries.treated
    order = np.lexsort((entries.first_day, arm))
    first = np.zeros(len(entries), dtype=np.bool_)
    if len(order):
        first[order[np.r_[True, arm[order][1:] != arm[order][:-1]]]] = True
    return first


def _first_days(entries: Entries, kept: Bools, *, treated: bool) -> Ints:
    """The first day on which each entry's person enters an arm, among those kept."""
    _, person = np.unique(entries.person, return_inverse=True)
    days = np.full(int(person.max(initial=-1)) + 1, _NEVER, dtype=np.int64)
    those = kept & (entries.treated == treated)
    np.minimum.at(days, person[those], entries.first_day[those])
    found: Ints = days[person]
    return found


def _without_duplicates(entries: Entries, kept: Bools, rule: Duplicates) -> Bools:
    own, other = (_first_days(entries, kept, treated=arm) for arm in (True, False))
    in_target, in_comparator = own < _NEVER, other < _NEVER
    if rule is Duplicates.REMOVE_ALL:
        return ~(in_target & in_comparator)
    return np.where(entries.treated, own < other, other < own)


def _in_common_period(entries: Entries, kept: Bools) -> Bools:
    days = [entries.first_day[kept & (entries.treated == arm)] for arm in (True, False)]
    if not all(len(each) for each in days):
        return np.zeros(len(entries), dtype=np.bool_)
    first, last = max(int(each.min()) for each in days), min(int(each.max()) for each in days)
    return (entries.first_day >= first) & (entries.first_day <= last)


@dataclass(frozen=True, slots=True, eq=False)
class AtRisk:
    """From which to which day after entry outcomes count; both count."""

    start: Ints
    end: Ints

    @property
    def n_days(self) -> Ints:
        """Days at risk; not positive where there are none."""
        return self.end - self.start + 1


def at_risk(entries: Entries, follow_up: FollowUp, duplicates: Duplicates) -> AtRisk:
    """When each entry is at risk, within its observation period."""
    start = np.full(len(entries), follow_up.from_day, dtype=np.int64)
    end = entries.days_to_observed_end
    if follow_up.kind is Following.ON_TREATMENT:
        end = np.minimum(end, entries.days_to_cohort_end + follow_up.grace_days)
    if follow_up.longest_days is not None:
        end = np.minimum(end, follow_up.longest_days)
    if follow_up.censor_at_switch or duplicates is Duplicates.KEEP_FIRST_TRUNCATE:
        end = np.minimum(end, entries.days_to_switch - 1)
    return AtRisk(start, end)


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Outcomes of the entries' persons: position of the entry, and days since it (negative before)."""

    entry: Ints
    days: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """The entries of a study population with what was seen of each."""

    at: Ints
    """Positions among the entries."""
    person: Ints
    treated: Bools
    n_outcomes: Ints
    days_at_risk: Ints
    days: Ints
    """Days at risk up to and including the first outcome, or all of them."""

    def __len__(self) -> int:
        return len(self.at)

    @property
    def with_outcome(self) -> Bools:
        """Whether the outcome was seen."""
        return self.n_outcomes > 0

    def take(self, kept: npt.NDArray[np.generic]) -> Followed:
        """Some of them."""
        return replace(self, **{each.name: getattr(self, each.name)[kept] for each in fields(self)})


def prior_outcomes(n: int, events: Events, from_day: int, washout_days: int | None) -> Bools:
    """Which entries have the outcome before they are at risk, within the washout.

    Source: CohortMethod: an outcome exactly so many days before as the lookback has is not in it.
    """
    found = np.zeros(n, dtype=np.bool_)
    since = -_NEVER if washout_days is None else -washout_days
    if washout_days != 0:
        found[events.entry[(events.days > since) & (events.days < from_day)]] = True
    return found


def followed(entries: Entries, risk: AtRisk, events: Events, kept: Bools) -> Followed:
    """The kept entries with their outcomes at risk."""
    inside = (events.days >= risk.start[events.entry]) & (events.days <= risk.end[events.entry])
    n_outcomes = np.bincount(events.entry[inside], minlength=len(entries)).astype(np.int64)
    first = np.full(len(entries), _NEVER, dtype=np.int64)
    np.minimum.at(first, events.entry[inside], events.days[inside])
    days = np.where(n_outcomes > 0, first - risk.start + 1, risk.n_days)
    at = np.flatnonzero(kept).astype(np.int64)
    return Followed(at, entries.person[at], entries.treated[at], n_outcomes[at], risk.n_days[at], days[at])
