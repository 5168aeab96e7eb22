"""Who lives: birth, sex, death, department, and the pseudonyms each person has.

Days count from 1970-01-01; ``start`` is the first day of the data, ``end`` the day after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from enclos.synthetic.references import AgeGroup, departments, pyramid
from enclos.synthetic.sheets import Bytes

Days = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEVER = 10**6
"""A day after every other: who has no death yet dies then."""

DAYS_A_YEAR = 365.25
BIRTHS_PER_PERSON_YEAR = 663_000 / 68.6e6
"""Source: Insee, bilan démographique 2024 (births, population)."""
DEATHS_PER_PERSON_YEAR = 646_000 / 68.6e6
"""Source: Insee, bilan démographique 2024."""

_AGEING = 0.098
"""Rise of the hazard of death per year of age (Gompertz)."""
_MALE_HAZARD = 1.65
_THINNING = 3.2
"""Mean years above 90 of those over 90."""

_ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Shares:
    """How often identities are irregular; all zero without traps."""

    twins: float = 0.012
    second_psa: float = 0.009
    no_nir: float = 0.015
    provisional: float = 0.004


NO_SHARES = Shares(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class People:
    """One chunk of persons; every array has one element a person."""

    first: int
    """Number of the first person; persons are numbered through all chunks."""
    start: int
    end: int
    birth: Days
    death: Days
    """NEVER for who outlives the data."""
    female: Flags
    department: npt.NDArray[np.int64]
    psa: Bytes
    rank: npt.NDArray[np.int64]
    """BEN_RNG_GEM: 1, and 2 for the second of twins under one PSA."""
    second_psa: Bytes
    """Empty, or the PSA after a change of rights on switch."""
    switch: Days
    nir_ano: Bytes
    """Empty while the own NIR is unknown."""
    idt: Bytes
    provisional: Flags
    """Whose NIR is not certified (BEN_CDI_NIR 03)."""

    def __len__(self) -> int:
        return len(self.birth)

    @property
    def enters(self) -> Days:
        """First day in the data."""
        return np.maximum(self.birth, self.start)

    @property
    def leaves(self) -> Days:
        """Day after the last day in the data."""
        return np.minimum(self.death + 1, self.end)

    def age(self, days: Days, who: npt.NDArray[Any] | None = None) -> npt.NDArray[np.float64]:
        """Age in years on a day, per person or per named person."""
        birth = self.birth if who is None else self.birth[who]
        ages: npt.NDArray[np.float64] = np.maximum((days - birth) / DAYS_A_YEAR, 0.0)
        return ages


def pseudonyms(rng: np.random.Generator, n: int) -> Bytes:
    """Random pseudonyms of 17 signs, as the SNDS writes them."""
    signs = _ALPHABET[rng.integers(0, len(_ALPHABET), (n, 17), dtype=np.uint8)]
    found: Bytes = np.ascontiguousarray(signs).view("S17").reshape(n)
    return found


def people(
    rng: np.random.Generator, first: int, n: int, start: int, end: int, shares: Shares, min_age: int = 0
) -> People:
    """A chunk of the population: in the middle of the data, those alive follow the pyramid.

    In: min_age — nobody is younger in the middle of the data; then nobody is born within it either
    """
    half = (end - start) / DAYS_A_YEAR / 2
    groups = pyramid()
    drawn, survival = _at_the_start(half)
    born_later = rng.random(n) < BIRTHS_PER_PERSON_YEAR * half / (1 / survival + BIRTHS_PER_PERSON_YEAR * half)
    born_later &= min_age == 0
    weights = [float(w) * (g.age_to >= min_age) for w, g in zip(drawn, groups, strict=True)]
    group = rng.choice(len(groups), n, p=_shares(weights))
    low = np.maximum(np.array([g.age_from for g in groups]), min_age)[group]
    high = np.array([g.age_to for g in groups])[group]
    age = low + rng.random(n) * (high + 1 - low)  # in the middle of the data
    oldest = high > 95  # the last group thins out
    age[oldest] = 90 + np.minimum(rng.exponential(_THINNING, int(oldest.sum())), 17)
    middle = start + (end - start) // 2
    birth = np.where(born_later, rng.integers(middle, end, n), middle - 1 - (age * DAYS_A_YEAR).astype(int))
    female = rng.random(n) < np.where(born_later, 0.489, np.array([g.female_share for g in groups])[group])
    weights = [d.weight for d in departments()]
    department = rng.choice(len(weights), n, p=_shares(weights))

    psa, rank = pseudonyms(rng, n), np.ones(n, dtype=np.int64)
    first_twin = np.flatnonzero((start - birth < 24 * DAYS_A_YEAR) & (rng.random(n) < shares.twins))
    first_twin = first_twin[(first_twin % 2 == 0) & (first_twin + 1 < n)]
    birth[first_twin + 1], female[first_twin + 1] = birth[first_twin], female[first_twin]
    department[first_twin + 1], psa[first_twin + 1] = department[first_twin], psa[first_twin]
    rank[first_twin + 1] = 2
    is_twin = np.zeros(n, dtype=bool)
    is_twin[first_twin] = is_twin[first_twin + 1] = True

    death = _deaths(rng, birth, female, start)
    death[death >= end] = NEVER
    nir_ano, idt = pseudonyms(rng, n), np.empty(n, dtype="S18")
    unknown = rng.random(n) < shares.no_nir
    changes = ~unknown & ~is_twin & (birth < start - 365) & (rng.random(n) < shares.second_psa)
    second = np.where(changes, pseudonyms(rng, n), b"").astype("S17")
    switch = np.where(changes, rng.integers(start, end, n), NEVER)
    idt[:] = np.where(unknown, np.char.add(psa, rank.astype("S1")), nir_ano)
    nir_ano[unknown] = b""
    return People(
        first,
        start,
        end,
        birth.astype(np.int64),
        death,
        female,
        department,
        psa,
        rank,
        second,
        switch.astype(np.int64),
        nir_ano,
        idt,
        rng.random(n) < shares.provisional,
    )


def _deaths(rng: np.random.Generator, birth: Days, female: Flags, start: int) -> Days:
    """Days of death under a Gompertz hazard that gives Insee's deaths on the pyramid."""
    age = np.maximum((start - birth) / DAYS_A_YEAR, 0.0)
    hazard = _hazard_at_birth() * np.where(female, 1.0, _MALE_HAZARD) * np.exp(_AGEING * age)
    lived = np.log1p(-np.log(rng.random(len(birth))) * _AGEING / hazard) / _AGEING
    return (np.maximum(birth, start) + (lived * DAYS_A_YEAR).astype(np.int64)).astype(np.int64)


