"""Town care as prestations: one a visit, and one a rate of reimbursement in a visit to a pharmacy."""

from __future__ import annotations

from collections import Counter

import numpy as np

from enclos.synthetic.care import TownCare
from enclos.synthetic.claims.flux import months_of
from enclos.synthetic.claims.irregularities import with_irregularities
from enclos.synthetic.claims.model import (
    ACT,
    GP,
    HOSPITAL,
    LABORATORY,
    PHARMACY_RATES,
    SPECIALIST,
    Affined,
    Claims,
    Prestations,
    first_pharmacy,
    kinds,
)
from enclos.synthetic.illness import Indices
from enclos.synthetic.people import Days, People
from enclos.synthetic.references import hospitals, products

_LAG = np.cumsum([0.62, 0.23, 0.08, 0.04, 0.02, 0.01])
_PHARMACY_LAG = np.cumsum([0.86, 0.10, 0.02, 0.01, 0.006, 0.004])
"""Shares of care that arrive one to six months later. Source: 99 % after six months (CNAM)."""


def claims(rng: np.random.Generator, folk: People, care: TownCare, traps: Counter[str] | None) -> Claims:
    """The claims of town care, with the irregularities of real ones when ``traps`` counts them."""
    base, pharmacy = _prestations(rng, folk, care, with_hospital=traps is not None)
    acts = _acts(base)
    establishments = _establishments(rng, folk, base)
    if traps is None:
        return Claims(base, pharmacy, acts, establishments)
    return with_irregularities(rng, folk, Claims(base, pharmacy, acts, establishments), traps)


def _prestations(
    rng: np.random.Generator, folk: People, care: TownCare, *, with_hospital: bool
) -> tuple[Prestations, Affined]:
    lines = care.dispensed
    rate_position = np.zeros(101, dtype=np.int64)
    for index, rate in enumerate(PHARMACY_RATES):
        rate_position[rate] = index
    rate_position[35] = 1
    rate = rate_position[np.array([p.rate for p in products()])][lines.product]
    key = (lines.person * 40_000 + (lines.day - folk.start)) * 4 + rate
    sort = np.argsort(key, kind="stable")
    key, person, when = key[sort], lines.person[sort], lines.day[sort]
    product, boxes, prescribed = lines.product[sort], lines.boxes[sort], lines.prescribed[sort]
    new = np.r_[True, key[1:] != key[:-1]] if len(key) else np.zeros(0, dtype=bool)
    heads = np.flatnonzero(new)
    owner = np.cumsum(new) - 1
    visit_new = np.r_[True, key[heads][1:] // 4 != key[heads][:-1] // 4] if len(heads) else np.zeros(0, dtype=bool)
    visit = np.cumsum(visit_new) - 1
    within = np.arange(len(heads)) - np.flatnonzero(visit_new)[visit] if len(heads) else visit
    price = np.array([p.price_cents for p in products()])
    cents = np.bincount(owner, weights=price[product] * boxes, minlength=len(heads)).astype(np.int64)
    total = np.bincount(owner, weights=boxes, minlength=len(heads)).astype(np.int64)
    n_in = np.bincount(owner, minlength=len(heads))
    order = np.arange(len(product)) - np.repeat(np.cumsum(n_in) - n_in, n_in) + 1

    parts: list[tuple[Indices, Days, Indices]] = [
        (care.gp.person, care.gp.day, GP + care.gp.what),
        (care.specialist.person, care.specialist.day, SPECIALIST + care.specialist.what),
        (care.laboratory.person, care.laboratory.day, np.full(len(care.laboratory), LABORATORY)),
        (care.act.person, care.act.day, ACT + care.act.what),
    ]
    if with_hospital:
        parts.append((care.hospital.person, care.hospital.day, np.full(len(care.hospital), HOSPITAL)))
    other_person = np.concatenate([part[0] for part in parts])
    other_day = np.concatenate([part[1] for part in parts])
    other_kind = np.concatenate([part[2] for part in parts])
    n_visits, n_other = int(visit[-1]) + 1 if len(visit) else 0, len(other_person)

    all_person = np.concatenate([person[heads], other_person])
    all_day = np.concatenate([when[heads], other_day])
    kind = np.concatenate([first_pharmacy() + key[heads] % 4, other_kind])
    sheet = np.concatenate([visit, n_visits + np.arange(n_other)])
    lag = np.concatenate(
        [
            np.searchsorted(_PHARMACY_LAG, rng.random(n_visits) * 0.999999)[visit],
            np.searchsorted(_LAG, rng.random(n_other) * 0.999999),
        ]
    )
    price_of = np.array([k.price_cents for k in kinds()])
    nearby = folk.department[all_person] * 400
    own_doctor = (all_person * 7919 + folk.first) % 97
    provider = nearby + np.where(kind < SPECIALIST, own_doctor, (all_person * 31 + kind * 17) % 400)
    prestations = Prestations(
        all_person,
        all_day,
        all_day.copy(),
        np.concatenate([prescribed[heads], other_day]),
        kind,
        np.zeros(len(kind), dtype=np.int64),
        provider,
        np.concatenate([total, np.ones(n_other, dtype=np.int64)]),
        np.concatenate([cents, price_of[other_kind]]),
        sheet,
        np.concatenate([within + 1, np.ones(n_other, dtype=np.int64)]),
        months_of(all_day, folk.start) + lag,
    )
    return prestations, Affined(owner, product, boxes, order)


def _acts(base: Prestations) -> Affined:
    mine = np.flatnonzero((base.kind >= ACT) & (base.kind < first_pharmacy()))
    one = np.ones(len(mine), dtype=np.int64)
    return Affined(mine, base.kind[mine] - ACT, one, one)


def _establishments(rng: np.random.Generator, folk: People, base: Prestations) -> Affined:
    places = hospitals()
    public = np.array([i for i, place in enumerate(places) if place.public])
    private = np.array([i for i, place in enumerate(places) if not place.public])
    direct = np.flatnonzero(base.kind == HOSPITAL)
    acts = np.flatnonzero((base.kind >= ACT) & (base.kind < first_pharmacy()))
    clinic = acts[rng.random(len(acts)) < 0.12]
    what = np.concatenate(
        [
            public[folk.department[base.person[direct]] % len(public)],
            len(places) + private[folk.department[base.person[clinic]] % len(private)],
        ]
    )
    prestation = np.concatenate([direct, clinic])
    sort = np.argsort(prestation)
    one = np.ones(len(prestation), dtype=np.int64)
    return Affined(prestation[sort], what[sort], one, one)
