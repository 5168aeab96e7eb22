"""Who is compared with whom, and who was exposed when.

A control is drawn by a number made of the seed, the case, its day and the control, so that neither the order of persons
nor their buckets matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from enclos.studies.cases.model import CaseCrossover, Matching
from enclos.studies.cases.plans import NEVER
from enclos.studies.plans.entries import NO_SEX, from_day
from enclos.studies.sccs.intervals import Bools, Ints, Stretches, joined, key_of

_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Stretches of time of persons in which they can be controls."""

    person: Ints
    """The dense number."""
    person_id: Ints
    sex: Ints
    born_day: Ints
    first_day: Ints
    last_day: Ints
    outcome_day: Ints
    """Of the person's first outcome."""

    def only(self, kept: Bools | Ints) -> Stays:
        """Some of them, or all in another order."""
        return Stays(*(getattr(self, name)[kept] for name in Stays.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """Rows of matched sets: a case and its controls, on the day of the case's outcome."""

    number: Ints
    person: Ints
    day: Ints
    is_case: Bools


def cross(person: Ints, day: Ints, entry_day: Ints, asked: CaseCrossover) -> tuple[Sets, Ints]:
    """Each case's risk window with its control windows, and the first day of each.

    A control window that begins before the case is observed is left out: exposure in it is not known.

    In:     entry_day — the first day on which the case is observed
    Source: Maclure 1991, Am. J. Epidemiol. 133:144; CaseCrossover 1.1, getExposureStatus.
    """
    first = day + from_day(asked.risk_window)
    numbers, first_days = [np.arange(len(day))], [first]
    for offset in asked.control_offsets:
        observed = np.flatnonzero(first + offset >= entry_day)
        numbers.append(observed)
        first_days.append(first[observed] + offset)
    number = np.concatenate(numbers)
    sets = Sets(number, person[number], day[number], np.arange(len(number)) < len(day))
    return sets, np.concatenate(first_days)


def draw(case_person: Ints, case_day: Ints, entry_day: Ints, stays: Stays, days_prior: int, asked: Matching) -> Sets:
    """Each case with its controls: persons in a stretch on the case's day who had no outcome up to it.

    A case can be a control before its outcome, and a person a control of several cases: so the odds ratio estimates
    the rate ratio. A case whose sex or birth is not known has no controls where these are matched.

    In:     case_person — dense numbers of persons with a stretch; entry_day — first day of the case's own stretch
    Source: Prentice and Breslow 1978, Biometrika 65:153; CaseControl 1.6, selectControls.
    """
    pool = stays.only(np.lexsort((stays.person_id, stays.born_day, stays.sex if asked.sex else stays.born_day)))
    by_person = np.argsort(pool.person, kind="stable")
    case_at = by_person[np.searchsorted(pool.person[by_person], case_person)]
    numbers, persons = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    rows = zip(case_at.tolist(), case_day.tolist(), entry_day.tolist(), strict=True)
    for number, (at, day, entry) in enumerate(rows):
        chosen = _controls_of(pool, at, day, entry, days_prior, asked)
        numbers.append(np.full(len(chosen), number))
        persons.append(pool.person[chosen])
    set_of = np.concatenate((np.arange(len(case_at)), *numbers))
    is_case = np.arange(len(set_of)) < len(case_at)
    return Sets(set_of, np.concatenate((case_person, *persons)), case_day[set_of], is_case)


def _controls_of(pool: Stays, case: int, day: int, entry_day: int, days_prior: int, asked: Matching) -> Ints:
    """The places of the controls of a case, itself a place: first those alike in sex and birth, by bisection."""
    sex, born = int(pool.sex[case]), int(pool.born_day[case])
    caliper = asked.age_caliper_years
    if (asked.sex and sex == NO_SEX) or (caliper is not None and born == NEVER):
        return np.zeros(0, dtype=np.int64)
    start, end = _span(pool.sex, sex, sex) if asked.sex else (0, len(pool.person))
    if caliper is not None:
        n_days = int(caliper * _DAYS_PER_YEAR)
        first, last = _span(pool.born_day[start:end], born - n_days, born + n_days)
        start, end = start + first, start + last
    fits = (pool.first_day[start:end] + days_prior <= day) & (pool.last_day[start:end] >= day)
    fits &= (pool.outcome_day[start:end] > day) & (pool.person[start:end] != pool.person[case])
    if asked.entry_caliper_days is not None:
        fits &= np.abs(pool.first_day[start:end] - entry_day) <= asked.entry_caliper_days
    candidates: Ints = start + np.flatnonzero(fits)
    if len(candidates) > asked.n_controls:
        lots = _lots(asked.seed, int(pool.person_id[case]), day, pool.person_id[candidates])
        candidates = candidates[np.argpartition(lots, asked.n_controls - 1)[: asked.n_controls]]
    return candidates


def _span(ordered: Ints, lowest: int, highest: int) -> tuple[int, int]:
    """The places from the lowest value to the highest."""
    return int(np.searchsorted(ordered, lowest)), int(np.searchsorted(ordered, highest, side="right"))


def _lots(seed: int, case: int, day: int, others: Ints) -> npt.NDArray[np.uint64]:
    """A number for each other person that looks like chance and is always the same.

    Source: Steele, Lea and Flood 2014, SplitMix64.
    """
    state = np.full(len(others), seed, dtype=np.uint64)
    for value in (np.uint64(case), np.uint64(day & 0xFFFFFFFF), others.astype(np.uint64)):
        state = _mixed(state ^ value)
    return state


def _mixed(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        value = value + np.uint64(0x9E3779B97F4A7C15)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))


def exposed(person: Ints, from_day: Ints, to_day: Ints, eras: Stretches, n_exposures: int) -> Bools:
    """Whether a stretch of each exposure shares a day with each row's days.

    In:  eras — case is the person's dense number, kind the exposure
    Out: one row per row, one column per exposure
    """
    eras = joined(eras)
    keys = key_of(eras.case * n_exposures + eras.kind, eras.first_day)
    found = np.zeros((len(person), n_exposures), dtype=np.bool_)
    if not len(eras):
        return found
    for at in range(n_exposures):
        series = person * n_exposures + at
        # Stretches of one person and exposure are apart: the last that has begun is the one that could still last.
        place = np.searchsorted(keys, key_of(series, to_day), side="right") - 1
        inside = place >= 0
        same = inside & (eras.case[place] * n_exposures + eras.kind[place] == series)
        found[:, at] = same & (eras.last_day[place] >= from_day)
    return found
