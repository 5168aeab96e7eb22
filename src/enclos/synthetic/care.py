"""Care in town: visits to doctors, technical acts, laboratory, and what pharmacies dispense."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enclos.synthetic.illness import Episodes, Illness, Indices, band, boxes_a_month
from enclos.synthetic.people import DAYS_A_YEAR, Days, People
from enclos.synthetic.references import acute_drugs, city_acts, products_of

CYCLE_DAYS = 30

_GP_VISITS = (3.6, 1.7, 2.0, 2.3, 2.8, 3.6, 4.7, 6.2, 7.2)
"""Visits to a general practitioner per person-year by age band; their mean is calibrated to DREES' 3.3."""
_GP_VISITS_PER_YEAR = 3.3
_SPECIALIST_VISITS = (2.2, 1.2, 1.4, 1.8, 2.2, 2.6, 3.2, 3.3, 2.4)
_LAB_VISITS = (0.2, 0.3, 0.9, 1.1, 1.4, 2.0, 2.9, 3.8, 4.2)
_HOSPITAL_CONSULTATIONS = (0.15, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.3, 0.25)
SPECIALITIES = (3, 7, 12, 15, 5, 33, 14, 8, 32, 11, 13, 42, 16)
"""IR_SPE_V codes of the specialists seen."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of one sort: who, when, to whom (a speciality, an act…)."""

    person: Indices
    day: Days
    what: Indices

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, slots=True)
class Dispensings:
    """Lines of pharmacy: who, when, which pack, how many boxes, on a prescription of when."""

    person: Indices
    day: Days
    product: Indices
    boxes: Indices
    prescribed: Days


@dataclass(frozen=True, slots=True)
class TownCare:
    """All care in town of a chunk of persons."""

    gp: Visits
    specialist: Visits
    laboratory: Visits
    act: Visits
    hospital: Visits
    """Consultations in public hospitals that are billed directly (T2A)."""
    dispensed: Dispensings


