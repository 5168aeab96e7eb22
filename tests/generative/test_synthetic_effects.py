"""The drugs of the synthetic France do what its truth says: measured on its persons, before any file is written.

Whether the whole chain finds the same is in tests/acceptance/test_known_effects.py.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from enclos.synthetic.care import town_care
from enclos.synthetic.illness import (
    APIXABAN,
    ATORVASTATIN,
    RIVAROXABAN,
    ROSUVASTATIN,
    boxes_a_month,
    episodes,
    illness,
)
from enclos.synthetic.outcomes import GI_BLEED, LASTS_DAYS, MYOCARDIAL_INFARCTION, Outcome, events, exposure
from enclos.synthetic.people import NEVER, Shares, people
from enclos.synthetic.truth import EFFECTS

START, END = ((day - date(1970, 1, 1)).days for day in (date(2019, 1, 1), date(2024, 1, 1)))
N_CHUNKS, N_PERSONS, MIN_AGE = 6, 8_000, 70
Floats = npt.NDArray[np.float64]


def new_users(target: str, comparator: str, outcome: Outcome) -> Floats:
    """Per new user: whether of the target, age in fives, sex, two traits, days used, whether the outcome came then."""
    rows = []
    lasts = boxes_a_month()[1] * LASTS_DAYS
    for first in range(N_CHUNKS):
        rng = np.random.Generator(np.random.PCG64(first))
        folk = people(rng, 0, N_PERSONS, START, END, Shares(), MIN_AGE)
        ill = illness(rng, folk)
        dispensed = town_care(rng, folk, ill, episodes(rng, folk, ill)).dispensed
        used = {each.atc: exposure(folk, dispensed, each.atc, lasts) for each in GI_BLEED.effects}
        came = events(rng, folk, ill, outcome, used).first_day(len(folk))
        for atc in (target, comparator):
            spans = exposure(folk, dispensed, atc, lasts)
            begin, stop = spans.start[0], np.minimum(spans.stop[0], folk.leaves)
            who = np.flatnonzero((begin < NEVER) & (begin >= folk.enters + 365) & (came >= begin))
            has = came[who] < stop[who]
            days = np.where(has, came[who], stop[who]) - begin[who] + 1
            traits = [ill.has[name][who] for name in ("diabetes_2", "coronary")]
            age = folk.age(begin[who], who) // 5
            rows.append(np.stack([np.full(len(who), atc == target), age, folk.female[who], *traits, days, has], axis=1))
    return np.concatenate(rows).astype(np.float64)


def rate_ratio(rows: Floats, strata: slice) -> tuple[float, float, float]:
    """Mantel and Haenszel's rate ratio over strata, with Greenland and Robins' interval (1985)."""
    target, days, has = rows[:, 0] == 1, rows[:, 5], rows[:, 6]
    _, stratum = np.unique(rows[:, strata], axis=0, return_inverse=True)
    sums = [[np.bincount(stratum, what * arm) for what in (has, days)] for arm in (target, ~target)]
    (events_1, days_1), (events_0, days_0) = sums
    whole = days_1 + days_0
    above, below = (events_1 * days_0 / whole).sum(), (events_0 * days_1 / whole).sum()
    variance = ((events_1 + events_0) * days_1 * days_0 / whole**2).sum() / (above * below)
    ratio, width = above / below, np.exp(1.96 * np.sqrt(variance))
    return float(ratio), float(ratio / width), float(ratio * width)


@pytest.mark.parametrize(
    ("target", "comparator", "outcome", "truth"),
    [
        (RIVAROXABAN, APIXABAN, GI_BLEED, EFFECTS[0]["hazard_ratio"]),
        (ROSUVASTATIN, ATORVASTATIN, MYOCARDIAL_INFARCTION, EFFECTS[1]["hazard_ratio"]),
    ],
)
def test_among_alike_persons_the_drug_has_its_effect_and_crude_ratios_are_biased(
    target: str, comparator: str, outcome: Outcome, truth: float
) -> None:
    rows = new_users(target, comparator, outcome)
    ratio, lower, upper = rate_ratio(rows, slice(1, 5))
    crude, *_ = rate_ratio(rows, slice(0, 0))
    assert lower < truth < upper < 1.7 * lower * (1.4 if truth == 1 else 1)
    # The younger take the harmful drug, the older and diabetics the harmless one.
    assert crude < ratio if truth > 1 else crude > ratio
