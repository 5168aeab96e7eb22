"""Hospital stays: ordinary ones, births, sessions, last stays, and those of the studied outcomes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from enclos.synthetic.illness import Illness, Indices, band
from enclos.synthetic.outcomes import OUTCOMES, Events
from enclos.synthetic.people import BIRTHS_PER_PERSON_YEAR, DAYS_A_YEAR, NEVER, Days, Flags, People
from enclos.synthetic.references import (
    STAY_BANDS,
    departments,
    hospitals,
    labels,
    pyramid,
    stay_kinds,
    weighted_codes,
)

_POPULATION = 68.6e6
_FULL_STAYS, _AMBULATORY_STAYS = 11_271_417 / _POPULATION, 7_266_395 / _POPULATION
"""Stays per person-year. Source: ScanSanté by way of marginals.csv."""
_DIALYSIS, _CHEMOTHERAPY, _OTHER_CHEMOTHERAPY = 4_274_206 / _POPULATION, 2_568_626 / _POPULATION, 622_898 / _POPULATION
_RADIOTHERAPY = 9_999_310 / _POPULATION - _DIALYSIS - _CHEMOTHERAPY - _OTHER_CHEMOTHERAPY
_CHEMOTHERAPY_SESSIONS, _RADIOTHERAPY_SESSIONS = 12, 22
_DIALYSES_A_YEAR = 156
_FRAILTY = 0.5
"""Shape of the gamma by which persons differ; set so that 191 of 1 000 persons are in hospital in a year."""
_DIES_IN_HOSPITAL = 0.52
GROUPED_SESSIONS = 13

NONE = -1


@cache
def diagnoses() -> tuple[str, ...]:
    """All codes that stays may carry; stays hold positions in it."""
    return tuple(labels("cim10.csv"))


@cache
def acts() -> tuple[str, ...]:
    """All CCAM codes that stays may carry."""
    return tuple(labels("ccam.csv"))


@cache
def diagnosis(code: str) -> int:
    """Position of a diagnosis."""
    return diagnoses().index(code)


@cache
def act(code: str) -> int:
    """Position of an act; NONE for the empty code."""
    return acts().index(code) if code else NONE


@cache
def ghm_roots() -> tuple[str, ...]:
    """Roots of the groups that stays may fall into. They are plausible; grouping is not reproduced."""
    special = ("28Z04", "28Z07", "28Z17", "28Z11", "14Z14", "15M05", "23Z02", "06K02", "06M03", "05M04", "90Z00")
    return tuple(sorted({kind.ghm_root for kind in stay_kinds()} | set(special)))


@cache
def ghm_root(code: str) -> int:
    """Position of a root."""
    return ghm_roots().index(code)


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays of a chunk; every array has one element a stay."""

    person: Indices
    entry: Days
    leave: Days
    """Day of discharge; the day of entry for a stay without a night."""
    dp: Indices
    related: Indices
    """DR, or NONE."""
    secondary: npt.NDArray[np.int64]
    """n × 3 positions of diagnoses, or NONE."""
    act: Indices
    ghm: Indices
    hospital: Indices
    ambulatory: Flags
    n_sessions: Indices
    """0 for what is not a session."""
    emergency: Flags
    died: Flags
    certain: Flags
    """Stays of the studied outcomes: no trap may hide them."""

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: Indices | Flags) -> Stays:
        """Some of the stays."""
        return Stays(*(getattr(self, field.name)[chosen] for field in fields(self)))


def _joined(parts: list[Stays]) -> Stays:
    return Stays(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Stays)))


def _made(
    rng: np.random.Generator,
    folk: People,
    person: Indices,
    entry: Days,
    nights: Indices,
    dp: Indices,
    root: Indices,
    *,
    procedure: Indices | None = None,
    related: Indices | None = None,
    ambulatory: Flags | None = None,
    sessions: Indices | None = None,
    emergency: float = 0.0,
    certain: bool = False,
    hospital: Indices | None = None,
) -> Stays:
    n = len(person)
    alive_until = np.minimum(folk.death[person], folk.end - 1)
    leave = np.minimum(entry + nights, alive_until)
    nothing = np.full(n, NONE, dtype=np.int64)
    session = sessions if sessions is not None else np.zeros(n, dtype=np.int64)
    return Stays(
        person,
        entry,
        leave,
        dp,
        nothing if related is None else related,
        _secondary(rng, folk, person, entry, session > 0),
        nothing if procedure is None else procedure,
        root,
        _hospital(rng, folk, person) if hospital is None else hospital,
        np.zeros(n, dtype=bool) if ambulatory is None else ambulatory,
        session,
        (rng.random(n) < emergency) & (session == 0),
        (leave == folk.death[person]) & (session == 0),
        np.full(n, certain),
    )


