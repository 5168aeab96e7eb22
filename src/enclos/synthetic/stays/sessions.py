"""Sessions: the stays without a night that come in series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enclos.synthetic.illness import Illness, band
from enclos.synthetic.people import DAYS_A_YEAR, People
from enclos.synthetic.references import AGE_BANDS, conditions, pyramid
from enclos.synthetic.stays.model import Stays, act, diagnosis, ghm_root, made, near, nth_of, same

_POPULATION = 68.6e6
_DIALYSIS, _CHEMOTHERAPY, _OTHER_CHEMOTHERAPY = 4_274_206 / _POPULATION, 2_568_626 / _POPULATION, 622_898 / _POPULATION
_RADIOTHERAPY = 9_999_310 / _POPULATION - _DIALYSIS - _CHEMOTHERAPY - _OTHER_CHEMOTHERAPY
_CHEMOTHERAPY_SESSIONS, _RADIOTHERAPY_SESSIONS = 12, 22
_DIALYSES_A_YEAR = 156
"""Sessions per person-year, and in a series. Source: ScanSanté by way of marginals.csv; lengths of series are ours."""
_SITES = ("C509", "C61", "C189", "C349", "C833", "C900")
"""The cancers that are treated in sessions."""
GROUPED_SESSIONS = 13
"""Dialyses of a month."""


def sessions(rng: np.random.Generator, folk: People, ill: Illness, *, grouped: bool) -> list[Stays]:
    """Dialyses, chemotherapies and irradiations; ``grouped``: some hospitals send a month of dialyses as one stay."""
    kidney, cancer = ill.has["kidney_disease"], ill.has["cancer"]
    share = _DIALYSIS / _DIALYSES_A_YEAR / _trait_share("kidney_disease")
    dialysed = np.flatnonzero(kidney & (rng.random(len(folk)) < share * 1.15))
    begin = np.maximum(ill.onset["kidney_disease"][dialysed], folk.enters[dialysed])
    n = np.maximum((folk.leaves[dialysed] - begin) * 3 // 7, 0)
    nth = nth_of(n)
    person = np.repeat(dialysed, n)
    day = np.repeat(begin, n) + nth * 7 // 3
    monthly = np.repeat(rng.random(len(dialysed)) < (0.3 if grouped else 0.0), n)
    kept = ~monthly | (nth % GROUPED_SESSIONS == 0)
    person, day, monthly = person[kept], day[kept], monthly[kept]
    place = near(rng, folk, dialysed)
    home = np.zeros(len(folk), dtype=np.int64)
    home[dialysed] = place
    count = np.where(monthly, GROUPED_SESSIONS, 1)
    last = np.where(monthly, 28, 0)
    parts = [
        made(
            rng,
            folk,
            person,
            day,
            last,
            same(person, diagnosis("Z491")),
            same(person, ghm_root("28Z04")),
            procedure=same(person, act("JVJF004")),
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
        place = near(rng, folk, patient)
        n = np.full(len(patient), per_course)
        nth = nth_of(n)
        person, day = np.repeat(patient, n), np.repeat(begin, n) + nth * every + (nth // 5) * 2 * (every == 1)
        home_place = np.repeat(place, n)
        inside = day < folk.leaves[person]
        person, day, home_place = person[inside], day[inside], home_place[inside]
        site = np.array([diagnosis(c) for c in _SITES])
        parts.append(
            made(
                rng,
                folk,
                person,
                day,
                same(person, 0),
                same(person, diagnosis(code)),
                same(person, ghm_root(root)),
                procedure=same(person, act(procedure)),
                related=site[_site_by_sex((person * 7 + folk.first) % len(site), folk.female[person])],
                sessions=same(person, 1),
                hospital=home_place,
            )
        )
    return parts


def _site_by_sex(site: NDArray[np.int64], female: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Breast cancer for women where prostate was drawn, and prostate for men where breast was."""
    breast, prostate = _SITES.index("C509"), _SITES.index("C61")
    return np.where(np.isin(site, (breast, prostate)), np.where(female, breast, prostate), site)


def _trait_share(name: str) -> float:
    """Expected share of the population with a condition in the middle of the data."""
    prevalence = next(c.prevalence for c in conditions() if c.name == name)
    share = 0.0
    for group in pyramid():
        ages = np.arange(group.age_from, min(group.age_to, 99) + 1)
        share += group.share * float(np.array(prevalence)[band(ages.astype(float), AGE_BANDS)].mean())
    return share