def _ages(group: AgeGroup) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Middles of the years of age of a group, and their shares of it."""
    last = group.age_to if group.age_to < 100 else 99
    ages: npt.NDArray[np.float64] = np.arange(group.age_from, last + 1).astype(np.float64) + 0.5
    share = np.exp(-(ages - 90) / _THINNING) if group.age_to >= 100 else np.ones(len(ages))
    return ages, np.asarray(share / share.sum(), dtype=np.float64)


@cache
def _hazard_at_birth() -> float:
    """Hazard of death of women at birth that gives Insee's deaths on the pyramid."""
    total = 0.0
    for group in pyramid():
        ages, share = _ages(group)
        mean = float((np.exp(_AGEING * ages) * share).sum())
        total += group.share * mean * (group.female_share + (1 - group.female_share) * _MALE_HAZARD)
    return DEATHS_PER_PERSON_YEAR / total


def _at_the_start(half: float) -> tuple[npt.NDArray[np.float64], float]:
    """Shares to draw age groups with so that half the span later those alive follow the pyramid; and who lives on."""
    drawn = []
    for group in pyramid():
        ages, share = _ages(group)
        risen = (np.exp(_AGEING * ages) - np.exp(_AGEING * np.maximum(ages - half, 0))) * _hazard_at_birth() / _AGEING
        men, women = np.exp(risen * _MALE_HAZARD), np.exp(risen)
        drawn.append(group.share * float((share * (group.female_share * women + (1 - group.female_share) * men)).sum()))
    return np.array(drawn), 1 / sum(drawn)


def _shares(weights: list[float]) -> npt.NDArray[np.float64]:
    found = np.array(weights, dtype=float)
    shares: npt.NDArray[np.float64] = found / found.sum()
    return shares