def stays(rng: np.random.Generator, folk: People, ill: Illness, outcomes: list[Events], *, plus_codes: bool) -> Stays:
    """All stays with their entry in the data; discharge is brought into the data.

    In: plus_codes — whether diagnoses keep their PMSI extension with a plus sign
    """
    parts = [_ordinary(rng, folk), *_births(rng, folk), _last(rng, folk)]
    parts += _sessions(rng, folk, ill)
    parts += [_of_outcome(rng, folk, index, found) for index, found in enumerate(outcomes)]
    found = _joined(parts)
    if not plus_codes:
        plain = np.array([diagnosis(code.split("+")[0]) for code in diagnoses()])
        found.dp[:] = plain[found.dp]
    return found.take(np.lexsort((found.entry, found.person)))


@cache
def _hospital_choice() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Per department: the hospitals it goes to, and the cumulated shares."""
    places = hospitals()
    served = sorted({place.department for place in places})
    options = np.zeros((len(departments()), 3), dtype=np.int64)
    shares = np.zeros((len(departments()), 3))
    for index, department in enumerate(departments()):
        near = department.number if department.number in served else served[(index * 7) % len(served)]
        local = [number for number, place in enumerate(places) if place.department == near]
        local = (local * 3)[:3]
        options[index] = local
        shares[index] = (0.6, 0.85, 1.0)
    return options, shares


def _hospital(rng: np.random.Generator, folk: People, person: Indices) -> Indices:
    options, shares = _hospital_choice()
    home = folk.department[person]
    roll = rng.random(len(person))
    nth = (roll[:, None] >= shares[home]).sum(axis=1)
    chosen = options[home, np.minimum(nth, 2)]
    away = rng.random(len(person)) < 0.06
    elsewhere = rng.integers(0, len(hospitals()), len(person))
    found: Indices = np.where(away, elsewhere, chosen)
    return found


def _secondary(
    rng: np.random.Generator, folk: People, person: Indices, entry: Days, session: Flags
) -> npt.NDArray[np.int64]:
    codes, weights = weighted_codes("secondary_diagnoses.csv")
    positions = np.array([diagnosis(code) for code in codes])
    share = np.array(weights) / sum(weights)
    age = folk.age(entry, person)
    n = np.minimum(rng.poisson(np.where(session, 0.0, np.maximum(age - 20, 1) / 32)), 3)
    first = rng.choice(len(codes), len(person), p=share)
    second = (first + 1 + rng.integers(0, len(codes) - 1, len(person))) % len(codes)
    third = np.where((second + 1) % len(codes) == first, (first + 1) % len(codes), (second + 1) % len(codes))
    found = positions[np.stack([first, second, third], axis=1)]
    found[np.arange(3)[None, :] >= n[:, None]] = NONE
    return np.asarray(found)


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
    deaths = 646_000 / _POPULATION * _DIES_IN_HOSPITAL
    full = _FULL_STAYS - 2 * BIRTHS_PER_PERSON_YEAR - deaths - 0.004
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
    made = _made(
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
    made.emergency[:] = rng.random(len(person)) < emergency_kind
    return made


def _births(rng: np.random.Generator, folk: People) -> list[Stays]:
    born = np.flatnonzero((folk.birth >= folk.start) & (folk.birth < folk.end))
    nights = 3 + rng.poisson(1.0, len(born))
    child = _made(
        rng, folk, born, folk.birth[born], nights, _same(born, diagnosis("Z380")), _same(born, ghm_root("15M05"))
    )
    child.secondary[:] = NONE
    age = folk.age(np.full(len(folk), (folk.start + folk.end) // 2))
    mothers = np.flatnonzero(folk.female & (age > 21) & (age < 40) & (folk.death == NEVER))
    if len(mothers) == 0:
        return [child]
    chosen = mothers[rng.integers(0, len(mothers), len(born))]
    caesarean = rng.random(len(born)) < 0.21
    mother = _made(
        rng,
        folk,
        chosen,
        folk.birth[born],
        nights,
        np.where(caesarean, diagnosis("O820"), diagnosis("O800")),
        _same(born, ghm_root("14Z14")),
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
    root = _same(dying, ghm_root("23Z02"))
    return _made(rng, folk, dying, entry, nights, dp, root, related=related, emergency=0.6)


def _sessions(rng: np.random.Generator, folk: People, ill: Illness) -> list[Stays]:
    kidney, cancer = ill.has["kidney_disease"], ill.has["cancer"]
    share = _DIALYSIS / _DIALYSES_A_YEAR / _trait_share("kidney_disease")
    dialysed = np.flatnonzero(kidney & (rng.random(len(folk)) < share * 1.15))
    begin = np.maximum(ill.onset["kidney_disease"][dialysed], folk.enters[dialysed])
    n = np.maximum((folk.leaves[dialysed] - begin) * 3 // 7, 0)
    nth = _nth(n)
    person = np.repeat(dialysed, n)
    day = np.repeat(begin, n) + nth * 7 // 3
    grouped = np.repeat(rng.random(len(dialysed)) < 0.3, n)
    kept = ~grouped | (nth % GROUPED_SESSIONS == 0)
    person, day, grouped = person[kept], day[kept], grouped[kept]
    place = _hospital(rng, folk, dialysed)
    home = np.zeros(len(folk), dtype=np.int64)
    home[dialysed] = place
    count = np.where(grouped, GROUPED_SESSIONS, 1)
    last = np.where(grouped, 28, 0)
    parts = [
        _made(
            rng,
            folk,
            person,
            day,
            last,
            _same(person, diagnosis("Z491")),
            _same(person, ghm_root("28Z04")),
            procedure=_same(person, act("JVJF004")),
            sessions=count,
            hospital=home[person],
        )
    ]
    for code, rate, per_course, root, procedure, every in (
        ("Z511", _CHEMOTHERAPY, _CHEMOTHERAPY_SESSIONS, "28Z07", "", 14),
        ("Z512", _OTHER_CHEMOTHERAPY, _CHEMOTHERAPY_SESSIONS, "28Z17", "", 21),
        ("Z5101", _RADIOTHERAPY, _RADIOTHERAPY_SESSIONS, "28Z11", "ZZNL065", 1),
    ):
        span = np.where(cancer, np.maximum(folk.leaves - np.maximum(ill.onset["cancer"], folk.enters), 0), 0)
        courses = rng.poisson(rate / per_course / (_trait_share("cancer") * 0.86) * span / DAYS_A_YEAR)
        patient = np.repeat(np.arange(len(folk)), courses)
        begin = folk.leaves[patient] - (rng.random(len(patient)) * span[patient]).astype(np.int64)
        place = _hospital(rng, folk, patient)
        n = np.full(len(patient), per_course)
        nth = _nth(n)
        person, day = np.repeat(patient, n), np.repeat(begin, n) + nth * every + (nth // 5) * 2 * (every == 1)
        home_place = np.repeat(place, n)
        inside = day < folk.leaves[person]
        person, day, home_place = person[inside], day[inside], home_place[inside]
        site = np.array([diagnosis(c) for c in ("C509", "C61", "C189", "C349", "C833", "C900")])
        parts.append(
            _made(
                rng,
                folk,
                person,
                day,
                _same(person, 0),
                _same(person, diagnosis(code)),
                _same(person, ghm_root(root)),
                procedure=_same(person, act(procedure)),
                related=site[(person * 7 + folk.first) % len(site)],
                sessions=_same(person, 1),
                hospital=home_place,
            )
        )
    return parts


def _trait_share(name: str) -> float:
    """Expected share of the population with a condition in the middle of the data."""
    from enclos.synthetic.references import AGE_BANDS, conditions

    prevalence = next(c.prevalence for c in conditions() if c.name == name)
    share = 0.0
    for group in pyramid():
        ages = np.arange(group.age_from, min(group.age_to, 99) + 1)
        share += group.share * float(np.array(prevalence)[band(ages.astype(float), AGE_BANDS)].mean())
    return share


def _of_outcome(rng: np.random.Generator, folk: People, index: int, found: Events) -> Stays:
    outcome = OUTCOMES[index]
    codes = np.array([diagnosis(code) for code in outcome.codes])
    bleed = outcome.name == "gi_bleed"
    procedure = act("HEQE002") if bleed else act("DDAF006")
    return _made(
        rng,
        folk,
        found.person,
        found.day,
        2 + rng.poisson(4.0, len(found.person)),
        codes[found.code],
        _same(found.person, ghm_root("06K02" if bleed else "05M04")),
        procedure=np.where(rng.random(len(found.person)) < 0.7, procedure, NONE),
        emergency=0.85,
        certain=True,
    )


def _same(like: Indices, value: int) -> Indices:
    return np.full(len(like), value, dtype=np.int64)


def _nth(n: Indices) -> Indices:
    found: Indices = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
    return found
