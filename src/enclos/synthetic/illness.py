"""Who is ill of what since when, and which drugs they take from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from enclos.synthetic.people import DAYS_A_YEAR, NEVER, Days, Flags, People
from enclos.synthetic.references import AGE_BANDS, conditions, products, products_of, treatments

Indices = npt.NDArray[np.int64]

METFORMIN = "A10BA02"
RIVAROXABAN, APIXABAN, WARFARIN = "B01AF01", "B01AF02", "B01AA03"
ATORVASTATIN, ROSUVASTATIN, SIMVASTATIN, PRAVASTATIN = "C10AA05", "C10AA07", "C10AA01", "C10AA03"

_PERSISTENCE_DAYS = 9 * DAYS_A_YEAR
_RESTARTS = 0.55


@dataclass(frozen=True, slots=True)
class Illness:
    """Per condition (by name): who has it within the data, and since when (may be long before the start)."""

    has: dict[str, Flags]
    onset: dict[str, Days]


@dataclass(frozen=True, slots=True)
class Episodes:
    """Spells of continuous use of one pack: [start, stop)."""

    person: Indices
    product: Indices
    start: Days
    stop: Days

    def of(self, atc: str) -> Episodes:
        """The episodes of the packs whose ATC code begins so."""
        chosen = np.isin(self.product, products_of(atc))
        return Episodes(self.person[chosen], self.product[chosen], self.start[chosen], self.stop[chosen])


def band(ages: npt.NDArray[np.float64], edges: tuple[int, ...] = AGE_BANDS) -> Indices:
    """The band of each age."""
    found: Indices = np.searchsorted(np.array(edges), ages, side="right") - 1
    return found


def illness(rng: np.random.Generator, folk: People) -> Illness:
    """Chronic conditions by age and sex; a share of them begins within the data."""
    n, years = len(folk), (folk.end - folk.start) / DAYS_A_YEAR
    middle = np.minimum(folk.start + (folk.end - folk.start) // 2, np.minimum(folk.death, folk.end))
    bands = band(folk.age(middle))
    has, onset = {}, {}
    for condition in conditions():
        prevalence = np.array(condition.prevalence)[bands]
        ratio = condition.male_to_female
        if ratio == 0:
            prevalence = np.where(folk.female, prevalence / 0.515, 0.0)
        elif ratio < 0:
            prevalence = np.where(folk.female, 0.0, prevalence)
        else:
            women = 2 / (1 + ratio)
            prevalence = prevalence * np.where(folk.female, women, women * ratio)
        # diagnosed within the data, some after the middle: the prevalence in the middle stays as given
        incident = min(0.9, condition.incident_per_year * years)
        has[condition.name] = rng.random(n) < np.minimum(prevalence / (1 - incident / 2), 0.97)
        begins = rng.random(n) < incident
        within = folk.start + rng.random(n) * (folk.end - folk.start)
        before = folk.start - rng.exponential(5 * DAYS_A_YEAR, n)
        day = np.where(begins, within, before).astype(np.int64)
        onset[condition.name] = np.clip(day, folk.birth, None)
    return Illness(has, onset)


def episodes(rng: np.random.Generator, folk: People, ill: Illness) -> Episodes:
    """Long-term treatments of the conditions, with stops and restarts."""
    found: list[tuple[Indices, Indices, Days]] = []
    on_statin = np.zeros(len(folk), dtype=bool)
    metformin_since = np.full(len(folk), NEVER, dtype=np.int64)
    for treatment in treatments():
        treated = np.flatnonzero(ill.has[treatment.condition] & (rng.random(len(folk)) < treatment.share))
        onset = ill.onset[treatment.condition][treated]
        if treatment.special == "statin":
            treated, onset = treated[~on_statin[treated]], onset[~on_statin[treated]]
            on_statin[treated] = True
            drug = _statin(rng, folk, treated, metformin_since[treated] <= onset)
        elif treatment.special == "anticoagulant":
            drug = _anticoagulant(rng, folk, treated)
        else:
            drug = _one_of(rng, treatment.drugs, len(treated))
            of_metformin = np.isin(drug, products_of(METFORMIN))
            who = treated[of_metformin]
            metformin_since[who] = np.minimum(metformin_since[who], onset[of_metformin])
        found.append((treated, drug, onset))
    person = np.concatenate([f[0] for f in found])
    product = np.concatenate([f[1] for f in found])
    onset = np.concatenate([f[2] for f in found])
    return _spells(rng, folk, person, product, onset)


def _one_of(rng: np.random.Generator, drugs: tuple[tuple[str, float], ...], n: int) -> Indices:
    weights = np.array([weight for _, weight in drugs])
    choice = rng.choice(len(drugs), n, p=weights / weights.sum())
    return _pack(rng, np.array([code for code, _ in drugs]), choice)


def _pack(rng: np.random.Generator, codes: npt.NDArray[Any], choice: Indices) -> Indices:
    packs = [np.array(products_of(str(code))) for code in codes]
    roll = rng.random(len(choice))
    product = np.zeros(len(choice), dtype=np.int64)
    for index, options in enumerate(packs):
        mine = choice == index
        product[mine] = options[(roll[mine] * len(options)).astype(int)]
    return product


def _anticoagulant(rng: np.random.Generator, folk: People, who: Indices) -> Indices:
    """Rivaroxaban rather than apixaban for the younger and for men: measured confounding."""
    age = folk.age(np.full(len(who), folk.start), who)
    lean = 0.25 - 0.035 * (age - 75) + 0.25 * ~folk.female[who]
    rivaroxaban = rng.random(len(who)) < 1 / (1 + np.exp(-lean))
    warfarin = rng.random(len(who)) < 0.1
    choice = np.where(warfarin, 2, np.where(rivaroxaban, 0, 1))
    return _pack(rng, np.array([RIVAROXABAN, APIXABAN, WARFARIN]), choice)


def _statin(rng: np.random.Generator, folk: People, who: Indices, on_metformin: Flags) -> Indices:
    """Rosuvastatin rather than atorvastatin for the older and for those on metformin: measured confounding.

    Only what claims show on the day of the choice decides, so that adjusting for them leaves nothing. Diabetes would
    not do: it is a trait for life here, whose first signs may come after the statin.
    """
    age = folk.age(np.full(len(who), folk.start), who)
    lean = -0.35 + 0.9 * on_metformin + 0.02 * (age - 65)
    rosuvastatin = rng.random(len(who)) < 1 / (1 + np.exp(-lean))
    other = rng.random(len(who))
    choice = np.where(other < 0.1, 2, np.where(other < 0.2, 3, np.where(rosuvastatin, 1, 0)))
    return _pack(rng, np.array([ATORVASTATIN, ROSUVASTATIN, SIMVASTATIN, PRAVASTATIN]), choice)


def _spells(rng: np.random.Generator, folk: People, person: Indices, product: Indices, onset: Days) -> Episodes:
    n = len(person)
    leaves = folk.leaves[person]
    begin = np.maximum(onset, folk.enters[person])
    stop = begin + (rng.exponential(_PERSISTENCE_DAYS, n)).astype(np.int64) + 30
    again = (rng.random(n) < _RESTARTS) & (stop < leaves)
    begin_2 = np.where(again, stop + 60 + rng.integers(0, 240, n), NEVER)
    stop_2 = begin_2 + rng.exponential(_PERSISTENCE_DAYS, n).astype(np.int64) + 30
    person, product = np.concatenate([person, person]), np.concatenate([product, product])
    begin, stop = np.concatenate([begin, begin_2]), np.concatenate([stop, stop_2])
    stop = np.minimum(stop, np.concatenate([leaves, leaves]))
    kept = begin < stop
    return Episodes(person[kept], product[kept], begin[kept], stop[kept])


def boxes_a_month() -> tuple[Indices, Indices]:
    """Per pack: boxes dispensed at a time for daily use, and for how many months that lasts (1 or 3)."""
    boxes, months = [], []
    for product in products():
        daily = product.units_per_day
        lasts = 3 if daily and product.units >= 84 * daily else 1
        need = 30 * lasts * daily / product.units if daily else 1
        boxes.append(max(1, min(12, round(need - 0.05))))
        months.append(lasts)
    return np.array(boxes), np.array(months)
