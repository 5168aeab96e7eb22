"""The two studied outcomes, drawn under proportional hazards, so that the effect of a drug is really there.

The hazard of a person on a day is ``base(age on 1 July of the year, sex, traits) × product of drug ratios in use``.
Traits are fixed for life (they do not change when a treatment begins), so that a drug's ratio is the only thing
that changes at its first dispensing. Events are thinned from a Poisson process that runs at the highest hazard of
the person-year, which is exact. A person may have several events; studies look at the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from enclos.synthetic.care import CYCLE_DAYS, Dispensings
from enclos.synthetic.illness import Illness, Indices
from enclos.synthetic.people import DAYS_A_YEAR, NEVER, Days, People
from enclos.synthetic.references import products_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """What using a drug does to the hazard of an outcome, compared with not using it."""

    atc: str
    ratio: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A studied outcome: its name, its codes as principal diagnosis, and the drugs that change its hazard."""

    name: str
    codes: tuple[str, ...]
    weights: tuple[float, ...]
    effects: tuple[Effect, ...]


GI_BLEED = Outcome("gi_bleed", ("K920", "K921", "K922"), (0.15, 0.25, 0.6), (Effect("B01AF01", 2.0),))
MYOCARDIAL_INFARCTION = Outcome(
    "myocardial_infarction",
    ("I2100", "I21000", "I2110", "I21100", "I2140", "I21400"),
    (0.15, 0.15, 0.15, 0.15, 0.2, 0.2),
    (),
)
OUTCOMES = (GI_BLEED, MYOCARDIAL_INFARCTION)


def base_hazard(outcome: Outcome, age: Floats, female: npt.NDArray[np.bool_], ill: Illness, who: Indices) -> Floats:
    """Events per person-year without any of the drugs, for persons ``who`` at their ages."""
    if outcome is GI_BLEED:
        hazard = 0.00042 * np.exp(0.045 * (np.minimum(age, 95) - 50))
        hazard = np.where(age < 15, 0.00006, hazard) * np.where(female, 0.85, 1.15)
        return np.asarray(hazard * np.where(ill.has["atrial_fibrillation"][who], 22.0, 1.0))
    hazard = 0.0011 * np.exp(0.05 * (np.minimum(age, 95) - 60)) * np.where(female, 0.6, 1.4)
    hazard = np.where(age < 25, 0.00001, hazard)
    hazard = hazard * np.where(ill.has["dyslipidaemia"][who], 4.0, 1.0)
    hazard = hazard * np.where(ill.has["coronary"][who], 2.5, 1.0)
    return np.asarray(hazard * np.where(ill.has["diabetes_2"][who], 1.6, 1.0))


@dataclass(frozen=True, slots=True)
class Exposure:
    """Spans of use of a drug, [start, stop), at most two a person, as the dispensings show them."""

    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]

    def covers(self, who: Indices, days: Days) -> npt.NDArray[np.bool_]:
        """Whether those persons use the drug on those days."""
        inside = (self.start[:, who] <= days) & (days < self.stop[:, who])
        return np.asarray(inside[0] | inside[1], dtype=np.bool_)


LASTS_DAYS = 30
"""A dispensing is taken to last so long after the day of the last one of a span (packs of three months: 90)."""
GAP_DAYS = 45
"""Dispensings further apart than this, after what they last, are two spans."""


def exposure(folk: People, dispensed: Dispensings, atc: str, lasts: Indices) -> Exposure:
    """Spans of use: from a first dispensing to 30 days (90 for packs of three months) after the last.

    In: lasts — per pack, days that one dispensing lasts. A third span of a person is joined to the second.
    """
    mine = np.isin(dispensed.product, products_of(atc))
    person, day = dispensed.person[mine], dispensed.day[mine]
    until = day + lasts[dispensed.product[mine]]
    order = np.lexsort((day, person))
    person, day, until = person[order], day[order], until[order]
    start = np.full((2, len(folk)), NEVER, dtype=np.int64)
    stop = np.full((2, len(folk)), NEVER, dtype=np.int64)
    if len(person) == 0:
        return Exposure(start, stop)
    new_person = np.r_[True, person[1:] != person[:-1]]
    begins = new_person | np.r_[True, day[1:] > until[:-1] + GAP_DAYS]
    firsts = np.flatnonzero(begins)
    lasts_at = np.r_[firsts[1:] - 1, len(person) - 1]
    owner = person[firsts]
    nth = np.zeros(len(firsts), dtype=np.int64)
    nth[1:] = np.where(owner[1:] == owner[:-1], 1, 0)
    first_span, later = nth == 0, nth == 1
    start[0, owner[first_span]], stop[0, owner[first_span]] = day[firsts[first_span]], until[lasts_at[first_span]]
    later_at = np.flatnonzero(later)
    np.minimum.at(start[1], owner[later_at], day[firsts[later_at]])
    stop[1, owner[later_at]] = until[lasts_at[later_at]]  # later spans come last: the last one holds
    return Exposure(start, stop)


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one outcome, by person and day; ``code`` is the position in the outcome's codes."""

    person: Indices
    day: Days
    code: Indices

    def first_day(self, n: int) -> Days:
        """Day of the first event of each of n persons; NEVER without one."""
        first = np.full(n, NEVER, dtype=np.int64)
        np.minimum.at(first, self.person, self.day)
        return first


def events(
    rng: np.random.Generator, folk: People, ill: Illness, outcome: Outcome, exposures: dict[str, Exposure]
) -> Events:
    """All events of an outcome while the persons live in the data."""
    highest = float(np.prod([max(effect.ratio, 1.0) for effect in outcome.effects], initial=1.0))
    who, when = [], []
    for begin in range(folk.start, folk.end, 365):
        finish = min(begin + 365, folk.end)
        low, high = np.maximum(folk.enters, begin), np.minimum(folk.leaves, finish)
        present = np.flatnonzero(low < high)
        ages = folk.age(np.full(len(present), (begin + finish) // 2), present)
        hazard = base_hazard(outcome, ages, folk.female[present], ill, present)
        span = (high - low)[present]
        n = rng.poisson(hazard * highest * span / DAYS_A_YEAR)
        person = np.repeat(present, n)
        day = np.repeat(low[present], n) + (rng.random(len(person)) * np.repeat(span, n)).astype(np.int64)
        ratio = np.ones(len(person))
        for effect in outcome.effects:
            ratio *= np.where(exposures[effect.atc].covers(person, day), effect.ratio, 1.0)
        kept = rng.random(len(person)) * highest < ratio
        who.append(person[kept])
        when.append(day[kept])
    person, day = np.concatenate(who), np.concatenate(when)
    order = np.lexsort((day, person))
    person, day = person[order], day[order]
    # one stay at a time: an event within thirty days of the one before belongs to it
    again = np.zeros(len(person), dtype=np.bool_)
    again[1:] = (person[1:] == person[:-1]) & (day[1:] < day[:-1] + CYCLE_DAYS)
    person, day = person[~again], day[~again]
    code = rng.choice(len(outcome.codes), len(person), p=np.array(outcome.weights))
    return Events(person, day, code)
