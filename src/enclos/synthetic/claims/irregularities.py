"""What makes claims hard to count: corrections, cancellations, lines for information, supplements, missing dates."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

import numpy as np

from enclos.synthetic.claims.flux import flux_months
from enclos.synthetic.claims.model import (
    AFFINED_16,
    HOSPITAL,
    INFORMATION,
    INFORMATION_72,
    LABORATORY,
    NO_QUALIFIER,
    SUPPLEMENT,
    Claims,
    Prestations,
    first_pharmacy,
)
from enclos.synthetic.people import People
from enclos.synthetic.sheets import DAY_1600


def with_irregularities(rng: np.random.Generator, folk: People, plain: Claims, traps: Counter[str]) -> Claims:
    """The claims with their irregularities, which ``traps`` counts."""
    base = plain.prestations
    n = len(base)
    roll = rng.random(n)
    pharmacy = base.kind >= first_pharmacy()
    base.variant[rng.random(n) < 0.08] = NO_QUALIFIER
    no_end, no_prescription = rng.random(n) < 0.01, rng.random(n) < 0.02
    base.until[no_end], base.prescribed[no_prescription] = DAY_1600, DAY_1600
    corrected = np.flatnonzero(roll < 0.004)
    cancelled = np.flatnonzero((roll >= 0.004) & (roll < 0.005))
    told = np.flatnonzero((roll >= 0.005) & (roll < 0.010))
    told_72 = np.flatnonzero((roll >= 0.010) & (roll < 0.012))
    consultation = base.kind < LABORATORY
    supplement = np.flatnonzero(consultation & (roll >= 0.012) & (roll < 0.042))
    affined_16 = np.flatnonzero(consultation & (roll >= 0.042) & (roll < 0.045))
    traps["dcir_regularisations_corrected"] += len(corrected)
    traps["dcir_regularisations_cancelled"] += len(cancelled)
    traps["dcir_information_lines_71"] += len(told)
    traps["dcir_information_lines_72"] += len(told_72)
    traps["dcir_supplement_lines"] += len(supplement)
    traps["dcir_affined_16_lines"] += len(affined_16)
    sources = np.concatenate([corrected, cancelled, corrected, told, told_72, supplement, affined_16])
    sign = np.ones(len(sources), dtype=np.int64)
    sign[: len(corrected) + len(cancelled)] = -1
    variant = np.concatenate(
        [
            base.variant[corrected],
            base.variant[cancelled],
            base.variant[corrected],
            np.full(len(told), INFORMATION),
            np.full(len(told_72), INFORMATION_72),
            np.full(len(supplement), SUPPLEMENT),
            np.full(len(affined_16), AFFINED_16),
        ]
    )
    later = rng.integers(1, 4, len(corrected))
    delay = np.concatenate(
        [
            later,
            rng.integers(1, 4, len(cancelled)),
            later,
            np.zeros(len(told) + len(told_72) + len(supplement) + len(affined_16), dtype=np.int64),
        ]
    )
    traps["dcir_negative_lines"] += int((sign < 0).sum())
    traps["dcir_negative_pharmacy_lines"] += int(
        np.bincount(plain.pharmacy.prestation, minlength=n)[sources[(sign < 0) & pharmacy[sources]]].sum()
    )
    copy = base.take(sources)
    last = len(flux_months(folk.start, folk.end)) - 1
    made = Prestations(
        copy.person,
        copy.day,
        copy.until,
        copy.prescribed,
        copy.kind,
        variant,
        copy.provider,
        copy.quantity * sign,
        copy.cents * sign,
        int(base.sheet.max(initial=-1)) + 1 + np.arange(len(sources)),
        np.ones(len(sources), dtype=np.int64),
        np.minimum(copy.flux + delay, last),
    )
    joined = Prestations(
        *(np.concatenate([getattr(base, field.name), getattr(made, field.name)]) for field in fields(Prestations))
    )
    establishments = plain.establishments.copied(sources, n, sign, n)
    traps["dcir_t2a_direct_lines"] += int((joined.kind[establishments.prestation] == HOSPITAL).sum())
    traps["dcir_no_qualifier_lines"] += int((joined.variant == NO_QUALIFIER).sum())
    traps["dcir_dates_1600"] += int((joined.until == DAY_1600).sum() + (joined.prescribed == DAY_1600).sum())
    return Claims(
        joined,
        plain.pharmacy.copied(sources, n, sign, n),
        plain.acts.copied(sources, n, sign, n),
        establishments,
    )