def winter(days: Days) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Between 0 (July) and 1 (January)."""
    seasons: np.ndarray[tuple[int], np.dtype[np.float64]] = 0.5 + 0.5 * np.cos(
        (days % DAYS_A_YEAR - 15) * 2 * np.pi / DAYS_A_YEAR
    )
    return seasons


def town_care(rng: np.random.Generator, folk: People, ill: Illness, spells: Episodes) -> TownCare:
    """Everything outside hospitals."""
    exposed = np.maximum(folk.leaves - folk.enters, 0) / DAYS_A_YEAR
    middle = folk.enters + np.maximum(folk.leaves - folk.enters, 0) // 2
    bands = band(folk.age(middle))
    burden = np.sum([ill.has[name] for name in ("diabetes_2", "cancer", "coronary", "heart_failure", "copd")], axis=0)
    frail = (0.85 + 0.35 * burden) * rng.gamma(2.0, 0.5, len(folk))
    attends = rng.random(len(folk)) < 0.89 + 0.1 * (burden > 0)

    def visits(rates: tuple[float, ...], weight: np.ndarray[tuple[int], np.dtype[np.float64]], season: float) -> Visits:
        n = rng.poisson(np.array(rates)[bands] * exposed * weight * (1 + season / 2))
        person = np.repeat(np.arange(len(folk)), n)
        day = folk.enters[person] + (rng.random(len(person)) * (folk.leaves - folk.enters)[person]).astype(np.int64)
        if season:
            kept = rng.random(len(day)) < (1 + season * winter(day)) / (1 + season)
            person, day = person[kept], day[kept]
        return Visits(person, day, np.zeros(len(person), dtype=np.int64))

    gp = visits(_GP_VISITS, frail * attends * gp_scale(), 0.5)
    gp.what[:] = rng.choice(3, len(gp), p=[0.75, 0.17, 0.08])
    specialist = visits(_SPECIALIST_VISITS, frail, 0.0)
    specialist.what[:] = _speciality(rng, folk, specialist)
    laboratory = visits(_LAB_VISITS, frail, 0.0)
    hospital = visits(_HOSPITAL_CONSULTATIONS, frail, 0.0)
    parts = [visits(act.rates, np.ones(len(folk)), 0.0) for act in city_acts()]
    for index, part in enumerate(parts):
        part.what[:] = index
    kept = [_plausible(folk, part, city_acts()[index].ccam) for index, part in enumerate(parts)]
    act = Visits(
        np.concatenate([part.person[keep] for part, keep in zip(parts, kept, strict=True)]),
        np.concatenate([part.day[keep] for part, keep in zip(parts, kept, strict=True)]),
        np.concatenate([part.what[keep] for part, keep in zip(parts, kept, strict=True)]),
    )
    dispensed = _join(_refills(rng, folk, spells), _short_courses(rng, folk, gp, specialist))
    return TownCare(gp, specialist, laboratory, act, hospital, dispensed)


def gp_scale() -> float:
    """What brings the mean of the visits by age to the published mean."""
    return _GP_VISITS_PER_YEAR / 2.92


def _plausible(folk: People, visits: Visits, ccam: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    women_only = ccam.startswith(("QEQK", "JQQM"))
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        folk.female[visits.person] if women_only else np.ones(len(visits), dtype=bool)
    )
    return kept


def _speciality(rng: np.random.Generator, folk: People, visits: Visits) -> Indices:
    age, female = folk.age(visits.day, visits.person), folk.female[visits.person]
    roll = rng.random(len(visits))
    child = np.where(roll < 0.6, 12, np.where(roll < 0.8, 15, 11))
    woman = rng.choice([7, 15, 5, 33, 3, 8, 42], len(visits), p=[0.42, 0.2, 0.1, 0.1, 0.08, 0.05, 0.05])
    adult = rng.choice([15, 5, 33, 3, 8, 42, 13], len(visits), p=[0.35, 0.15, 0.15, 0.15, 0.08, 0.08, 0.04])
    old = rng.choice([3, 15, 14, 8, 32, 13, 16], len(visits), p=[0.36, 0.32, 0.08, 0.06, 0.06, 0.05, 0.07])
    code = np.where(age < 16, child, np.where(age > 65, old, np.where(female, woman, adult)))
    position = {speciality: index for index, speciality in enumerate(SPECIALITIES)}
    lookup = np.zeros(100, dtype=np.int64)
    for speciality, index in position.items():
        lookup[speciality] = index
    found: Indices = lookup[code]
    return found


def _refills(rng: np.random.Generator, folk: People, spells: Episodes) -> Dispensings:
    """Month after month, all long-term drugs of a person on the same days."""
    n_cycles = (folk.end - folk.start) // CYCLE_DAYS + 3
    phase = folk.start + rng.integers(0, CYCLE_DAYS, len(folk))
    jitter = rng.integers(-2, 3, (len(folk), n_cycles), dtype=np.int8)
    attends = rng.random((len(folk), n_cycles), dtype=np.float32) > 0.05
    boxes, months = boxes_a_month()
    first = -((phase[spells.person] - 2 - spells.start) // CYCLE_DAYS)
    last = (spells.stop - 1 - phase[spells.person] - 2) // CYCLE_DAYS
    n = np.maximum(last - first + 1, 0)
    spell = np.repeat(np.arange(len(n)), n)
    nth = np.arange(len(spell)) - np.repeat(np.cumsum(n) - n, n)
    person, cycle = spells.person[spell], first[spell] + nth
    product = spells.product[spell]
    kept = attends[person, cycle] & (nth % months[product] == 0)
    person, cycle, product = person[kept], cycle[kept], product[kept]
    day = phase[person] + CYCLE_DAYS * cycle + jitter[person, cycle]
    inside = (day >= folk.enters[person]) & (day < folk.leaves[person])
    person, day, product, cycle = person[inside], day[inside], product[inside], cycle[inside]
    prescribed = np.maximum(day - CYCLE_DAYS * (cycle % 3), folk.birth[person])
    return Dispensings(person, day, product, boxes[product], prescribed)


def _short_courses(rng: np.random.Generator, folk: People, gp: Visits, specialist: Visits) -> Dispensings:
    n_gp = np.where(rng.random(len(gp)) < 0.86, 1 + np.minimum(rng.poisson(2.7, len(gp)), 6), 0)
    n_specialist = np.where(rng.random(len(specialist)) < 0.3, 1 + rng.poisson(0.6, len(specialist)), 0)
    person = np.concatenate([np.repeat(gp.person, n_gp), np.repeat(specialist.person, n_specialist)])
    prescribed = np.concatenate([np.repeat(gp.day, n_gp), np.repeat(specialist.day, n_specialist)])
    late = np.concatenate(
        [np.repeat(rng.random(len(gp)) < 0.25, n_gp), np.repeat(rng.random(len(specialist)) < 0.4, n_specialist)]
    )
    day = np.minimum(prescribed + late, folk.leaves[person] - 1)
    age = folk.age(day, person)
    group = np.where(age < 15, 0, np.where(age < 65, 1, 2))
    cold = winter(day) > 0.5
    product, boxes = np.zeros(len(person), dtype=np.int64), np.ones(len(person), dtype=np.int64)
    drugs = acute_drugs()
    for which in range(3):
        for season in (False, True):
            mine = np.flatnonzero((group == which) & (cold == season))
            weights = np.array([drug.weights[which] * (drug.winter if season else 1.0) for drug in drugs])
            choice = rng.choice(len(drugs), len(mine), p=weights / weights.sum())
            roll = rng.random(len(mine))
            extra = np.array([drug.mean_boxes - 1 for drug in drugs])[choice]
            boxes[mine] = 1 + np.minimum(rng.poisson(extra), 9)
            for index, drug in enumerate(drugs):
                packs = np.array(products_of(drug.atc))
                ours = choice == index
                product[mine[ours]] = packs[(roll[ours] * len(packs)).astype(int)]
    return Dispensings(person, day, product, boxes, prescribed)


def _join(left: Dispensings, right: Dispensings) -> Dispensings:
    return Dispensings(
        np.concatenate([left.person, right.person]),
        np.concatenate([left.day, right.day]),
        np.concatenate([left.product, right.product]),
        np.concatenate([left.boxes, right.boxes]),
        np.concatenate([left.prescribed, right.prescribed]),
    )
