"""All stays of a chunk of persons."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from enclos.synthetic.illness import Illness, band
from enclos.synthetic.outcomes import OUTCOMES, Events
from enclos.synthetic.people import BIRTHS_PER_PERSON_YEAR, DAYS_A_YEAR, DEATHS_PER_PERSON_YEAR, NEVER, People
from enclos.synthetic.references import STAY_BANDS, pyramid, stay_kinds
from enclos.synthetic.stays.model import NONE, Stays, act, diagnoses, diagnosis, ghm_root, joined, made, same
from enclos.synthetic.stays.sessions import sessions

_POPULATION = 68.6e6
_FULL_STAYS, _AMBULATORY_STAYS = 11_271_417 / _POPULATION, 7_266_395 / _POPULATION
"""Stays per person-year. Source: ScanSanté by way of marginals.csv."""
_FRAILTY = 0.5
"""Shape of the gamma by which persons differ; set so that 191 of 1 000 persons are in hospital in a year."""
_DIES_IN_HOSPITAL = 0.52
_OUTCOME_STAYS = 0.004
"""Stays per person-year of the studied outcomes."""


@cache
def _kind_rates() -> npt.NDArray[np.float64]:
    """Rates per person-year: sex (men, women) × age band × kind, brought to the published totals."""
    kinds = stay_kinds()
    rates = np.zeros((2, len(STAY_BANDS), len(kinds)))
    for index, kind in enumerate(kinds):
        rate = np.array(kind.rates) / 1000
        for female in (0, 1):
            factor = {0: 1.0, 1: 2.0 * (1 - female), 2: 1.6 if female else 0.35}[kind.sex]
            if kind.dp[0] == "O" or kind.dp == "Z302":
                factor = 2.0 * female
            rates[female, :, index] = rate * factor
    weight = np.zeros((2, len(STAY_BANDS)))
    for group in pyramid():
        ages = np.arange(group.age_from, min(group.age_to, 99) + 1)
        for age_band in band(ages.astype(float), STAY_BANDS):
            weight[1, age_band] += group.share * group.female_share / len(ages)
            weight[0, age_band] += group.share * (1 - group.female_share) / len(ages)
    ambulatory = np.array([kind.ambulatory for kind in kinds])
    totals = (rates * weight[:, :, None]).sum(axis=(0, 1))
    deaths = DEATHS_PER_PERSON_YEAR * _DIES_IN_HOSPITAL
    full = _FULL_STAYS - 2 * BIRTHS_PER_PERSON_YEAR - deaths - _OUTCOME_STAYS
    rates[:, :, ambulatory] *= _AMBULATORY_STAYS / totals[ambulatory].sum()
    rates[:, :, ~ambulatory] *= full / totals[~ambulatory].sum()
    return rates


def _ordinary(rng: np.random.Generator, folk: People) -> Stays:
    rates = _kind_rates()
    total, cumulated = rates.sum(axis=2), np.cumsum(rates, axis=2) / rates.sum(axis=2, keepdims=True)
    sex = folk.female.astype(np.int64)
    span = np.maximum(folk.leaves - folk.enters, 0)
    frailty = rng.gamma(_FRAILTY, 1 / _FRAILTY, len(folk))
    ages = band(folk.age(folk.enters + span // 2), STAY_BANDS)
    n = rng.poisson(total[sex, ages] * span / DAYS_A_YEAR * frailty)
    person = np.repeat(np.arange(len(folk)), n)
    entry = folk.enters[person] + (rng.random(len(person)) * span[person]).astype(np.int64)
    roll = rng.random(len(person))
    age_band = band(folk.age(entry, person), STAY_BANDS)
    kind = np.zeros(len(person), dtype=np.int64)
    for female in (0, 1):
        for at in range(len(STAY_BANDS)):
            mine = (sex[person] == female) & (age_band == at)
            kind[mine] = np.searchsorted(cumulated[female, at], roll[mine], side="right")
    kinds = stay_kinds()
    kind = np.minimum(kind, len(kinds) - 1)
    mean = np.array([k.mean_nights for k in kinds])[kind]
    ambulatory = np.array([k.ambulatory for k in kinds])[kind]
    nights = np.where(ambulatory, 0, rng.gamma(1.25, np.maximum(mean, 0.1) / 1.25 * 0.88)).astype(np.int64)
    emergency_kind = np.array([0.0 if k.ambulatory or k.act else 0.7 for k in kinds])[kind]
    found = made(
        rng,
        folk,
        person,
        entry,
        nights,
        np.array([diagnosis(k.dp) for k in kinds])[kind],
        np.array([ghm_root(k.ghm_root) for k in kinds])[kind],
        procedure=np.where(
            rng.random(len(person)) < np.where(ambulatory, 0.97, 0.8), np.array([act(k.act) for k in kinds])[kind], NONE
        ),
        related=np.where(np.array([k.dp == "Z515" for k in kinds])[kind], diagnosis("C349"), NONE),
        ambulatory=ambulatory,
    )
    found.emergency[:] = rng.random(len(person)) < emergency_kind
    return found


def _births(rng: np.random.Generator, folk: People) -> list[Stays]:
    born = np.flatnonzero((folk.birth >= folk.start) & (folk.birth < folk.end))
    nights = 3 + rng.poisson(1.0, len(born))
    child = made(
        rng, folk, born, folk.birth[born], nights, same(born, diagnosis("Z380")), same(born, ghm_root("15M05"))
    )
    child.secondary[:] = NONE
    age = folk.age(np.full(len(folk), (folk.start + folk.end) // 2))
    mothers = np.flatnonzero(folk.female & (age > 21) & (age < 40) & (folk.death == NEVER))
    if len(mothers) == 0:
        return [child]
    chosen = mothers[rng.integers(0, len(mothers), len(born))]
    caesarean = rng.random(len(born)) < 0.21
    mother = made(
        rng,
        folk,
        chosen,
        folk.birth[born],
        nights,
        np.where(caesarean, diagnosis("O820"), diagnosis("O800")),
        same(born, ghm_root("14Z14")),
        procedure=np.where(
            caesarean, act("JQGA002"), np.where(rng.random(len(born)) < 0.42, act("JQGD010"), act("JQGD012"))
        ),
        hospital=child.hospital,
    )
    mother.secondary[:] = NONE
    mother.secondary[:, 0] = diagnosis("Z370")
    return [child, mother]


def _last(rng: np.random.Generator, folk: People) -> Stays:
    dying = np.flatnonzero((folk.death < folk.end) & (rng.random(len(folk)) < _DIES_IN_HOSPITAL))
    codes = ("I500", "J189", "C349", "Z515", "I639", "A419", "J9600")
    nights = rng.gamma(1.2, 8.0, len(dying)).astype(np.int64)
    entry = np.maximum(folk.death[dying] - nights, folk.enters[dying])
    dp = rng.choice([diagnosis(code) for code in codes], len(dying), p=[0.18, 0.15, 0.17, 0.2, 0.12, 0.1, 0.08])
    related = np.where(dp == diagnosis("Z515"), diagnosis("C349"), NONE)
    root = same(dying, ghm_root("23Z02"))
    return made(rng, folk, dying, entry, nights, dp, root, related=related, emergency=0.6)


def _of_outcome(rng: np.random.Generator, folk: People, index: int, found: Events) -> Stays:
    outcome = OUTCOMES[index]
    codes = np.array([diagnosis(code) for code in outcome.codes])
    bleed = outcome.name == "gi_bleed"
    procedure = act("HEQE002") if bleed else act("DDAF006")
    return made(
        rng,
        folk,
        found.person,
        found.day,
        2 + rng.poisson(4.0, len(found.person)),
        codes[found.code],
        same(found.person, ghm_root("06K02" if bleed else "05M04")),
        procedure=np.where(rng.random(len(found.person)) < 0.7, procedure, NONE),
        emergency=0.85,
        certain=True,
    )


def stays(rng: np.random.Generator, folk: People, ill: Illness, outcomes: list[Events], *, irregular: bool) -> Stays:
    """All stays with their entry in the data; discharge is brought into the data.

    In: irregular — whether diagnoses keep their PMSI extension with a plus sign, and dialyses may be grouped
    """
    parts = [_ordinary(rng, folk), *_births(rng, folk), _last(rng, folk)]
    parts += sessions(rng, folk, ill, grouped=irregular)
    parts += [_of_outcome(rng, folk, index, found) for index, found in enumerate(outcomes)]
    found = joined(parts)
    if not irregular:
        plain = np.array([diagnosis(code.split("+")[0]) for code in diagnoses()])
        found.dp[:] = plain[found.dp]
    return found.take(np.lexsort((found.entry, found.person)))
