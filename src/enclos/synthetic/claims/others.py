"""What claims hold beside visits, acts and packs: analyses, devices, hospital drugs, and lines that name nobody.

Drawn from random numbers of their own, so that the rest of a France is the same with them and without.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import TypeVar

import numpy as np

from enclos.synthetic import stay_lists
from enclos.synthetic.claims.flux import flux_months, months_of
from enclos.synthetic.claims.model import (
    BOUGHT,
    FICTITIOUS,
    HANDED_OUT,
    LABORATORY,
    NO_NATURE,
    NO_QUALIFIER,
    RENTED,
    SPECIALIST,
    Affined,
    Claims,
    Prestations,
    kinds,
    other_kind,
)
from enclos.synthetic.illness import Indices
from enclos.synthetic.people import DAYS_A_YEAR, People
from enclos.synthetic.references import hospitals, products

STREAM = 3002
"""Which random numbers of a chunk are these."""
_A_YEAR = {BOUGHT: 0.25, RENTED: 0.05, HANDED_OUT: 0.03}
"""Prestations per person-year; plausible, not measured."""
_RENT_DAYS = 28


def with_others(rng: np.random.Generator, folk: People, plain: Claims, traps: Counter[str] | None) -> Claims:
    """The claims with what else hangs on them; ``traps`` counts what is irregular in it."""
    base = plain.prestations
    whole = _joined(base, _more(rng, folk, base, traps))
    devices_, drugs = _hanging(whole, len(base), traps)
    found = replace(plain, prestations=whole, analyses=_analyses(base), devices=devices_, hospital_drugs=drugs)
    if traps is None:
        return found
    places = _joined(plain.establishments, _places(whole, len(base), traps))
    return replace(found, establishments=places, pharmacy=_packs(plain, traps))


Rows = TypeVar("Rows", Prestations, Affined)


def _joined(first: Rows, second: Rows) -> Rows:
    """The rows of one after those of the other."""
    columns = [np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(first)]
    return type(first)(*columns)


def _more(rng: np.random.Generator, folk: People, base: Prestations, traps: Counter[str] | None) -> Prestations:
    """Devices and hospital drugs, some of them cancelled, and copies of visits to a doctor that name nobody."""
    years = np.maximum(folk.leaves - folk.enters, 0) / DAYS_A_YEAR
    who, kind = [], []
    for place, rate in _A_YEAR.items():
        n = rng.poisson(rate * years)
        who.append(np.repeat(np.arange(len(folk)), n))
        kind.append(np.full(int(n.sum()), other_kind(place)))
    person, kinds_ = np.concatenate(who), np.concatenate(kind)
    day = folk.enters[person] + (rng.random(len(person)) * (folk.leaves - folk.enters)[person]).astype(np.int64)
    n_own = len(person)
    variant, sign, later = (
        np.zeros(n_own, dtype=np.int64),
        np.ones(n_own, dtype=np.int64),
        np.zeros(n_own, dtype=np.int64),
    )
    if traps is not None:
        cancelled = np.flatnonzero(rng.random(n_own) < 0.01)
        doctor = np.flatnonzero((base.kind < SPECIALIST) & (base.quantity > 0) & (base.variant <= NO_QUALIFIER))
        nobody = doctor[rng.random(len(doctor)) < 0.0005]
        no_act = doctor[rng.random(len(doctor)) < 0.0005]
        person = np.concatenate([person, person[cancelled], base.person[nobody], base.person[no_act]])
        day = np.concatenate([day, day[cancelled], base.day[nobody], base.day[no_act]])
        kinds_ = np.concatenate([kinds_, kinds_[cancelled], base.kind[nobody], base.kind[no_act]])
        copies = len(nobody) + len(no_act)
        variant = np.repeat([0, FICTITIOUS, NO_NATURE], [n_own + len(cancelled), len(nobody), len(no_act)])
        sign = np.repeat([1, -1, 1], [n_own, len(cancelled), copies])
        later = np.repeat([0, 1, 0], [n_own, len(cancelled), copies])
        traps["dcir_regularisations_cancelled"] += len(cancelled)
        traps["dcir_negative_lines"] += len(cancelled)
        traps["dcir_fictitious_identities"] += len(nobody)
        traps["dcir_nature_0_lines"] += len(no_act)
    until = np.where(kinds_ == other_kind(RENTED), day + _RENT_DAYS - 1, day)
    price = np.array([k.price_cents for k in kinds()])[kinds_]
    last = len(flux_months(folk.start, folk.end)) - 1
    provider = folk.department[person] * 400 + (person * 31 + kinds_ * 17) % 400
    return Prestations(
        person,
        day,
        until,
        day.copy(),
        kinds_,
        variant,
        provider,
        sign,
        price * sign,
        int(base.sheet.max(initial=-1)) + 1 + np.arange(len(person)),
        np.ones(len(person), dtype=np.int64),
        np.minimum(months_of(day, folk.start) + later, last),
    )


def _analyses(base: Prestations) -> Affined:
    """Two to four analyses a visit to the laboratory; a cancelled visit cancels the same ones."""
    visit = np.flatnonzero(base.kind == LABORATORY)
    mark = base.person[visit] * 31 + base.day[visit] * 17
    n = 2 + mark % 3
    owner = np.repeat(visit, n)
    order = np.arange(len(owner)) - np.repeat(np.cumsum(n) - n, n)
    what = (np.repeat(mark, n) + order) % len(stay_lists.codes("NABM"))
    return Affined(owner, what, np.sign(base.quantity[owner]), order + 1)


def _hanging(base: Prestations, first: int, traps: Counter[str] | None) -> tuple[Affined, Affined]:
    """The devices and the hospital drugs, one under each prestation that is one."""
    own = first + np.flatnonzero(base.kind[first:] >= other_kind(BOUGHT))
    drug = own[base.kind[own] == other_kind(HANDED_OUT)]
    device = own[base.kind[own] != other_kind(HANDED_OUT)]
    n, mark = len(stay_lists.codes("LPP")), base.person[device] + base.day[device]
    what = mark % n + n * (base.kind[device] == other_kind(RENTED))
    if traps is not None:
        nameless = mark % 61 == 0
        what = what + 2 * n * nameless
        traps["dcir_devices_without_code"] += int(nameless.sum())
    one = np.ones(len(own), dtype=np.int64)
    return (
        Affined(device, what, base.quantity[device], one[: len(device)]),
        Affined(drug, (base.person[drug] * 13) % len(stay_lists.codes("UCD")), base.quantity[drug], one[: len(drug)]),
    )


def _places(base: Prestations, first: int, traps: Counter[str]) -> Affined:
    """Where some hospital drugs were handed out: public hospitals and private stays, which the PMSI has again.

    Nothing is drawn: a cancelled line has the place of the line that it cancels.
    """
    drug = first + np.flatnonzero(base.kind[first:] == other_kind(HANDED_OUT))
    roll = (base.person[drug] * 7 + base.day[drug]) % 10
    public, private = drug[roll < 3], drug[roll == 3]
    n = len(hospitals())
    what = np.concatenate([base.person[public] % n, 2 * n + base.person[private] % n])
    owner = np.concatenate([public, private])
    one = np.ones(len(owner), dtype=np.int64)
    traps["dcir_t2a_direct_lines"] += len(public)
    traps["dcir_private_stay_lines"] += len(private)
    return Affined(owner, what, one, one)


def _packs(plain: Claims, traps: Counter[str]) -> Affined:
    """The packs, some without a CIP13 and some of which units were taken; alike in a line and its cancellation."""
    packs = plain.pharmacy
    base = plain.prestations
    mark = (base.person[packs.prestation] * 7919 + base.day[packs.prestation] * 31 + packs.what * 17) % 1000
    nameless, loose = mark < 2, (mark >= 2) & (mark < 4)
    traps["dcir_packs_without_cip13"] += int(nameless.sum())
    traps["dcir_loose_units"] += int(loose.sum())
    shift: Indices = np.where(nameless, 1, np.where(loose, 2, 0)) * len(products())
    return replace(packs, what=packs.what + shift)
